from django.apps import AppConfig


class PartnersConfig(AppConfig):
    """The edge: imports, exports and partner messages."""

    name = "erp.partners"
    label = "partners"

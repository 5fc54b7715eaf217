from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What lies where, for whom it is kept, and how it leaves."""

    name = "inventory"

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The shell: navigation, home pages, search, live updates, design system."""

    name = "erp.web"
    label = "web"

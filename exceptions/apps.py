from django.apps import AppConfig


class ExceptionsConfig(AppConfig):
    """Open conditions of the world that need somebody."""

    name = "exceptions"

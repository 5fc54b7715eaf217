from django.apps import AppConfig


class ApiConfig(AppConfig):
    """How every app speaks HTTP."""

    name = "erp.api"
    label = "api"

    def ready(self) -> None:
        """Have the OpenAPI document know how clients sign in."""
        import erp.api.schema  # noqa: F401, PLC0415

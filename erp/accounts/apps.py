from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """Who works here, for which entity, in which role."""

    name = "erp.accounts"
    label = "accounts"

    def ready(self) -> None:
        from erp.accounts.grants import grant_declared_permissions  # noqa: PLC0415  needs models

        post_migrate.connect(grant_declared_permissions, dispatch_uid="accounts.grants")

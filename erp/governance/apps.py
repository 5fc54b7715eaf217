from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GovernanceConfig(AppConfig):
    """Policies, approvals, duties and the audit trail."""

    name = "erp.governance"
    label = "governance"

    def ready(self) -> None:
        post_migrate.connect(bring_policies, sender=self, dispatch_uid="governance.policies")


def bring_policies(sender: AppConfig, **_more: Any) -> None:
    """Bring the policies that the apps declare, after every migration and every flush."""
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from erp.governance.services import ensure_builtin_policies  # noqa: PLC0415  needs models

    if "governance_policyversion" in connection.introspection.table_names():
        ensure_builtin_policies(now=timezone.now())

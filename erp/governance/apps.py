from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Policies, approvals, duties and the audit trail."""

    name = "erp.governance"
    label = "governance"

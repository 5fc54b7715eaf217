"""The resources of governance: approvals, and who stands in for whom."""

from erp.governance.api.views._approvals import ApprovalViewSet
from erp.governance.api.views._standing_in import AbsenceViewSet, DelegationViewSet

__all__ = ["AbsenceViewSet", "ApprovalViewSet", "DelegationViewSet"]

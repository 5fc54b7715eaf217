"""What pages, the API and other apps read about policies, approvals and the audit trail."""

from erp.governance.selectors._approvals import (
    PendingApproval,
    StepRow,
    approval,
    approval_page,
    approval_waiting_for,
    approvals_within,
    asked_by,
    decided_lately,
    pending_approvals,
    shown,
    shown_all,
    waiting_count,
    waiting_for,
)
from erp.governance.selectors._changes import PendingChange, changes_within, pending_changes
from erp.governance.selectors._entitled import Entitlement, entitled_to, entitlements_of
from erp.governance.selectors._invariants import INVARIANTS
from erp.governance.selectors._people import same_person
from erp.governance.selectors._policies import (
    DecisionRow,
    PolicyPage,
    PolicyRow,
    TableRow,
    VersionRow,
    decisions_of,
    decisions_within,
    policies,
    policy_page,
    versions_within,
)
from erp.governance.selectors._timeline import (
    AuditRow,
    TimelineRow,
    audit_page,
    audit_within,
    timeline,
)

__all__ = [
    "INVARIANTS",
    "AuditRow",
    "DecisionRow",
    "Entitlement",
    "PendingApproval",
    "PendingChange",
    "PolicyPage",
    "PolicyRow",
    "StepRow",
    "TableRow",
    "TimelineRow",
    "VersionRow",
    "approval",
    "approval_page",
    "approval_waiting_for",
    "approvals_within",
    "asked_by",
    "audit_page",
    "audit_within",
    "changes_within",
    "decided_lately",
    "decisions_of",
    "decisions_within",
    "entitled_to",
    "entitlements_of",
    "pending_approvals",
    "pending_changes",
    "policies",
    "policy_page",
    "same_person",
    "shown",
    "shown_all",
    "timeline",
    "versions_within",
    "waiting_count",
    "waiting_for",
]

"""The pages of governance: what waits for approval, who stands in, policies, the audit trail."""

from erp.governance.views._approvals import agree, approvals, beside, decide_many, pass_on, refuse
from erp.governance.views._policies import audit
from erp.governance.views._standing_in import (
    be_back,
    go_away,
    hand_over,
    standing_in,
    stop_standing_in,
)

__all__ = [
    "agree",
    "approvals",
    "audit",
    "be_back",
    "beside",
    "decide_many",
    "go_away",
    "hand_over",
    "pass_on",
    "refuse",
    "standing_in",
    "stop_standing_in",
]

"""Everything that decides by policy, asks for approval or writes the audit trail."""

from erp.governance.rules import Fact, Problem, WrongFacts
from erp.governance.rules.approving import ApprovalFacts, Effect, EffectKind
from erp.governance.services._activating import OwnVersion, activate_version, retire_version
from erp.governance.services._agreeing import (
    AlreadyDecided,
    DecidedBefore,
    DocumentChanged,
    NotYours,
    Outcome,
    OwnRequest,
    ReasonMissing,
    Verdict,
    approve,
    decide_requests,
    reject,
)
from erp.governance.services._approving import request_approval, withdraw
from erp.governance.services._bringing import ensure_builtin_policies
from erp.governance.services._changing import (
    NothingChanges,
    ValueMoved,
    applies_changes,
    request_change,
    settle_change,
)
from erp.governance.services._deciding import (
    Answer,
    Decision,
    Question,
    UnknownPolicy,
    ask_policy,
    decide,
    keep_answers,
)
from erp.governance.services._delegating import (
    BadDelegation,
    delegate,
    delegate_request,
    end_absence,
    report_absence,
    revoke_delegation,
)
from erp.governance.services._expiring import (
    Fired,
    fire_due_approvals,
    look_after_approvals,
)
from erp.governance.services._recording import Change, Personal, record
from erp.governance.services._replaying import (
    BadPeriod,
    advance_replay,
    ask_replay,
    claim_replay,
)
from erp.governance.services._sealing import seal_audit
from erp.governance.services._seconding import request_second_person
from erp.governance.services._separating import (
    Act,
    DutyConflict,
    SecondPersonNeeded,
    refuse_conflict,
)
from erp.governance.services._versioning import (
    DatesRefused,
    LimitsRefused,
    NotYourDraft,
    PolicyRefused,
    VersionNotOpen,
    change_limits,
    edit_version,
    submit_version,
    write_version,
)

__all__ = [
    "Act",
    "AlreadyDecided",
    "Answer",
    "ApprovalFacts",
    "BadDelegation",
    "BadPeriod",
    "Change",
    "DatesRefused",
    "DecidedBefore",
    "Decision",
    "DocumentChanged",
    "DutyConflict",
    "Effect",
    "EffectKind",
    "Fact",
    "Fired",
    "LimitsRefused",
    "NotYourDraft",
    "NotYours",
    "NothingChanges",
    "Outcome",
    "OwnRequest",
    "OwnVersion",
    "Personal",
    "PolicyRefused",
    "Problem",
    "Question",
    "ReasonMissing",
    "SecondPersonNeeded",
    "UnknownPolicy",
    "ValueMoved",
    "Verdict",
    "VersionNotOpen",
    "WrongFacts",
    "activate_version",
    "advance_replay",
    "applies_changes",
    "approve",
    "ask_policy",
    "ask_replay",
    "change_limits",
    "claim_replay",
    "decide",
    "decide_requests",
    "delegate",
    "delegate_request",
    "edit_version",
    "end_absence",
    "ensure_builtin_policies",
    "fire_due_approvals",
    "keep_answers",
    "look_after_approvals",
    "record",
    "refuse_conflict",
    "reject",
    "report_absence",
    "request_approval",
    "request_change",
    "request_second_person",
    "retire_version",
    "revoke_delegation",
    "seal_audit",
    "settle_change",
    "submit_version",
    "withdraw",
    "write_version",
]

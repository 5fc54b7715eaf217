"""Everything that decides by policy, asks for approval or writes the audit trail."""

from erp.governance.rules import Fact, Problem, WrongFacts
from erp.governance.services._activating import OwnVersion, activate_version, retire_version
from erp.governance.services._approving import (
    AlreadyDecided,
    DocumentChanged,
    NotYours,
    OwnRequest,
    ReasonMissing,
    approve,
    reject,
    request_approval,
    withdraw,
)
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
from erp.governance.services._recording import Change, record
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
    "Change",
    "DatesRefused",
    "Decision",
    "DocumentChanged",
    "DutyConflict",
    "Fact",
    "LimitsRefused",
    "NotYourDraft",
    "NotYours",
    "NothingChanges",
    "OwnRequest",
    "OwnVersion",
    "PolicyRefused",
    "Problem",
    "Question",
    "ReasonMissing",
    "SecondPersonNeeded",
    "UnknownPolicy",
    "ValueMoved",
    "VersionNotOpen",
    "WrongFacts",
    "activate_version",
    "applies_changes",
    "approve",
    "ask_policy",
    "change_limits",
    "decide",
    "edit_version",
    "ensure_builtin_policies",
    "keep_answers",
    "record",
    "refuse_conflict",
    "reject",
    "request_approval",
    "request_change",
    "request_second_person",
    "retire_version",
    "settle_change",
    "submit_version",
    "withdraw",
    "write_version",
]

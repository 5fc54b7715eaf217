"""Everything that decides by policy, asks for approval or writes the audit trail."""

from erp.governance.rules import Fact, Problem, WrongFacts
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
    OwnVersion,
    PolicyRefused,
    VersionNotOpen,
    activate_version,
    ensure_builtin_policies,
    retire_version,
    write_version,
)

__all__ = [
    "Act",
    "AlreadyDecided",
    "Answer",
    "Change",
    "Decision",
    "DocumentChanged",
    "DutyConflict",
    "Fact",
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
    "decide",
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
    "withdraw",
    "write_version",
]

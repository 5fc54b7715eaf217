from erp.governance.models.approval import Approval, ApprovalStep, ApprovalTimer
from erp.governance.models.audit import AuditEntry, AuditSeal, AuditSealing, PersonalDatum
from erp.governance.models.change import ChangeRequest
from erp.governance.models.decision import DecisionRecord
from erp.governance.models.delegation import Absence, Delegation
from erp.governance.models.duty import DutyMitigation, SecondPerson
from erp.governance.models.policy import Policy, PolicyVersion
from erp.governance.models.replay import PolicyReplay, PolicyReplayChange

__all__ = [
    "Absence",
    "Approval",
    "ApprovalStep",
    "ApprovalTimer",
    "AuditEntry",
    "AuditSeal",
    "AuditSealing",
    "ChangeRequest",
    "DecisionRecord",
    "Delegation",
    "DutyMitigation",
    "PersonalDatum",
    "Policy",
    "PolicyReplay",
    "PolicyReplayChange",
    "PolicyVersion",
    "SecondPerson",
]

from erp.governance.models.approval import Approval
from erp.governance.models.audit import AuditEntry
from erp.governance.models.change import ChangeRequest
from erp.governance.models.duty import DutyMitigation, SecondPerson
from erp.governance.models.policy import DecisionRecord, Policy, PolicyVersion

__all__ = [
    "Approval",
    "AuditEntry",
    "ChangeRequest",
    "DecisionRecord",
    "DutyMitigation",
    "Policy",
    "PolicyVersion",
    "SecondPerson",
]

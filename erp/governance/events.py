"""Facts that governance tells the other apps."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(Event):
    """A document waits for somebody who holds `permission`."""

    name: ClassVar[str] = "governance.approval_requested"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    permission: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalDecided(Event):
    """An approval ended. `state` is approved, rejected or void.

    `decided_by_id` is 0 when void, and when nobody had to agree (`cause` is "automatic"). The cause
    of a void one is "expired", "changed" or "withdrawn".
    """

    name: ClassVar[str] = "governance.approval_decided"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    state: str
    decided_by_id: int
    reason: str = ""
    cause: str = ""

    @property
    def key(self) -> str:
        return f"{self.document_kind}:{self.document_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAdvanced(Event):
    """Somebody agreed to a step of an approval that still waits for others."""

    name: ClassVar[str] = "governance.approval_advanced"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    step: int
    decided_by_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEscalated(Event):
    """A step of an approval went to `role` as well. `due_at` is when it was to be decided.

    It is empty where no time ran out: nobody who could decide was there (`reason`).
    """

    name: ClassVar[str] = "governance.approval_escalated"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    step: int
    role: str
    due_at: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStranded(Event):
    """An approval waits, and nobody can decide it: no other holder of the role, or all away."""

    name: ClassVar[str] = "governance.approval_stranded"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    step: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsDelegated(Event):
    """Somebody may decide for somebody else in an entity, or no longer may (`is_revoked`: 1)."""

    name: ClassVar[str] = "governance.approvals_delegated"
    delegation_id: int
    entity_id: int
    delegator_id: int
    delegate_id: int
    is_revoked: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DutiesChanged(Event):
    """What one person may do in an entity changed, or why a conflict of it is borne."""

    name: ClassVar[str] = "governance.duties_changed"
    user_id: int
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyActivated(Event):
    """A version of a policy is in force, now or at its date. `entity_id` null: everybody's."""

    name: ClassVar[str] = "governance.policy_activated"
    policy: str
    version_id: int
    number: int
    entity_id: int | None = None
    node: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReplayed(Event):
    """A replay of a version over recorded decisions has ended: done or failed."""

    name: ClassVar[str] = "governance.policy_replayed"
    replay_id: int
    version_id: int
    state: str
    entity_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRetired(Event):
    """A version of a policy was taken out of force or called off by a person."""

    name: ClassVar[str] = "governance.policy_retired"
    policy: str
    version_id: int
    number: int
    entity_id: int | None = None
    node: str = ""

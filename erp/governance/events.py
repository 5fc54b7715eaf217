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
    """An approval ended. `state` is approved, rejected or void; `decided_by_id` is 0 when void."""

    name: ClassVar[str] = "governance.approval_decided"
    approval_id: int
    entity_id: int
    document_kind: str
    document_id: int
    state: str
    decided_by_id: int
    reason: str = ""

    @property
    def key(self) -> str:
        return f"{self.document_kind}:{self.document_id}"


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
class PolicyRetired(Event):
    """A version of a policy was taken out of force or called off by a person."""

    name: ClassVar[str] = "governance.policy_retired"
    policy: str
    version_id: int
    number: int
    entity_id: int | None = None
    node: str = ""

"""Facts of transfers and counts. Quantities are decimals as text, in base units."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequested(Event):
    """Somebody asked for goods to go elsewhere."""

    name: ClassVar[str] = "inventory.transfer_requested"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferApproved(Event):
    """A transfer may go: its goods are kept at the origin."""

    name: ClassVar[str] = "inventory.transfer_approved"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPicked(Event):
    """The goods of a transfer are off the shelf."""

    name: ClassVar[str] = "inventory.transfer_picked"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferShipped(Event):
    """A transfer left: its goods are in transit, and a sale to a sister company is posted."""

    name: ClassVar[str] = "inventory.transfer_shipped"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferReceived(Event):
    """Everything of a transfer came, or nothing more of it will."""

    name: ClassVar[str] = "inventory.transfer_received"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFellShort(Event):
    """Less of a transfer came than left. `missing` is what nobody knows of, its worth `value`."""

    name: ClassVar[str] = "inventory.transfer_fell_short"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int
    missing: str
    value: str

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSettled(Event):
    """Somebody said what became of what was missing of a transfer: it is closed."""

    name: ClassVar[str] = "inventory.transfer_settled"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCancelled(Event):
    """A transfer will not go: what was kept for it is free again."""

    name: ClassVar[str] = "inventory.transfer_cancelled"
    transfer_id: int
    number: str
    entity_id: int
    to_entity_id: int
    origin_id: int
    destination_id: int
    reason: str

    @property
    def key(self) -> str:
        return f"transfer:{self.transfer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPlanned(Event):
    """A sheet waits to be counted."""

    name: ClassVar[str] = "inventory.count_planned"
    count_id: int
    number: str
    entity_id: int
    node_id: int

    @property
    def key(self) -> str:
        return f"count:{self.count_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSubmitted(Event):
    """A sheet was counted: its differences are approved, or in review."""

    name: ClassVar[str] = "inventory.count_submitted"
    count_id: int
    number: str
    entity_id: int
    node_id: int
    variance: str
    state: str

    @property
    def key(self) -> str:
        return f"count:{self.count_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountPosted(Event):
    """What a count found was posted to stock and ledger."""

    name: ClassVar[str] = "inventory.count_posted"
    count_id: int
    number: str
    entity_id: int
    node_id: int
    variance: str

    @property
    def key(self) -> str:
        return f"count:{self.count_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionPosted(Event):
    """Stock was adjusted, or changed its status; `value` is of all lines, without their signs."""

    name: ClassVar[str] = "inventory.correction_posted"
    correction_id: int
    number: str
    entity_id: int
    node_id: int
    kind: str
    value: str

    @property
    def key(self) -> str:
        return f"correction:{self.correction_id}"

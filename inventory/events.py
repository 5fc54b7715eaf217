"""Facts that inventory tells the other apps. Quantities are decimals as text, in base units."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReceived(Event):
    """Stock of a product became available at a node: whoever waits for it may be served."""

    name: ClassVar[str] = "inventory.stock_received"
    entity_id: int
    node_id: int
    product_id: int
    quantity: str

    @property
    def key(self) -> str:
        return f"node:{self.entity_id}:{self.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFell(Event):
    """Less of these products is available at a node. `product_ids` are separated by commas."""

    name: ClassVar[str] = "inventory.stock_fell"
    entity_id: int
    node_id: int
    product_ids: str

    @property
    def key(self) -> str:
        return f"node:{self.entity_id}:{self.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundChanged(Event):
    """What is on its way to a node is more, less, or comes on another day. `cause` says so.

    `product_ids` are separated by commas.
    """

    name: ClassVar[str] = "inventory.inbound_changed"
    entity_id: int
    node_id: int
    product_ids: str
    cause: str

    @property
    def key(self) -> str:
        return f"node:{self.entity_id}:{self.node_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentPlanned(Event):
    """A shipment waits to be picked."""

    name: ClassVar[str] = "inventory.shipment_planned"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentPicked(Event):
    """A shipment was picked, in full or short."""

    name: ClassVar[str] = "inventory.shipment_picked"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PickFellShort(Event):
    """A picker found less than planned. `missing` was moved out of available stock or released."""

    name: ClassVar[str] = "inventory.pick_fell_short"
    shipment_id: int
    shipment_line_id: int
    entity_id: int
    node_id: int
    product_id: int
    demand_id: int
    missing: str
    reason: str

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentPacked(Event):
    """A shipment is in its cartons."""

    name: ClassVar[str] = "inventory.shipment_packed"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentShipped(Event):
    """A shipment left the node: stock, cost of goods and the accrual are posted."""

    name: ClassVar[str] = "inventory.shipment_shipped"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentDelivered(Event):
    """The customer has the goods."""

    name: ClassVar[str] = "inventory.shipment_delivered"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentFailed(Event):
    """A shipment on its way did not arrive."""

    name: ClassVar[str] = "inventory.shipment_failed"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int
    reason: str

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentVoided(Event):
    """A shipment will not leave: what it held is on the shelf, or was not found."""

    name: ClassVar[str] = "inventory.shipment_voided"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int
    reason: str

    @property
    def key(self) -> str:
        return f"shipment:{self.shipment_id}"


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
class LotBlocked(Event):
    """A lot was stopped. Told to each owner and node where some of it lies."""

    name: ClassVar[str] = "inventory.lot_blocked"
    lot_id: int
    product_id: int
    code: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotExpiring(Event):
    """A lot will expire soon. Told once to each owner and node where some of it lies.

    `reserved` of `on_hand` is promised; `value` is what it is worth, in the owner's currency.
    """

    name: ClassVar[str] = "inventory.lot_expiring"
    lot_id: int
    product_id: int
    code: str
    expires_on: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotExpired(Event):
    """A lot expired: nothing of it is promised any more. Told once to each owner and node.

    `reserved` of `on_hand` was promised before; `value` is in the owner's currency.
    """

    name: ClassVar[str] = "inventory.lot_expired"
    lot_id: int
    product_id: int
    code: str
    expires_on: str
    entity_id: int
    node_id: int
    on_hand: str
    reserved: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationsExpired(Event):
    """What was kept for a while was given back. `demand_ids` are separated by commas."""

    name: ClassVar[str] = "inventory.reservations_expired"
    entity_id: int
    demand_kind: str
    demand_ids: str

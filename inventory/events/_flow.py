"""Facts of stock and shipments. Quantities are decimals as text, in base units."""

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
class CalendarChanged(Event):
    """A calendar has other days, or others follow it: promises by it may be others now.

    `followers` is empty, or names who came or went: "customers:ACME,FABER;nodes:DC-A".
    """

    name: ClassVar[str] = "inventory.calendar_changed"
    calendar_id: int
    code: str
    cause: str
    followers: str = ""

    @property
    def key(self) -> str:
        return f"calendar:{self.calendar_id}"


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
class ShipmentRerouted(Event):
    """A shipment got another carrier or day; `is_again` (1): it had failed and goes once more.

    `carrier_id` 0: the carrier is the same.
    """

    name: ClassVar[str] = "inventory.shipment_rerouted"
    shipment_id: int
    number: str
    entity_id: int
    source_id: int
    reason: str
    is_again: int = 0
    carrier_id: int = 0

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

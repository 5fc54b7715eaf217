"""Facts that procurement tells the other apps."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseProposed(Event):
    """Replenishment proposes to buy."""

    name: ClassVar[str] = "procurement.purchase_proposed"
    proposal_id: int
    entity_id: int
    node_id: int
    product_id: int
    quantity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderSubmitted(Event):
    """A purchase order waits for somebody else's approval."""

    name: ClassVar[str] = "procurement.purchase_order_submitted"
    order_id: int
    number: str
    entity_id: int
    total: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderApproved(Event):
    """A purchase order may be sent."""

    name: ClassVar[str] = "procurement.purchase_order_approved"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderSent(Event):
    """The supplier was told: the quantity counts as incoming."""

    name: ClassVar[str] = "procurement.purchase_order_sent"
    order_id: int
    number: str
    entity_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderReceived(Event):
    """Goods of a purchase order came in. `state` is partly_received or received."""

    name: ClassVar[str] = "procurement.purchase_order_received"
    order_id: int
    number: str
    entity_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderRescheduled(Event):
    """Goods of a purchase order come on another day. Dates are ISO, of the last line to come."""

    name: ClassVar[str] = "procurement.purchase_order_rescheduled"
    order_id: int
    number: str
    entity_id: int
    previous_date: str
    expected_date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderCancelled(Event):
    """A purchase order will bring nothing (more)."""

    name: ClassVar[str] = "procurement.purchase_order_cancelled"
    order_id: int
    number: str
    entity_id: int

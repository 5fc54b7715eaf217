"""What a supplier sent straight to a customer: received and shipped in one commit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.accounts.models import Entity, User
from erp.kernel.errors import DomainError
from finance.services._receiving import LotOnGoods, Marks, take_in
from finance.services._shipping import ship_shipments
from inventory.models import Shipment
from inventory.services.dropping import PassedLine, pass_through
from orders.services.dropping import keep_direct
from procurement.services import ReceivedOrder, record_received
from procurement.services.dropping import lock_addressees


class NotSentStraight(DomainError):
    """The purchase comes to us, or its goods may not leave for the customer now."""

    code: ClassVar[str] = "not_sent_straight"


@dataclass(frozen=True, slots=True)
class SentDirectly:
    """What a supplier sent straight: `cost` and `amount` (to be invoiced) in the entity's books."""

    receipt: str
    shipment_id: int
    shipment: str
    cost: Decimal
    amount: Decimal
    state: str


@transaction.atomic
def confirm_direct_shipment(
    *,
    order_id: int,
    lines: Sequence[tuple[int, Decimal]],
    actor: User | None,
    now: datetime,
    lots: Mapping[int, LotOnGoods] | None = None,
    serials: Mapping[int, Sequence[str]] | None = None,
    tracking: str = "",
) -> SentDirectly:
    """Note that a supplier sent goods straight to a customer: (line id, base units) for each line.

    One commit, for an instant the goods are ours: receipt at the order's prices against goods
    received and not billed, then the shipment of the customer's order, which costs what was paid
    for it, its accrual and the draft of its invoice. Nothing of it ever lies at a node, nor can
    another line take it. Locks the credit account, the customer's order, the purchase, then stock.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such purchase.
        NotSentStraight: it comes to us, or the customer's order is held or over.
        GoodsStopped: a hold keeps the order's goods from leaving.
        and what `receive_purchase_order` refuses.
    """
    lock_addressees(order_id=order_id)
    came = record_received(order_id=order_id, lines=lines, actor=actor, now=now)
    if came.for_id is None:
        raise NotSentStraight(f"{came.number} comes to us: receive it.")
    marks = Marks(lots or {}, serials or {})
    goods, _value = take_in(came, marks, actor, now)
    source = keep_direct(order_id=came.for_id, quantities=_quantities(came), now=now)
    if source is None:
        raise NotSentStraight("The customer's order is held or over: nothing may leave for it.")
    receipt_lines = {line.source_line_id: line.id for line in goods.lines}
    zone = Entity.objects.values_list("time_zone", flat=True).get(pk=came.entity_id)
    shipment_id, bought = pass_through(
        source=replace(source, ship_to=came.ship_to or source.ship_to),
        lines=[
            PassedLine(
                receipt_line_id=receipt_lines[line.line_id],
                demand_id=line.demand_id,
                serials=marks.serials.get(line.line_id, ()),
            )
            for line in came.lines
            if line.demand_id is not None
        ],
        tracking=tracking,
        today=now.astimezone(ZoneInfo(zone)).date(),
        actor=actor,
        now=now,
    )
    (shipped,) = ship_shipments(shipment_ids=[shipment_id], actor=actor, now=now, bought=bought)
    number = Shipment.objects.values_list("number", flat=True).get(pk=shipment_id)
    return SentDirectly(goods.number, shipment_id, number, shipped.cost, shipped.amount, came.state)


def _quantities(came: ReceivedOrder) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for line in came.lines:
        if line.demand_id is not None:
            found[line.demand_id] += line.quantity
    return found

"""A purchase order after its approval: sent, confirmed, received, closed or called off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, rows, run
from erp.outbox.publishing import publish
from procurement.events import (
    PurchaseOrderReceived,
    PurchaseOrderRescheduled,
    PurchaseOrderSent,
)
from procurement.models import PurchaseOrder
from procurement.rules import received_value
from procurement.services._announcing import announce
from procurement.services._chaining import order_act
from procurement.services._ordering import note
from procurement.services.dropping._binding import bind, lock_addressees, promise


class BadReceipt(DomainError):
    """What came in does not fit the order. `errors` names each field."""

    code: ClassVar[str] = "bad_receipt"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(f"{field}: {message}")


class NotIncoming(DomainError):
    """Nothing is expected of this order now."""

    code: ClassVar[str] = "not_incoming"


class UnknownLine(DomainError):
    """The order has no such line."""

    code: ClassVar[str] = "unknown_line"


@transaction.atomic
def send_order(*, order_id: int, actor: User | None, now: datetime) -> PurchaseOrder:
    """Tell the supplier. Sending again changes nothing.

    What goes straight to a customer is from now on kept for who waits for it; their order is locked
    first.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: it is not approved, or has gone further.
        NotWaitedFor: it goes straight to a customer who waits for less by now.

    Publishes:
        PurchaseOrderSent
    """
    told = lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state == PurchaseOrder.State.SENT:
        return order
    order.send(at=now)
    order.save(update_fields=["state", "sent_at"])
    if order.for_id is not None:
        bind(order, told, now)
    note(order, "send", actor, now, before="approved")
    announce(order.pk)
    publish(PurchaseOrderSent(order_id=order.pk, number=order.number, entity_id=order.entity_id))
    return order


@transaction.atomic
def acknowledge_order(
    *,
    order_id: int,
    actor: User | None,
    now: datetime,
    dates: Mapping[int, date] | None = None,
) -> PurchaseOrder:
    """Note that the supplier confirmed, with other dates for some lines (by line id) or as ordered.

    Confirming again changes nothing but the dates.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: it was not sent, or has gone further.
        UnknownLine: the order has no such line.
    """
    lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state != PurchaseOrder.State.ACKNOWLEDGED:
        order.acknowledge(at=now)
        order.save(update_fields=["state", "acknowledged_at"])
        note(order, "acknowledge", actor, now, before="sent")
    if dates:
        reschedule_order(order_id=order_id, dates=dates, actor=actor, now=now)
        order = PurchaseOrder.objects.get(pk=order_id)
    return order


RESCHEDULE = """
    UPDATE procurement_purchaseorderline l SET expected_date = asked.day
    FROM unnest(%(lines)s::bigint[], %(days)s::date[]) AS asked (id, day)
    WHERE l.id = asked.id AND l.order_id = %(order)s
"""
LAST_DAY = """
    SELECT max(expected_date) FROM procurement_purchaseorderline
    WHERE order_id = %(order)s AND (quantity > received OR %(all_in)s)
"""


@transaction.atomic
def reschedule_order(
    *, order_id: int, dates: Mapping[int, date], actor: User | None, now: datetime, reason: str = ""
) -> PurchaseOrder:
    """Change the days on which lines (by id) are expected; the order's day is that of the last one.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        NotIncoming: nothing is to come (any more).
        UnknownLine: the order has no such line.

    Publishes:
        PurchaseOrderRescheduled
    """
    lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state not in PurchaseOrder.UNDER_WAY:
        raise NotIncoming(f"Nothing more is to come of {order.number}.")
    asked = {"order": order.pk, "lines": list(dates), "days": list(dates.values()), "all_in": False}
    if run(RESCHEDULE, asked) != len(dates):
        raise UnknownLine(f"{order.number} has no such line.")
    previous = order.expected_date
    order.expected_date = rows(LAST_DAY, asked)[0][0] or previous
    order.save(update_fields=["expected_date"])
    days = {"expected_date": order.expected_date, "previous_date": previous}
    note(order, "reschedule", actor, now, after=days, reason=reason)
    announce(order.pk)
    if order.for_id is not None and order.state in PurchaseOrder.INCOMING:
        promise(order, f"{order.number} moved from {previous} to {order.expected_date}", now)
    if order.expected_date != previous:
        publish(
            PurchaseOrderRescheduled(
                order_id=order.pk,
                number=order.number,
                entity_id=order.entity_id,
                previous_date=previous.isoformat(),
                expected_date=order.expected_date.isoformat(),
            )
        )
    return order


@dataclass(frozen=True, slots=True)
class ReceivedOrderLine:
    """What came of one line: base units, worth `value` whole cents in the order's currency."""

    line_id: int
    product_id: int
    quantity: Decimal
    value: Decimal
    demand_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReceivedOrder:
    """What came of an order, ready to be taken into stock and books.

    Of one that the supplier sends straight to a customer: for which document, and where to.
    """

    order_id: int
    number: str
    entity_id: int
    node_id: int
    supplier_id: int
    currency: str
    state: str
    lines: Sequence[ReceivedOrderLine]
    for_id: int | None = None
    ship_to: Mapping[str, Any] | None = None


LINES = """
    SELECT id, product_id, quantity, received, unit_price, demand_id
    FROM procurement_purchaseorderline WHERE order_id = %(order)s ORDER BY id FOR NO KEY UPDATE
"""
RECEIVE = """
    UPDATE procurement_purchaseorderline l SET received = l.received + came.quantity
    FROM unnest(%(lines)s::bigint[], %(quantities)s::numeric[]) AS came (id, quantity)
    WHERE l.id = came.id
"""


@transaction.atomic
def record_received(
    *,
    order_id: int,
    lines: Sequence[tuple[int, Decimal]],
    now: datetime,
    actor: User | None = None,
) -> ReceivedOrder:
    """Note what came in, as (line id, base units); finance calls it, with stock and books.

    Locks the order and its lines. A line's deliveries add up to its rounded worth.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        NotIncoming: it was not sent, or everything has come.
        UnknownLine: the order has no such line.
        BadReceipt: nothing came, a quantity is not above zero or more than is outstanding.
        SecondPersonNeeded: the person approved the order.

    Publishes:
        PurchaseOrderReceived
    """
    order = PurchaseOrder.objects.lock(order_id)
    if order.state not in PurchaseOrder.INCOMING:
        said = PurchaseOrder.State(order.state).label.lower()
        raise NotIncoming(f"{order.number} cannot be received: it is {said}.")
    refuse_conflict(actor=actor, duty="procurement.receive", acts=[order_act(order)], now=now)
    standing = {row["id"]: row for row in records(LINES, {"order": order.pk})}
    came = _checked(order, standing, lines)
    run(RECEIVE, {"lines": list(came), "quantities": list(came.values())})
    former = str(order.state)
    outstanding = sum(
        (row["quantity"] - row["received"] - came.get(pk, 0) for pk, row in standing.items()),
        Decimal(0),
    )
    if outstanding > 0:
        order.receive_some()
    else:
        order.receive_all(at=now)
    order.save(update_fields=["state", "received_at"])
    received = [
        ReceivedOrderLine(
            pk,
            standing[pk]["product_id"],
            quantity,
            received_value(
                before=standing[pk]["received"], now=quantity, unit_price=standing[pk]["unit_price"]
            ),
            standing[pk]["demand_id"],
        )
        for pk, quantity in came.items()
    ]
    worth = sum((line.value for line in received), Decimal(0))
    note(order, "receive", actor, now, before=former, after={"lines": len(came), "value": worth})
    announce(order.pk)
    publish(
        PurchaseOrderReceived(
            order_id=order.pk,
            number=order.number,
            entity_id=order.entity_id,
            state=str(order.state),
        )
    )
    return ReceivedOrder(
        order.pk, order.number, order.entity_id, order.node_id, order.supplier_id, order.currency,
        str(order.state), received, order.for_id, order.ship_to,
    )  # fmt: skip


def _checked(
    order: PurchaseOrder,
    standing: Mapping[int, Mapping[str, Any]],
    lines: Sequence[tuple[int, Decimal]],
) -> dict[int, Decimal]:
    if not lines:
        raise BadReceipt("lines", "Say what came in.")
    came: dict[int, Decimal] = {}
    for number, (line_id, quantity) in enumerate(lines):
        field = f"lines[{number}].quantity"
        if line_id not in standing:
            raise UnknownLine(f"{order.number} has no line {line_id}.")
        if not quantity.is_finite() or quantity <= 0:
            raise BadReceipt(field, "The quantity must be above zero.")
        if round(quantity, 3) != quantity:
            raise BadReceipt(field, "A quantity has at most three decimals.")
        came[line_id] = came.get(line_id, Decimal(0)) + quantity
        left = standing[line_id]["quantity"] - standing[line_id]["received"]
        if came[line_id] > left:
            raise BadReceipt(field, f"Only {left.normalize():f} are still to come.")
    return came

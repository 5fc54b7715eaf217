"""Lets a released order follow its lines after they changed: credit, stock, state."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal

from erp.accounts.models import User
from erp.kernel.events import Event
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from inventory.services import void_shipment
from orders.events import OrderShipped
from orders.models import Order
from orders.rules import Progress
from orders.services._allocating import SERVED, serve
from orders.services._demanding import BY_ID, follow, heads, wants_of
from orders.services._withdrawing import COMMITMENT, Line, lines_of, unreserve

BEFORE_RELEASE = {Order.State.DRAFT, Order.State.SUBMITTED, Order.State.HELD}

RECOMMIT = COMMITMENT.format(sign="+")

OFF_THE_SHELF = """
    SELECT DISTINCT s.id FROM inventory_shipment s
    JOIN inventory_shipmentline l ON l.shipment_id = s.id AND l.demand_kind = 'orders.line'
    WHERE s.source_kind = 'orders.order' AND s.source_id = %(order)s
      AND s.state IN ('picked', 'packed') AND l.demand_id = ANY(%(lines)s)
    ORDER BY s.id
"""


def recommit(order_id: int) -> None:
    """Count a released order's open amount against its account again. One statement."""
    run(RECOMMIT, {"ids": [order_id]})


def put_back(
    order_id: int, line_ids: Collection[int], *, reason: str, actor: User | None, now: datetime
) -> set[int]:
    """Void the picked and packed shipments that hold any of these lines.

    Return every line that was on them: what is kept for it is to be planned anew.
    """
    found = rows(OFF_THE_SHELF, {"order": order_id, "lines": list(line_ids)})
    demands: set[int] = set()
    for (shipment_id,) in found:
        demands |= set(void_shipment(shipment_id=shipment_id, reason=reason, actor=actor, now=now))
    return demands


def free(line_ids: Collection[int], now: datetime) -> Mapping[int, Decimal]:
    """Give back what is kept for these lines and not picked; return how much, by line."""
    return unreserve(line_ids, now) if line_ids else {}


def follow_lines(
    order: Order, *, fresh: Collection[int], cause: str, now: datetime
) -> tuple[list[Event], list[Line]]:
    """Serve what began to wait (`fresh`), and move the order to where its lines are.

    Return what is to be told, and the lines as they stand then. Stock and orders are changed, no
    credit. An order that nobody allocated yet waits for its first turn.
    """
    rest = lines_of([order.pk])
    if not any(line.open for line in rest):
        return _all_gone(order, now), rest
    if order.state in BEFORE_RELEASE or order.state == Order.State.RELEASED:
        return [], rest
    wants = wants_of([order.pk]) if fresh else []
    if wants:
        chosen = heads(BY_ID, ids=[order.pk], states=[*SERVED, Order.State.ALLOCATED])
        serve(chosen, wants, cause=cause, now=now, fresh=set(fresh))
        return [], lines_of([order.pk])
    progress = Progress(
        ordered=sum((line.quantity - line.cancelled for line in rest), Decimal(0)),
        reserved=sum((line.reserved for line in rest), Decimal(0)),
        shipped=sum((line.shipped for line in rest), Decimal(0)),
    )
    follow({order.pk: progress}, {order.pk: order.state}, {})
    return [], rest


def _all_gone(order: Order, now: datetime) -> list[Event]:
    """Call an order shipped whose rest is not wanted any more, and invoiced where it is."""
    if not move(Order, "ship_all", [order.pk], shipped_at=now):
        return []
    billed = "SELECT bool_and(invoiced = shipped) FROM orders_orderline WHERE order_id = %s"
    if rows(billed, [order.pk])[0][0]:
        move(Order, "invoice", [order.pk], invoiced_at=now)
    return [OrderShipped(order_id=order.pk, number=order.number, entity_id=order.entity_id)]

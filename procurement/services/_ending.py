"""A purchase order that brings less, or nothing more: reduced, closed, called off."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import withdraw
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, run
from erp.outbox.publishing import publish
from procurement.events import PurchaseOrderCancelled
from procurement.models import PurchaseOrder
from procurement.rules import total_of
from procurement.services._announcing import announce
from procurement.services._approving import KIND
from procurement.services._following import LINES, NotIncoming, UnknownLine
from procurement.services._ordering import note
from procurement.services._replenishing import replenish
from procurement.services.dropping._binding import lock_addressees, unbind


class BadReduction(DomainError):
    """So much cannot be taken off a line."""

    code: ClassVar[str] = "bad_reduction"


REDUCE = """
    UPDATE procurement_purchaseorderline l SET quantity = l.quantity - less.quantity
    FROM unnest(%(lines)s::bigint[], %(cuts)s::numeric[]) AS less (id, quantity)
    WHERE l.id = less.id
"""


@transaction.atomic
def reduce_order(
    *,
    order_id: int,
    quantities: Mapping[int, Decimal],
    actor: User | None,
    reason: str,
    now: datetime,
) -> PurchaseOrder:
    """Take so much (by line id, base units) off what is still to come; the total follows.

    Something of each line must stay to come: close or cancel the order for more. Locks the order
    and its lines. What was taken off is not looked at again: whoever reduces buys it elsewhere.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        NotIncoming: nothing is to come (any more).
        UnknownLine: the order has no such line.
        BadReduction: a quantity is not above zero, or nothing of the line would still come.
    """
    lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state not in PurchaseOrder.INCOMING:
        raise NotIncoming(f"Nothing of {order.number} is to come.")
    standing = {row["id"]: row for row in records(LINES, {"order": order.pk})}
    for line_id, cut in quantities.items():
        if line_id not in standing:
            raise UnknownLine(f"{order.number} has no line {line_id}.")
        left = standing[line_id]["quantity"] - standing[line_id]["received"]
        if not cut.is_finite() or not 0 < cut < left or round(cut, 3) != cut:
            raise BadReduction(f"Take off more than nothing and less than {left.normalize():f}.")
    before = order.total
    if order.for_id is not None:
        unbind(order, now, quantities)
    run(REDUCE, {"lines": list(quantities), "cuts": list(quantities.values())})
    order.total = total_of(
        (row["quantity"] - quantities.get(pk, Decimal(0)), row["unit_price"])
        for pk, row in standing.items()
    )
    order.save(update_fields=["total"])
    said = {"total": order.total, "was": before, "lines": len(quantities)}
    note(order, "reduce", actor, now, after=said, reason=reason)
    announce(order.pk)
    return order


@transaction.atomic
def close_order(
    *, order_id: int, actor: User | None, now: datetime, reason: str = ""
) -> PurchaseOrder:
    """Expect nothing more of an order; what it still owed is looked at again by replenishment.

    Closing again changes nothing.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: nothing has come of it yet.
    """
    lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state == PurchaseOrder.State.CLOSED:
        return order
    former = str(order.state)
    order.close(at=now, reason=reason[:200])
    order.save(update_fields=["state", "closed_at", "close_reason"])
    note(order, "close", actor, now, before=former, reason=reason)
    announce(order.pk)
    if former == PurchaseOrder.State.PARTLY_RECEIVED and order.for_id is not None:
        unbind(order, now)
        publish(_nothing_more(order))
    elif former == PurchaseOrder.State.PARTLY_RECEIVED:
        replenish(keys=_keys(order), now=now, cause=f"{order.number} was closed short")
    return order


@transaction.atomic
def cancel_order(*, order_id: int, actor: User | None, reason: str, now: datetime) -> PurchaseOrder:
    """Call an order off before anything came; its needs are looked at again by replenishment.

    Cancelling again changes nothing.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: something has come of it.

    Publishes:
        PurchaseOrderCancelled
    """
    lock_addressees(order_id=order_id)
    order = PurchaseOrder.objects.lock(order_id)
    if order.state == PurchaseOrder.State.CANCELLED:
        return order
    former = str(order.state)
    order.cancel(at=now, reason=reason[:200])
    order.save(update_fields=["state", "closed_at", "close_reason"])
    withdraw(document_kind=KIND, document_id=order.pk, reason="The order was cancelled.", now=now)
    note(order, "cancel", actor, now, before=former, reason=reason)
    announce(order.pk)
    if order.for_id is None:
        replenish(keys=_keys(order), now=now, cause=f"{order.number} was cancelled")
    elif former in PurchaseOrder.INCOMING:
        unbind(order, now)
    publish(_nothing_more(order))
    return order


def _nothing_more(order: PurchaseOrder) -> PurchaseOrderCancelled:
    return PurchaseOrderCancelled(order_id=order.pk, number=order.number, entity_id=order.entity_id)


def _keys(order: PurchaseOrder) -> list[tuple[int, int, int]]:
    products = order.lines.values_list("product_id", flat=True)
    return [(order.entity_id, order.node_id, product) for product in products]

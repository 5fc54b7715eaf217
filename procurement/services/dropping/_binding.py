"""Ties a purchase that goes straight to a customer to the demand that it is for."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.selectors import Addressee, DirectDemand, direct_demand
from procurement.models import PurchaseOrder, PurchaseOrderLine

NOTHING = Decimal(0)
FOR = """
    SELECT demand_kind, array_agg(demand_id) FROM procurement_purchaseorderline
    WHERE order_id = %s AND demand_id IS NOT NULL GROUP BY demand_kind
"""


class NotWaitedFor(DomainError):
    """What the supplier is to send straight to a customer is not waited for any more."""

    code: ClassVar[str] = "not_waited_for"


def demand_of(kind: str) -> DirectDemand:
    """Return how demands of a kind follow what is sent straight to them."""
    found = direct_demand(kind)
    if found is None:
        raise NotWaitedFor("Nobody can say whom that is for.")
    return found


@transaction.atomic
def lock_addressees(*, order_id: int) -> dict[int, Addressee]:
    """Lock what a purchase is for, and return it by demand; nothing for one that comes to us.

    Whoever changes a purchase that goes straight to a customer calls it before it locks the
    purchase: documents of customers are locked first. Two statements for one that comes to us.

    Raises:
        NotWaitedFor: nobody can say whom it is for.
    """
    told: dict[int, Addressee] = {}
    for kind, ids in rows(FOR, [order_id]):
        told |= demand_of(kind).lock(demand_ids=ids)
    return told


def bind(order: PurchaseOrder, told: Mapping[int, Addressee], now: datetime) -> None:
    """Keep what a purchase brings for whom it is for, now that the supplier is told.

    From now on no stock is kept for so much of it. Call it with what `lock_addressees` returned.

    Raises:
        NotWaitedFor: less is waited for by now, or goods may not leave for it.
    """
    changes: dict[int, Decimal] = {}
    lines = list(order.lines.order_by("id"))
    for line in lines:
        whom = _addressee(line, told)
        changes[whom.demand_id] = changes.get(whom.demand_id, NOTHING) + line.quantity
        if whom.refusal:
            raise NotWaitedFor(whom.refusal)
        if changes[whom.demand_id] > whom.waits:
            raise NotWaitedFor(
                f"{whom.label} waits for {whom.waits.normalize():f} of it by now, not for"
                f" {changes[whom.demand_id].normalize():f}: cancel {order.number}."
            )
        order.ship_to = dict(whom.ship_to)
    if lines:
        order.save(update_fields=["ship_to"])
        demand_of(lines[0].demand_kind).hold(changes=changes)
        promise(order, f"{order.number} was sent to the supplier", now)


def unbind(
    order: PurchaseOrder, now: datetime, quantities: Mapping[int, Decimal] | None = None
) -> None:
    """Keep what a purchase will not bring for nobody any more: all, or so much by line id.

    What waited for it waits for stock again. The caller has locked what it is for.
    """
    changes: dict[int, Decimal] = {}
    kind = ""
    for line in order.lines.order_by("id"):
        left = line.quantity - line.received
        less = left if quantities is None else quantities.get(line.pk, NOTHING)
        if line.demand_id is not None and less > 0:
            kind = line.demand_kind
            changes[line.demand_id] = changes.get(line.demand_id, NOTHING) - less
    if changes:
        demand_of(kind).hold(changes=changes)


def promise(order: PurchaseOrder, cause: str, now: datetime) -> None:
    """Promise what a purchase is for by the days on which its lines leave the supplier."""
    leaves: dict[int, date] = {}
    kind = ""
    for line in order.lines.order_by("id"):
        if line.demand_id is not None and line.quantity > line.received:
            kind = line.demand_kind
            leaves[line.demand_id] = max(
                line.expected_date, leaves.get(line.demand_id, line.expected_date)
            )
    if leaves:
        demand_of(kind).promise(
            leaves=leaves,
            label=f"{order.supplier.name} · {order.number}"[:60],
            cause=cause,
            now=now,
        )


def _addressee(line: PurchaseOrderLine, told: Mapping[int, Addressee]) -> Addressee:
    whom = told.get(line.demand_id or 0)
    if whom is None:
        raise NotWaitedFor("What it is for is not there any more.")
    return whom

"""Keeps what customers and orders insist on, and has orders served by it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.outbox.publishing import publish_all
from orders.events import OrderAmended
from orders.models import Order, OrderLine
from orders.services._allowing import DAYS_MAX, keep_terms
from orders.services._following import BEFORE_RELEASE, follow_lines, free
from orders.services._locking import lock
from orders.services._refusing import BadReference
from orders.services._revising import OVER, TooLateToAmend

CAUSE = "Served otherwise"


@transaction.atomic
def insist_customer(
    *, customer_id: int, said: Mapping[str, Any], actor: User | None, now: datetime
) -> bool:
    """Bring what a customer insists on to what is said; tell if anything changed.

    What is kept for their orders already stays; it counts from the next allocation on.

    Raises:
        BadReference: one of it cannot be so, or is not there.
    """
    found = keep_terms(said, customer_id=customer_id)
    if found is None:
        return False
    change = Change(
        entity_id=None,
        action="orders.insist",
        subject_kind="orders.customer",
        subject_id=customer_id,
        thread=f"orders.customer:{customer_id}",
        before=found[0],
        after=found[1],
    )
    record(changes=[change], actor=actor, now=now)
    return True


@transaction.atomic
def insist_order(
    *, order_id: int, said: Mapping[str, Any], actor: User | None, now: datetime
) -> bool:
    """Bring what an order insists on to what is said, and serve it by that; tell if it changed.

    What is kept for it and not picked is given back and looked for anew. Locks the account, the
    order, then stock.

    Raises:
        Order.DoesNotExist: there is no such order.
        TooLateToAmend: all of it has left, or it was cancelled.
        BadReference: one of it cannot be so, or is not there.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        OrderAmended
    """
    lock([order_id])
    order = Order.objects.get(pk=order_id)
    if order.state in OVER:
        raise TooLateToAmend(f"{order.number} has left, or was cancelled: it stays as it is.")
    found = keep_terms(said, order_id=order_id)
    if found is None:
        return False
    _serve_anew(order, now)
    _record(order, found[0], found[1], actor, now)
    return True


@transaction.atomic
def insist_line(*, line_id: int, fresh_days: int | None, actor: User | None, now: datetime) -> bool:
    """Say how many days beyond its promise the lots of a line keep; none: as the customer says.

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        TooLateToAmend: all of its order has left, or it was cancelled.
        BadReference: so many days cannot be.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        OrderAmended
    """
    if fresh_days is not None and not 0 <= fresh_days <= DAYS_MAX:
        raise BadReference(f"It is a whole number up to {DAYS_MAX:,}.", "min_shelf_days")
    lock([OrderLine.objects.values_list("order_id", flat=True).get(pk=line_id)])
    line = OrderLine.objects.select_related("order").get(pk=line_id)
    if line.order.state in OVER:
        raise TooLateToAmend(f"{line.order.number} has left, or was cancelled.")
    if line.fresh_days == fresh_days:
        return False
    before = line.fresh_days
    line.fresh_days = fresh_days
    line.save(update_fields=["fresh_days"])
    _serve_anew(line.order, now)
    said = {"line": line.position, "min_shelf_days": fresh_days}
    _record(line.order, {"min_shelf_days": before}, said, actor, now)
    return True


def _serve_anew(order: Order, now: datetime) -> None:
    """Look anew for what is kept for an order and not picked."""
    Order.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    if order.state in BEFORE_RELEASE:
        return
    lines = list(OrderLine.objects.filter(order=order).values_list("pk", flat=True))
    free(lines, now)
    publish_all(follow_lines(order, fresh=lines, cause=CAUSE, now=now)[0])


def _record(
    order: Order,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor: User | None,
    now: datetime,
) -> None:
    change = Change(
        entity_id=order.entity_id,
        action="orders.insist",
        subject_kind="orders.order",
        subject_id=order.pk,
        thread=f"orders.order:{order.pk}",
        before=before,
        after=after,
    )
    record(changes=[change], actor=actor, now=now)
    told = OrderAmended(
        order_id=order.pk,
        number=order.number,
        entity_id=order.entity_id,
        revision=order.revision + 1,
    )
    publish_all([told])

"""Takes back orders and lines, and undoes all they caused."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction
from django.db.models import F

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.services import void_shipment
from orders.events import OrderCancelled
from orders.models import Hold, Order
from orders.rules import part_of
from orders.services._counting import count_agreed
from orders.services._exporting import give_back_licences
from orders.services._following import BEFORE_RELEASE, follow_lines
from orders.services._locking import lock
from orders.services._rechecking import clear_line_holds
from orders.services._withdrawing import Line, covered, lines_of, unreserve, withdraw_lines

OVER = {Order.State.SHIPPED, Order.State.INVOICED, Order.State.CLOSED}

CANCEL = """
    UPDATE orders_orderline l SET cancelled = l.cancelled + c.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS c (id, quantity)
    WHERE l.id = c.id
"""

UNCOMMIT = "UPDATE orders_creditaccount SET committed = committed - %(amount)s WHERE id = %(id)s"

OFF_THE_SHELF = """
    SELECT id FROM inventory_shipment
    WHERE source_kind = 'orders.order' AND source_id = %(order)s AND state IN ('picked', 'packed')
    ORDER BY id
"""

CANCEL_KITS = """
    UPDATE orders_kitline k SET cancelled = (
        SELECT floor(min(l.cancelled / l.per_kit)) FROM orders_orderline l WHERE l.kit_id = k.id
    )
    WHERE k.id IN (SELECT kit_id FROM orders_orderline WHERE id = ANY(%(ids)s))
"""

OF_KITS = """
    SELECT kit_id, id, cancelled, per_kit FROM orders_orderline
    WHERE order_id = %(order)s AND kit_id IS NOT NULL
"""

OF_LINES = "SELECT order_id FROM orders_orderline WHERE id = ANY(%(ids)s)"

RESTS = """
    SELECT l.id, l.waiting - l.direct
    FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
    WHERE l.id = ANY(%(ids)s) AND l.order_id = %(order)s AND l.disposition = 'cancel'
      AND l.waiting > l.direct
      AND NOT EXISTS (SELECT FROM orders_orderline s WHERE s.kit_id = l.kit_id
                      AND s.reserved + s.shipped > 0)
      AND o.state IN (
          'allocated', 'partly_allocated', 'backordered', 'fulfilling', 'partly_shipped'
      )
    ORDER BY l.id
"""

REASON_MAX = 200


class TooLateToCancel(DomainError):
    """The goods have left."""

    code: ClassVar[str] = "too_late_to_cancel"


class CannotCancelSoMuch(DomainError):
    """More is to be cancelled than is open, or it is picked already."""

    code: ClassVar[str] = "cannot_cancel_so_much"


class SentBySupplier(DomainError):
    """A supplier was told to send it straight to the customer, and has to be asked first."""

    code: ClassVar[str] = "sent_by_supplier"


class WholeKitsOnly(DomainError):
    """A kit is cancelled, picked and shipped whole."""

    code: ClassVar[str] = "whole_kits_only"


class CancelReasonMissing(DomainError):
    """Whoever cancels says why."""

    code: ClassVar[str] = "reason_missing"


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who wants what gone, why and when."""

    actor: User | None
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True)
class LineCancel:
    """So much of one line is not wanted any more, in base units; none: all that is open."""

    line_id: int
    quantity: Decimal | None = None


@transaction.atomic
def cancel_order(*, order_id: int, actor: User | None, reason: str, now: datetime) -> Order:
    """Cancel an order, or what has not left of it: stock, credit and shipments are given back.

    Of a partly shipped order the rest is cancelled, and it is then shipped. Cancelling again
    changes nothing. Locks the account, the order, then stock.

    Raises:
        Order.DoesNotExist: there is no such order.
        CancelReasonMissing: no reason is given.
        TooLateToCancel: all of it has left.
        SentBySupplier: a supplier was told to send some of it straight to the customer.

    Publishes:
        HoldLifted
        LineCovered
        OrderCancelled
        OrderReleased
        OrderShipped
    """
    wish = _Wish(actor, _reason(reason), now)
    lock([order_id])
    order = Order.objects.get(pk=order_id)
    if order.state == Order.State.CANCELLED:
        return order
    if order.state in OVER:
        raise TooLateToCancel(f"{order.number} has left: take the goods back by a return.")
    lines = lines_of([order_id])
    _refuse_sent({line.id: line.open for line in lines}, lines)
    if any(line.shipped for line in lines):
        _void_picked(order, wish)
        asked = {line.id: line.open for line in lines if line.open}
        return _cancel_some(order, lines, asked, wish)
    return _cancel_all(order, lines, wish)


@transaction.atomic
def cancel_lines(
    *, order_id: int, lines: Sequence[LineCancel], actor: User | None, reason: str, now: datetime
) -> Order:
    """Cancel quantities of some lines; what waits goes first, then what is reserved.

    When nothing is left to serve, the order is cancelled, or shipped where a part has left. A held
    order is asked again about what holds it for its lines, and goes on when nothing does.

    Raises:
        Order.DoesNotExist: there is no such order.
        CancelReasonMissing: no reason is given.
        TooLateToCancel: all of it has left, or it is cancelled.
        CannotCancelSoMuch: a line is not the order's, has less open, or is picked already.
        SentBySupplier: a supplier was told to send so much of it straight to the customer.

    Publishes:
        LineCovered
        OrderCancelled
        OrderShipped
    """
    wish = _Wish(actor, _reason(reason), now)
    lock([order_id])
    order = Order.objects.get(pk=order_id)
    if order.state in OVER or order.state == Order.State.CANCELLED:
        raise TooLateToCancel(f"Nothing of {order.number} is open.")
    found = {line.id: line for line in lines_of([order_id])}
    asked: dict[int, Decimal] = {}
    for index, each in enumerate(lines):
        line = found.get(each.line_id)
        quantity = line.open if line and each.quantity is None else each.quantity
        if line is None or quantity is None or not 0 <= quantity <= line.open:
            raise CannotCancelSoMuch(f"Line {index + 1}: so much is not open.")
        asked[line.id] = quantity
    _refuse_sent(asked, list(found.values()))
    if all(line.open == asked.get(line.id, 0) for line in found.values()) and not any(
        line.shipped for line in found.values()
    ):
        return _cancel_all(order, list(found.values()), wish)
    return _cancel_some(order, list(found.values()), asked, wish)


@transaction.atomic
def cancel_rests(*, line_ids: Collection[int], now: datetime) -> list[int]:
    """Cancel what still waits of lines whose customer does not wait; return the orders changed.

    Only lines that were entered so, and only of orders that allocation has served: what it could
    not give is not wanted. Cancelling again changes nothing.

    Publishes:
        LineCovered
        OrderCancelled
        OrderShipped
    """
    orders = sorted({row[0] for row in rows(OF_LINES, {"ids": list(line_ids)})})
    lock(orders)
    changed = []
    for order_id in orders:
        found = rows(RESTS, {"ids": list(line_ids), "order": order_id})
        if found:
            lines = [LineCancel(line_id, waiting) for line_id, waiting in found]
            said = "Stock fell short: the rest was not to wait"
            cancel_lines(order_id=order_id, lines=lines, actor=None, reason=said, now=now)
            changed.append(order_id)
    return changed


def _refuse_sent(asked: Mapping[int, Decimal], lines: Sequence[Line]) -> None:
    for line in lines:
        if line.direct and asked.get(line.id, 0) > line.open - line.direct:
            raise SentBySupplier(
                f"A supplier was told to send {line.direct.normalize():f} of line {line.position}"
                " straight to the customer: cancel that purchase first."
            )


def _cancel_all(order: Order, lines: Sequence[Line], wish: _Wish) -> Order:
    events: list[Event] = []
    before = order.state
    if order.state not in BEFORE_RELEASE:
        _void_picked(order, wish)
        events += withdraw_lines([order.pk], wish.now)
    cancel({line.id: line.open for line in lines if line.open})
    count_agreed([order.pk])
    move(Order, "cancel", [order.pk], cancel_reason=wish.reason, cancelled_at=wish.now)
    active = Hold.objects.filter(order_id=order.pk, state=Hold.State.ACTIVE)
    move(
        Hold,
        "lift",
        list(active.values_list("pk", flat=True)),
        lifted_at=wish.now,
        lift_reason="The order was cancelled",
    )
    events.append(
        OrderCancelled(
            order_id=order.pk, number=order.number, entity_id=order.entity_id, reason=wish.reason
        )
    )
    publish_all(events)
    return _finish(order, "orders.cancel", {"state": before}, wish)


def _cancel_some(
    order: Order, lines: Sequence[Line], asked: Mapping[int, Decimal], wish: _Wish
) -> Order:
    taken = [line for line in lines if asked.get(line.id)]
    before = order.state
    is_released = order.state not in BEFORE_RELEASE
    give_back_licences({line.id: line.quantity - line.cancelled - asked[line.id] for line in taken})
    reserved = [line.id for line in taken if asked[line.id] > line.idle]
    freed = unreserve(reserved, wish.now) if is_released and reserved else {}
    _refuse_broken_kits(order.pk, asked)
    for line in taken:
        if asked[line.id] > line.idle + freed.get(line.id, Decimal(0)):
            raise CannotCancelSoMuch(f"Line {line.position} is picked: void its shipment first.")
    cancel({line.id: asked[line.id] for line in taken})
    Order.objects.filter(pk=order.pk).update(revision=F("revision") + 1)
    count_agreed([order.pk])
    if is_released:
        amount = sum((_committed(line, asked[line.id]) for line in taken), Decimal(0))
        run(UNCOMMIT, {"amount": amount, "id": order.account_id})
        publish_all([covered(line) for line in taken if 0 < line.waiting <= asked[line.id]])
        publish_all(follow_lines(order, fresh=freed, cause="Quantity changed", now=wish.now)[0])
    else:
        publish_all(clear_line_holds(order, wish.actor, wish.now))
    said = {str(line.position): str(asked[line.id]) for line in taken}
    return _finish(order, "orders.cancel_lines", {"state": before, "cancelled": said}, wish)


def cancel(quantities: Mapping[int, Decimal]) -> None:
    """Note on lines how much more of them is not wanted. One statement."""
    run(CANCEL, {"ids": list(quantities), "quantities": list(quantities.values())})
    run(CANCEL_KITS, {"ids": list(quantities)})


def _refuse_broken_kits(order_id: int, asked: Mapping[int, Decimal]) -> None:
    kits: dict[int, set[Decimal]] = {}
    found = rows(OF_KITS, {"order": order_id})
    touched: dict[int, set[int]] = {}
    for kit_id, line_id, _, _ in found:
        touched.setdefault(kit_id, set()).add(line_id)
    for kit_id, line_id, cancelled, per_kit in found:
        whole = (cancelled + asked.get(line_id, Decimal(0))) / per_kit
        if asked.keys() & touched[kit_id]:
            kits.setdefault(kit_id, set()).add(whole)
    for wholes in kits.values():
        if len(wholes) > 1 or any(whole != int(whole) for whole in wholes):
            raise WholeKitsOnly("Cancel the same number of whole kits of each of its parts.")


def _committed(line: Line, quantity: Decimal) -> Decimal:
    """Return what cancelling so much of a line takes off its account's commitments."""
    done = line.shipped + line.cancelled
    after = part_of(line.amount, done + quantity, line.quantity)
    return after - part_of(line.amount, done, line.quantity)


def _void_picked(order: Order, wish: _Wish) -> None:
    for (shipment_id,) in rows(OFF_THE_SHELF, {"order": order.pk}):
        void_shipment(shipment_id=shipment_id, reason=wish.reason, actor=wish.actor, now=wish.now)


def _finish(order: Order, action: str, before: Mapping[str, object], wish: _Wish) -> Order:
    changed = Order.objects.get(pk=order.pk)
    change = Change(
        entity_id=order.entity_id,
        action=action,
        subject_kind="orders.order",
        subject_id=order.pk,
        thread=f"orders.order:{order.pk}",
        before=before,
        after={"state": str(changed.state)},
        reason=wish.reason,
    )
    record(changes=[change], actor=wish.actor, now=wish.now)
    return changed


def _reason(text: str) -> str:
    if not text.strip():
        raise CancelReasonMissing("Say why it is cancelled.")
    return text.strip()[:REASON_MAX]

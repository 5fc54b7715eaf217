"""Changes orders until the goods leave: undoes what the old state caused, asks what changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Sum

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.money import CENT
from erp.kernel.sql import run
from erp.outbox.publishing import publish_all
from orders.events import OrderAmended
from orders.models import Hold, Order, OrderLine
from orders.rules import AMOUNT_MAX, in_cents, is_exact
from orders.services._counting import agreed_lines, count_lines
from orders.services._drafting import LineDraft, address_refusal
from orders.services._exporting import give_back_licences, take_licences
from orders.services._following import (
    BEFORE_RELEASE,
    follow_lines,
    free,
    put_back,
    recommit,
)
from orders.services._locking import lock
from orders.services._rechecking import ask_again, let_go, lift_cleared, line_holds, stop
from orders.services._refusing import BadAmount, BadReference
from orders.services._rewriting import Goal, LineChange, goal_of, write
from orders.services._withdrawing import UNCOMMIT, Line, covered, lines_of

OVER = {Order.State.SHIPPED, Order.State.INVOICED, Order.State.CLOSED, Order.State.CANCELLED}
ON_THE_LABEL = {"ship_to", "carrier_id"}  # what is packed for the old one is unpacked
PLANNED_BY = {"requested_date", "ship_complete", "no_split", *ON_THE_LABEL}
CAUSE = "Amended"
Kind = Hold.Kind
ASKED_BY: Mapping[str, Sequence[Hold.Kind]] = {
    "lines": [Kind.COMPLETENESS, Kind.COMPLIANCE, Kind.PRICE, Kind.MARGIN, Kind.PROMISE],
    "ship_to": [Kind.COMPLETENESS, Kind.COMPLIANCE, Kind.PROMISE],
    "customer_po": [Kind.COMPLETENESS],
    "requested_date": [Kind.PROMISE],
    "freight": [Kind.MARGIN],
}


class TooLateToAmend(DomainError):
    """The goods have left, or the order was cancelled."""

    code: ClassVar[str] = "too_late_to_amend"


class OrderChanged(DomainError):
    """Somebody else changed the order in the meantime."""

    code: ClassVar[str] = "order_changed"


class NothingLeft(DomainError):
    """Nothing would be left of the order: cancel it instead."""

    code: ClassVar[str] = "nothing_left"


class FreightInvoiced(DomainError):
    """The freight was invoiced before."""

    code: ClassVar[str] = "freight_invoiced"


@dataclass(frozen=True, slots=True)
class Amendment:
    """What is to change of an order; none stays.

    `lines` hold changes of lines and, as drafts, lines that are added. `ship_to` replaces the
    address. `freight` is whole cents of the order's currency.
    """

    lines: Sequence[LineChange | LineDraft] = ()
    customer_po: str | None = None
    external_ref: str | None = None
    requested_date: date | None = None
    ship_to: Mapping[str, Any] | None = None
    carrier_id: int | None = None
    freight: Decimal | None = None
    ship_complete: bool | None = None
    no_split: bool | None = None
    no_substitutes: bool | None = None
    reason: str = ""

    def head(self) -> dict[str, Any]:
        """Return the columns of the order that are named."""
        names = (
            "customer_po", "external_ref", "requested_date", "ship_to", "carrier_id", "freight",
            "ship_complete", "no_split", "no_substitutes",
        )  # fmt: skip
        named = {name: getattr(self, name) for name in names}
        return {name: value for name, value in named.items() if value is not None}


@dataclass
class _Work:
    """One amendment on its way: what stands, what it comes to, who wants it and why."""

    order: Order
    lines: dict[int, OrderLine]
    head: dict[str, Any]
    goal: Goal
    actor: User | None
    reason: str
    now: datetime
    fresh: set[int] = field(default_factory=set)

    @property
    def is_released(self) -> bool:
        return self.order.state not in BEFORE_RELEASE


@transaction.atomic
def amend_order(
    *,
    order_id: int,
    amendment: Amendment,
    actor: User | None,
    now: datetime,
    revision: int | None = None,
) -> Order:
    """Change an order of which not all has left, and undo and redo what follows from the change.

    Stock that is no longer wanted is given back, what is newly wanted is kept, shipments that have
    not left are planned anew, credit is committed anew. Asked again is only what changed: a raised
    amount asks credit, another address or product asks completeness; a date asks neither. What does
    not pass is held; an order being picked cannot be, so that it is refused. What has left stays as
    it was. With `revision`, only if nobody changed the order since. Changing nothing changes
    nothing. Locks the account, the order, then stock.

    Raises:
        Order.DoesNotExist: there is no such order.
        TooLateToAmend: all of it has left, or it was cancelled.
        OrderChanged: its revision is another one.
        NothingLeft: every line would be taken off.
        FreightInvoiced: the freight was invoiced.
        NotWhilePicked: what changed does not pass a check, and the order is being picked.
        MoreThanAgreed: it would take more of a quote or blanket order than is left.
        DraftRefused: a line or field cannot be so; `errors` names it.

    Publishes:
        LineCovered
        LineFellShort
        OrderAllocated
        OrderAmended
        OrderHeld
        OrderReleased
    """
    lock([order_id])
    order = Order.objects.get(pk=order_id)
    _refuse_late(order, revision)
    lines = {line.pk: line for line in OrderLine.objects.filter(order=order).order_by("position")}
    head = {n: v for n, v in amendment.head().items() if v != getattr(order, n)}
    _refuse_head(order, lines, head)
    goal = goal_of(order, lines, amendment.lines, now)
    if not (head or goal):
        return order
    if not goal.added and not any(goal.open_of(line) + line.shipped for line in lines.values()):
        raise NothingLeft(f"Nothing would be left of {order.number}: cancel it.")
    work = _Work(order, lines, head, goal, actor, amendment.reason.strip()[:300], now)
    events = _apply(work)
    publish_all(events)
    return Order.objects.get(pk=order_id)


def _refuse_late(order: Order, revision: int | None) -> None:
    if order.state in OVER:
        said = "was cancelled" if order.state == Order.State.CANCELLED else "has left"
        raise TooLateToAmend(f"{order.number} {said}: it cannot be changed any more.")
    if revision is not None and revision != order.revision:
        raise OrderChanged(
            f"Somebody else changed {order.number} (revision {order.revision}): look at it again."
        )


def _refuse_head(order: Order, lines: Mapping[int, OrderLine], head: Mapping[str, Any]) -> None:
    refusal = address_refusal(head)
    if refusal is not None:
        raise refusal
    if head.keys() & {"ship_to", "ship_complete", "no_split"} and any(
        line.direct for line in lines.values()
    ):
        field = next(name for name in ("ship_to", "ship_complete", "no_split") if name in head)
        said = "A supplier was told to send some of it straight to the customer."
        raise BadReference(said, field)
    freight = head.get("freight")
    if freight is None:
        return
    if not is_exact(freight, CENT, AMOUNT_MAX) or freight < 0:
        raise BadAmount("Freight is zero or more, in whole cents.", "freight")
    if any(line.invoiced for line in lines.values()):
        raise FreightInvoiced(f"The freight of {order.number} is invoiced already.")


def _apply(work: _Work) -> list[Event]:
    order, now = work.order, work.now
    before, waited = _story(work), {i for i, line in work.lines.items() if line.waiting > 0}
    committed = _commitment(order)
    if work.is_released:
        run(UNCOMMIT, {"ids": [order.pk]})
        give_back_licences({line.pk: line.shipped for line in work.lines.values()})
        _take_back(work)
    taken = agreed_lines(order.pk)
    _write(work)
    count_lines(taken, agreed_lines(order.pk))
    raised = _commitment(order) > committed
    kinds = _asked(work) | ({Kind.CREDIT.value} if raised else set())
    rank = bool(work.goal) or "requested_date" in work.head
    found = ask_again(order.pk, kinds=kinds, rank=rank, now=now)
    events = lift_cleared(order, found, work.actor, now)
    if found.stops:
        events += stop(order, found, now)
        if work.is_released:
            free(list(work.lines), now)
            events += [covered(line) for line in lines_of([order.pk]) if line.id in waited]
    elif work.is_released:
        recommit(order.pk)
        take_licences([order.pk], now)
        told, rest = follow_lines(order, fresh=work.fresh, cause=CAUSE, now=now)
        events += told + _covered(order, rest, waited & _settled(work))
    else:
        events += let_go(order, found, now)
    _record(work, before)
    if order.state != Order.State.DRAFT:
        events.append(_amended(order))
    return events


def _asked(work: _Work) -> set[str]:
    """Return the checks but credit that depend on what changed.

    Lines that are taken off ask what holds the order for its lines, and its margin: nothing else
    can become worse by it.
    """
    changed = {*work.head}
    if work.goal.rewritten or work.goal.added:
        changed.add("lines")
    asked = {kind.value for name in changed for kind in ASKED_BY.get(name, ())}
    if work.is_released:
        # What is kept for a released order must not count against its own promise.
        return asked - {Kind.PROMISE.value}
    if work.goal.cancelled:
        asked.add(Kind.MARGIN.value)
    return asked | (line_holds(work.order.pk) if work.goal else set())


def _take_back(work: _Work) -> None:
    """Give back what is kept for the wrong thing, the wrong place or too much of it."""
    order, goal = work.order, work.goal
    tight = {
        line.pk
        for line in work.lines.values()
        if line.reserved and (line.reserved > goal.open_of(line) or goal.moves(line))
    }
    kept = {line.pk for line in work.lines.values() if line.reserved}
    unpack = kept if ON_THE_LABEL & work.head.keys() else tight
    wanted = kept if PLANNED_BY & work.head.keys() else tight
    if unpack:
        reason = work.reason or CAUSE
        wanted |= put_back(order.pk, unpack, reason=reason, actor=work.actor, now=work.now)
    work.fresh |= set(free(sorted(wanted), work.now))


def _write(work: _Work) -> None:
    order, head = work.order, work.head
    last = max((line.position for line in work.lines.values()), default=0)
    work.fresh |= set(write(order, work.goal, last))
    subtotal = order.lines.aggregate(sum=Sum("amount"))["sum"]
    total = in_cents(subtotal + head.get("freight", order.freight))
    if total > AMOUNT_MAX:
        raise BadAmount("The order's total is too large.", "lines")
    columns = {**head, "subtotal": subtotal, "total": total}
    if order.state != Order.State.DRAFT:
        columns["revision"] = order.revision + 1
    Order.objects.filter(pk=order.pk).update(**columns)


def _commitment(order: Order) -> Decimal:
    """Return what the order commits if it is released, to a hundredth of a cent."""
    return sum((line.worth for line in lines_of([order.pk])), Decimal(0)) + (
        Order.objects.values_list("freight", flat=True).get(pk=order.pk)
    )


def _settled(work: _Work) -> set[int]:
    return work.fresh | set(work.goal.cancelled)


def _covered(order: Order, rest: Sequence[Line], asked: set[int]) -> list[Event]:
    return [covered(line) for line in rest if line.id in asked and not line.waiting]


def _amended(order: Order) -> OrderAmended:
    return OrderAmended(
        order_id=order.pk,
        number=order.number,
        entity_id=order.entity_id,
        revision=order.revision + 1,
    )


def _story(work: _Work) -> dict[str, Any]:
    """Return what is changed as it stands, for the audit."""
    touched = {line.pk for line, _ in work.goal.rewritten}
    touched |= set(work.goal.cancelled) | set(work.goal.marked)
    return {
        **{name: _plain(getattr(work.order, name)) for name in work.head},
        "total": f"{work.order.total:f}",
        "lines": {
            str(each.position): _said(each) for each in work.lines.values() if each.pk in touched
        },
    }


def _record(work: _Work, before: Mapping[str, Any]) -> None:
    order = Order.objects.get(pk=work.order.pk)
    known = {str(line.position) for line in work.lines.values()}
    lines = {str(line.position): _said(line) for line in order.lines.order_by("position")}
    change = Change(
        entity_id=order.entity_id,
        action="orders.amend",
        subject_kind="orders.order",
        subject_id=order.pk,
        thread=f"orders.order:{order.pk}",
        before={**before, "state": str(work.order.state)},
        after={
            **{name: _plain(getattr(order, name)) for name in work.head},
            "total": f"{order.total:f}",
            "lines": {p: s for p, s in lines.items() if p in before["lines"] or p not in known},
            "state": str(order.state),
            "revision": order.revision,
        },
        reason=work.reason,
    )
    record(changes=[change], actor=work.actor, now=work.now)


def _said(line: OrderLine) -> str:
    ordered = line.quantity - line.cancelled
    text = f"{ordered.normalize():f} at {line.unit_price.normalize():f}"
    return text + (f" less {(line.discount * 100).normalize():f} %" if line.discount else "")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value

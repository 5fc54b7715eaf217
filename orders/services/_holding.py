"""Stops orders by hand, and lets stopped ones go on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.selectors import same_person
from erp.governance.services import Change, keep_answers, record, refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from orders.events import HoldLifted
from orders.models import Hold, Order
from orders.services._chaining import order_acts
from orders.services._checking import Case, Stop, cases_of, check_credit, credit_stops
from orders.services._locking import lock
from orders.services._releasing import held, place, release
from orders.services._withdrawing import withdraw_lines

ROLE = """
    SELECT EXISTS (
        SELECT FROM accounts_roleassignment
        WHERE user_id = %(user)s AND entity_id = %(entity)s AND role = %(role)s
          AND (valid_from IS NULL OR valid_from <= %(now)s)
          AND (valid_until IS NULL OR valid_until > %(now)s)
    )
"""

WAITING_FOR_CREDIT = """
    SELECT o.id FROM orders_order o
    WHERE o.account_id = ANY(%(accounts)s) AND o.state = 'held'
      AND EXISTS (SELECT FROM orders_hold h
                  WHERE h.order_id = o.id AND h.kind = 'credit' AND h.state = 'active')
"""

ACTIVE_CREDIT = """
    SELECT order_id, id FROM orders_hold
    WHERE order_id = ANY(%(orders)s) AND kind = 'credit' AND state = 'active'
"""


class ReasonMissing(DomainError):
    """Whoever stops an order or lets it go on says why."""

    code: ClassVar[str] = "reason_missing"


class HoldNotActive(DomainError):
    """The hold was lifted before."""

    code: ClassVar[str] = "hold_not_active"


class NotHoldOwner(DomainError):
    """Only the role that owns a hold lifts it."""

    code: ClassVar[str] = "not_hold_owner"


class OwnOrder(DomainError):
    """Whoever wrote an order lifts none of its holds."""

    code: ClassVar[str] = "own_order"


class CannotHold(DomainError):
    """The order is being picked, has left or is cancelled: there is nothing to stop."""

    code: ClassVar[str] = "cannot_hold"


@transaction.atomic
def lift_hold(*, hold_id: int, actor: User, reason: str, now: datetime) -> Order:
    """Lift one hold; when it was the last, the order goes on from where it was stopped.

    Credit is then asked again under the account's lock, unless its owner has just lifted it: the
    limit may be used up by now. Lifting again by the same person changes nothing. Publishes
    HoldLifted, OrderReleased, and OrderHeld where credit stops it anew.

    Raises:
        Hold.DoesNotExist: there is no such hold.
        ReasonMissing: no reason is given.
        NotHoldOwner: the person does not hold the owning role in the order's entity.
        OwnOrder: the person wrote the order, or is the same employee as who did.
        DutyConflict: they raised this customer's limit, or changed a price or terms, lately.
        HoldNotActive: somebody else lifted it.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the hold is lifted.")
    order_id = Hold.objects.values_list("order_id", flat=True).get(pk=hold_id)
    lock([order_id])
    hold = Hold.objects.select_for_update().get(pk=hold_id)
    _refuse_unfit([hold], actor, now)
    _lift(hold, actor, reason.strip(), now)
    return Order.objects.get(pk=order_id)


@transaction.atomic
def lift_holds(*, order_id: int, actor: User, reason: str, now: datetime) -> Order:
    """Lift every active hold of an order, or none; see `lift_hold`.

    Raises:
        Order.DoesNotExist: there is no such order.
        ReasonMissing: no reason is given.
        HoldNotActive: nothing holds the order.
        NotHoldOwner: the person does not hold the owning role of one of them.
        OwnOrder: the person wrote the order, or is the same employee as who did.
        DutyConflict: they raised this customer's limit, or changed a price or terms, lately.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the hold is lifted.")
    lock([order_id])
    holds = Hold.objects.select_for_update().filter(order_id=order_id, state=Hold.State.ACTIVE)
    found = list(holds.order_by("pk"))
    if not found:
        raise HoldNotActive("Nothing holds this order.")
    _refuse_unfit(found, actor, now)
    for hold in found:
        _lift(hold, actor, reason.strip(), now)
    return Order.objects.get(pk=order_id)


@transaction.atomic
def place_hold(
    *,
    order_id: int,
    reason: str,
    actor: User | None,
    now: datetime,
    owner_role: str = "operations_lead",
) -> Order:
    """Stop an order by hand: what is reserved for it is given back until the hold is lifted.

    A draft keeps the hold for when it is submitted. Publishes OrderHeld, and LineCovered for lines
    that waited for stock.

    Raises:
        Order.DoesNotExist: there is no such order.
        ReasonMissing: no reason is given.
        CannotHold: it is being picked, has left or is cancelled.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the order is stopped.")
    lock([order_id])
    case = cases_of([order_id], now)[0]
    quiet = {Order.State.DRAFT, Order.State.HELD}
    events: list[Event] = []
    if case.state not in quiet:
        if not move(Order, "hold", [order_id]):
            raise CannotHold(f"{case.number} is {case.state.replace('_', ' ')}: too late to stop.")
        events += withdraw_lines([order_id], now)
    kind = Hold.Kind.MANUAL.value
    place([Stop(case, kind, owner_role, reason.strip())], now)
    if case.state != Order.State.DRAFT:
        events.append(held(case, sorted({*case.active_holds, kind})))
    _record([case], "orders.hold", actor, reason.strip(), now)
    publish_all(events)
    return Order.objects.get(pk=order_id)


@transaction.atomic
def reevaluate_credit_holds(
    *, account_ids: Collection[int], cause: str, now: datetime
) -> list[int]:
    """Ask credit again for the held orders of these accounts; return which went on by it.

    In turn of priority and id, each that passes uses up its part of the limit. `cause` is what
    changed (a payment, a limit) and stands as the reason. Publishes HoldLifted and OrderReleased.
    """
    waiting = [row[0] for row in rows(WAITING_FOR_CREDIT, {"accounts": list(account_ids)})]
    if not waiting:
        return []
    lock(waiting)
    cases = [
        case
        for case in cases_of(waiting, now)
        if case.state == Order.State.HELD and Hold.Kind.CREDIT in case.active_holds
    ]
    cases.sort(key=lambda case: (case.priority, case.id))
    others = {case.id for case in cases if len(case.active_holds) > 1}
    answers = [
        (case, answer)
        for case, answer in zip(cases, check_credit(cases, others), strict=True)
        if not answer.decision.outcome["hold"]
    ]
    if not answers:
        return []
    passing = [case for case, _answer in answers]
    keep_answers(answers=[answer for _case, answer in answers], now=now)
    holds = dict(rows(ACTIVE_CREDIT, {"orders": [case.id for case in passing]}))
    move(Hold, "lift", list(holds.values()), lifted_at=now, lift_reason=cause[:300])
    go_on = [case for case in passing if case.id not in others]
    events: list[Event] = [_lifted(holds[c.id], c, Hold.Kind.CREDIT.value) for c in passing]
    events += release(go_on, now)
    _record(passing, "orders.lift_credit_hold", None, cause, now)
    publish_all(events)
    return [case.id for case in go_on]


def _lift(hold: Hold, actor: User, reason: str, now: datetime) -> None:
    case = cases_of([hold.order_id], now)[0]
    if hold.state != Hold.State.ACTIVE:
        return
    hold.lift(by_id=actor.pk, at=now, reason=reason[:300])
    hold.save(update_fields=["state", "lifted_by", "lifted_at", "lift_reason"])
    events: list[Event] = [_lifted(hold.pk, case, hold.kind), *_go_on([hold.order_id], now)]
    _record([case], f"orders.lift_{hold.kind}_hold", actor, reason, now)
    publish_all(events)


def _go_on(order_ids: Sequence[int], now: datetime) -> list[Event]:
    """Release held orders without any hold, as far as credit allows; return what is to be told."""
    cases = [case for case in cases_of(order_ids, now) if not case.active_holds]
    cases = [case for case in cases if case.state == Order.State.HELD]
    unasked = [case for case in cases if not case.credit_lifted]
    answers = check_credit(unasked, ()) if unasked else []
    keep_answers(answers=answers, now=now)
    stops = credit_stops(unasked, answers)
    place(stops, now)
    stopped = {stop.case.id for stop in stops}
    events = release([case for case in cases if case.id not in stopped], now)
    return events + [held(stop.case, [stop.kind]) for stop in stops]


def _refuse_unfit(holds: Sequence[Hold], actor: User, now: datetime) -> None:
    """Refuse who may not lift these holds of one order: by role, as its author, by what they did.

    Active holds and those that the person lifted already; the latter ask no more.
    """
    case = cases_of([holds[0].order_id], now)[0]
    for hold in holds:
        if hold.state != Hold.State.ACTIVE and hold.lifted_by_id != actor.pk:
            raise HoldNotActive(f"The {hold.get_kind_display().lower()} hold was lifted before.")
        owner = {"user": actor.pk, "entity": case.entity_id, "role": hold.owner_role, "now": now}
        if not rows(ROLE, owner)[0][0]:
            said = hold.owner_role.replace("_", " ")
            raise NotHoldOwner(f"This hold is lifted by {said} only.")
    if same_person(one=actor, others=[case.created_by_id]):
        raise OwnOrder(f"You wrote {case.number}: somebody else lifts its holds.")
    if any(hold.state == Hold.State.ACTIVE for hold in holds):
        refuse_conflict(actor=actor, duty="orders.lift_hold", acts=order_acts([case.id]), now=now)


def _lifted(hold_id: int, case: Case, kind: str) -> HoldLifted:
    return HoldLifted(
        hold_id=hold_id,
        order_id=case.id,
        number=case.number,
        entity_id=case.entity_id,
        kind=kind,
    )


def _record(
    cases: Sequence[Case], action: str, actor: User | None, reason: str, now: datetime
) -> None:
    """Write one entry per order, with the state it is in now."""
    states = dict(
        Order.objects.filter(pk__in=[case.id for case in cases]).values_list("pk", "state")
    )
    changes = [
        Change(
            entity_id=case.entity_id,
            action=action,
            subject_kind="orders.order",
            subject_id=case.id,
            thread=f"orders.order:{case.id}",
            before={"state": case.state, "holds": case.active_holds},
            after={"state": states[case.id]},
            reason=reason[:300],
        )
        for case in cases
    ]
    record(changes=changes, actor=actor, now=now)

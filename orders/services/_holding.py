"""Stops orders by hand, and lets stopped ones go on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import refuse_conflict
from erp.kernel.errors import DomainError
from erp.kernel.events import Event
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from orders.models import Hold, Order
from orders.services._chaining import order_acts
from orders.services._checking import Case, Stop, cases_of
from orders.services._locking import lock
from orders.services._releasing import held, place
from orders.services._resuming import Told, go_on, lifted, record_each
from orders.services._withdrawing import withdraw_lines

ROLES = """
    SELECT entity_id, role FROM accounts_roleassignment
    WHERE user_id = %(user)s AND entity_id = ANY(%(entities)s)
      AND (valid_from IS NULL OR valid_from <= %(now)s)
      AND (valid_until IS NULL OR valid_until > %(now)s)
"""

SAME_PERSON = """
    SELECT id FROM accounts_user
    WHERE id = ANY(%(users)s) AND (id = %(actor)s OR (employee_ref = %(ref)s AND %(ref)s <> ''))
"""

ACTIVE = """
    SELECT id, kind FROM orders_hold
    WHERE order_id = ANY(%(orders)s) AND state = 'active' ORDER BY order_id, id
"""

FORCE = """
    UPDATE orders_hold SET is_forced = true WHERE order_id = ANY(%(orders)s) AND state = 'active'
"""

HOLDS_MAX = 1_000
DUTY = "orders.lift_hold"


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


class TooManyHolds(DomainError):
    """More holds than one call may lift."""

    code: ClassVar[str] = "too_many_holds"


class LiftEndsInThePast(DomainError):
    """A lift is good for today at least."""

    code: ClassVar[str] = "lift_ends_in_the_past"


@dataclass(frozen=True, slots=True)
class LiftedHold:
    """What lifting one hold of many came to: the order's state now, or why it was refused."""

    hold_id: int
    order_id: int
    number: str
    state: str
    refusal: DomainError | None = None


@transaction.atomic
def lift_hold(
    *, hold_id: int, actor: User, reason: str, now: datetime, valid_until: date | None = None
) -> Order:
    """Lift one hold; when it was the last, the order goes on from where it was stopped.

    Credit is then asked again under the account's lock, unless its owner has just lifted it: the
    limit may be used up by now. A lift may be good up to and with `valid_until` only. Lifting again
    by the same person changes nothing. Publishes HoldLifted, OrderReleased, and OrderHeld where
    credit stops it anew.

    Raises:
        Hold.DoesNotExist: there is no such hold.
        ReasonMissing: no reason is given.
        LiftEndsInThePast: the lift would not be good today.
        NotHoldOwner: the person does not hold the owning role in the order's entity.
        OwnOrder: the person wrote the order, or is the same employee as who did.
        DutyConflict: they raised this customer's limit, or changed a price or terms, lately.
        HoldNotActive: somebody else lifted it.
    """
    order_id = Hold.objects.values_list("order_id", flat=True).get(pk=hold_id)
    for each in _lift([hold_id], [order_id], actor, reason, now=now, valid_until=valid_until):
        if each.refusal is not None:
            raise each.refusal
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
    lock([order_id])
    found = [row[0] for row in rows(ACTIVE, {"orders": [order_id]})]
    if reason.strip() and not found:
        raise HoldNotActive("Nothing holds this order.")
    for each in _lift(found, [order_id], actor, reason, now=now):
        if each.refusal is not None:
            raise each.refusal
    return Order.objects.get(pk=order_id)


@transaction.atomic
def lift_holds_bulk(
    *,
    order_ids: Collection[int],
    actor: User,
    reason: str,
    now: datetime,
    kinds: Collection[str] | None = None,
    valid_until: date | None = None,
) -> list[LiftedHold]:
    """Lift the active holds of many orders (of `kinds` only), each that the person may lift.

    One answer for each hold, by order and hold; what is refused stays as it is. A dozen statements
    for any number. Locks accounts and orders. Publishes as `lift_hold` does.

    Raises:
        Order.DoesNotExist: there is no such order.
        ReasonMissing: no reason is given.
        LiftEndsInThePast: the lift would not be good today.
        TooManyHolds: they have more than 1,000 active holds.
    """
    lock(order_ids)
    active = rows(ACTIVE, {"orders": list(order_ids)})
    wanted = [pk for pk, kind in active if kinds is None or kind in kinds]
    if len(wanted) > HOLDS_MAX:
        raise TooManyHolds(f"Lift at most {HOLDS_MAX:,} holds at once.")
    answers = _lift(wanted, order_ids, actor, reason, now=now, valid_until=valid_until)
    for answer in answers:
        if answer.refusal is not None:
            answer.refusal.follow_up(now)  # nobody raises it
    return answers


@transaction.atomic
def place_hold(
    *,
    order_id: int,
    reason: str,
    actor: User | None,
    now: datetime,
    owner_role: str = "operations_lead",
    is_forced: bool = False,
) -> Order:
    """Stop an order by hand: what is reserved for it is given back until the hold is lifted.

    A draft keeps the hold for when it is submitted. With `is_forced` every hold of the order that
    is active stays until a person lifts it. Publishes OrderHeld, and LineCovered for lines that
    waited for stock.

    Raises:
        Order.DoesNotExist: there is no such order.
        ReasonMissing: no reason is given.
        CannotHold: it is being picked, has left or is cancelled.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the order is stopped.")
    _stop([order_id], reason.strip(), actor, now, owner_role, is_forced=is_forced)
    return Order.objects.get(pk=order_id)


@transaction.atomic
def force_holds(
    *, order_ids: Collection[int], reason: str, actor: User | None, now: datetime
) -> list[int]:
    """Stop many orders by hand so that nothing but a person lets them go on; return those stopped.

    Orders that are being picked, have left or are cancelled are left alone. See `place_hold`.

    Raises:
        Order.DoesNotExist: there is no such order.
        ReasonMissing: no reason is given.
    """
    if not reason.strip():
        raise ReasonMissing("Say why the orders are stopped.")
    return _stop(
        order_ids, reason.strip(), actor, now, "operations_lead", is_forced=True, skips=True
    )


def _stop(
    order_ids: Collection[int],
    reason: str,
    actor: User | None,
    now: datetime,
    owner_role: str,
    *,
    is_forced: bool,
    skips: bool = False,
) -> list[int]:
    lock(order_ids)
    cases = cases_of(order_ids, now)
    quiet = {Order.State.DRAFT, Order.State.HELD}
    going = [case.id for case in cases if case.state not in quiet]
    moved = move(Order, "hold", going)
    late = [case for case in cases if case.id in set(going) - set(moved)]
    if late and not skips:
        state = late[0].state.replace("_", " ")
        raise CannotHold(f"{late[0].number} is {state}: too late to stop.")
    stopped = [case for case in cases if case not in late]
    events: list[Event] = list(withdraw_lines(moved, now)) if moved else []
    kind = Hold.Kind.MANUAL.value
    place([Stop(case, kind, owner_role, reason) for case in stopped], now)
    if is_forced:
        run(FORCE, {"orders": [case.id for case in stopped]})
    events += [
        held(case, sorted({*case.active_holds, kind}))
        for case in stopped
        if case.state != Order.State.DRAFT
    ]
    told = [Told(case, reason, after={"forced": True} if is_forced else {}) for case in stopped]
    record_each(told, "orders.hold", actor, now)
    publish_all(events)
    return [case.id for case in stopped]


def _lift(
    hold_ids: Sequence[int],
    order_ids: Collection[int],
    actor: User,
    reason: str,
    *,
    now: datetime,
    valid_until: date | None = None,
) -> list[LiftedHold]:
    """Lift those of the holds that the person may; let orders go on that nothing holds any more."""
    if not reason.strip():
        raise ReasonMissing("Say why the hold is lifted.")
    lock(order_ids)
    holds = list(Hold.objects.select_for_update().filter(pk__in=hold_ids).order_by("order", "pk"))
    cases = {case.id: case for case in cases_of({hold.order_id for hold in holds}, now)}
    for case in cases.values():
        if valid_until is not None and valid_until < case.today:
            raise LiftEndsInThePast("A lift is good for today at least.")
    refused = refusals_of(holds, cases, actor, now)
    fit = [h for h in holds if h.pk not in refused and h.state == Hold.State.ACTIVE]
    move(
        Hold,
        "lift",
        [hold.pk for hold in fit],
        lifted_by=actor.pk,
        lifted_at=now,
        lift_reason=reason.strip()[:300],
        valid_until=valid_until,
    )
    events: list[Event] = [lifted(h.pk, cases[h.order_id], h.kind) for h in fit]
    touched = {hold.order_id: cases[hold.order_id] for hold in fit}
    events += go_on(list(touched), now)
    ends = {"valid_until": valid_until.isoformat()} if valid_until else {}
    told = [
        Told(cases[h.order_id], reason.strip(), after=ends, action=f"orders.lift_{h.kind}_hold")
        for h in fit
    ]
    states = record_each(told, "", actor, now)
    publish_all(events)
    return [
        LiftedHold(
            hold_id=hold.pk,
            order_id=hold.order_id,
            number=cases[hold.order_id].number,
            state=states.get(hold.order_id, cases[hold.order_id].state),
            refusal=refused.get(hold.pk),
        )
        for hold in holds
    ]


def refusals_of(
    holds: Sequence[Hold], cases: Mapping[int, Case], actor: User, now: datetime
) -> dict[int, DomainError]:
    """Return by hold why the person may not lift it. Two queries."""
    entities = list({case.entity_id for case in cases.values()})
    roles = set(rows(ROLES, {"user": actor.pk, "entities": entities, "now": now}))
    own = _own_authors(cases.values(), actor)
    refused: dict[int, DomainError] = {}
    for hold in holds:
        case = cases[hold.order_id]
        if hold.state != Hold.State.ACTIVE and hold.lifted_by_id != actor.pk:
            said = hold.get_kind_display().lower()
            refused[hold.pk] = HoldNotActive(f"The {said} hold was lifted before.")
        elif (case.entity_id, hold.owner_role) not in roles:
            said = hold.owner_role.replace("_", " ")
            refused[hold.pk] = NotHoldOwner(f"This hold is lifted by {said} only.")
        elif case.created_by_id in own:
            refused[hold.pk] = OwnOrder(f"You wrote {case.number}: somebody else lifts its holds.")
    fit = {h.order_id for h in holds if h.pk not in refused and h.state == Hold.State.ACTIVE}
    conflicts = _conflicts(sorted(fit), actor, now)
    for hold in holds:
        if hold.order_id in conflicts and hold.pk not in refused:
            refused[hold.pk] = conflicts[hold.order_id]
    return refused


def _conflicts(order_ids: Sequence[int], actor: User, now: datetime) -> dict[int, DomainError]:
    """Return by order what the person did before that keeps them from lifting its holds.

    All are asked at once; each by itself only where that is refused.
    """
    try:
        refuse_conflict(actor=actor, duty=DUTY, acts=order_acts(order_ids), now=now)
    except DomainError as refusal:
        if len(order_ids) == 1:
            return {order_ids[0]: refusal}
        return {pk: each for one in order_ids for pk, each in _conflicts([one], actor, now).items()}
    return {}


def _own_authors(cases: Collection[Case], actor: User) -> set[int]:
    """Return which authors of the orders are this person, by whatever account."""
    authors = list({case.created_by_id for case in cases if case.created_by_id})
    asked = {"users": authors, "actor": actor.pk, "ref": actor.employee_ref or ""}
    return {row[0] for row in rows(SAME_PERSON, asked)} if authors else set()

"""Asks the checks again about held orders when something has changed, and lets go what passes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import keep_answers
from erp.kernel.events import Event
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from orders.models import Hold, Order
from orders.services._checking import (
    KINDS,
    Case,
    Finding,
    Stop,
    cases_of,
    check_credit,
    credit_stops,
    run_checks,
)
from orders.services._locking import lock
from orders.services._releasing import held, place, release
from orders.services._resuming import Told, cleared, lifted, record_each
from orders.services._withdrawing import withdraw_lines

CREDIT = Hold.Kind.CREDIT.value

WAITING_FOR_CREDIT = """
    SELECT o.id FROM orders_order o
    WHERE o.account_id = ANY(%(accounts)s) AND o.state = 'held'
      AND EXISTS (SELECT FROM orders_hold h
                  WHERE h.order_id = o.id AND h.kind = 'credit' AND h.state = 'active'
                    AND NOT h.is_forced)
"""

ACTIVE = """
    SELECT order_id, kind, id, reason FROM orders_hold
    WHERE order_id = ANY(%(orders)s) AND state = 'active' AND NOT is_forced
"""

# The last lift of its kind ended, nothing holds the order for it, and the goods are still here.
ENDED = """
    SELECT DISTINCT o.id, h.kind
    FROM orders_hold h
    JOIN orders_order o ON o.id = h.order_id
    JOIN accounts_entity e ON e.id = o.entity_id
    WHERE h.valid_until < (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
      AND h.valid_until >= (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date - 60
      AND o.state = ANY(%(states)s)
      AND NOT EXISTS (SELECT FROM orders_hold later WHERE later.order_id = h.order_id
                      AND later.kind = h.kind AND later.id > h.id)
    ORDER BY o.id
"""


@dataclass(frozen=True, slots=True)
class Reevaluated:
    """What asking again came to for one order: which reasons are cleared, and which still hold."""

    order_id: int
    number: str
    state: str
    cleared: Sequence[str]
    holds: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the checks say now, and the holds there were: id and reason by order and kind."""

    finding: Finding
    holds: dict[tuple[int, str], tuple[int, str]]

    def stops(self) -> dict[tuple[int, str], Stop]:
        return {(stop.case.id, stop.kind): stop for stop in self.finding.stops}


@transaction.atomic
def reevaluate_credit_holds(
    *, account_ids: Collection[int], cause: str, now: datetime
) -> list[int]:
    """Ask credit again for the held orders of these accounts; return which went on by it.

    In turn of priority and id, each that passes uses up its part of the limit. `cause` is what
    changed (a payment, a limit) and stands as the reason. Forced holds stay. Publishes HoldLifted
    and OrderReleased.
    """
    waiting = [row[0] for row in rows(WAITING_FOR_CREDIT, {"accounts": list(account_ids)})]
    if not waiting:
        return []
    done = _reevaluate(waiting, {CREDIT}, cause, None, now)
    return [each.order_id for each in done if each.state == Order.State.RELEASED]


@transaction.atomic
def reevaluate_holds(
    *,
    order_ids: Collection[int],
    cause: str,
    actor: User | None,
    now: datetime,
    kinds: Collection[str] | None = None,
) -> list[Reevaluated]:
    """Ask the checks of active holds (of `kinds` only) again; lift each that is cleared.

    An order of which no reason is left goes on, in turn of priority and id, if credit allows. Holds
    by hand and forced ones stay. One answer for each held order, by id; others are left out.
    Publishes HoldLifted, OrderReleased, and OrderHeld where credit stops it anew.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    asked = set(kinds) if kinds is not None else set(KINDS)
    return _reevaluate(order_ids, asked, cause, actor, now) if order_ids else []


def _reevaluate(
    order_ids: Collection[int],
    kinds: Collection[str],
    cause: str,
    actor: User | None,
    now: datetime,
) -> list[Reevaluated]:
    lock(order_ids)
    cases = [case for case in cases_of(order_ids, now) if case.state == Order.State.HELD]
    cases.sort(key=lambda case: (case.priority, case.id))
    asked = _ask(cases, kinds, now)
    stops = asked.stops()
    clear = {
        case.id: [kind for kind in case.active_holds if _is_clear(case, kind, kinds, asked, stops)]
        for case in cases
    }
    left = {case.id: sorted({*case.active_holds} - {*clear[case.id]}) for case in cases}
    anew = [stop for key, stop in stops.items() if key not in asked.holds and not left[key[0]]]
    for stop in anew:
        left[stop.case.id] = [stop.kind]
    changed = {case.id for case in cases if clear[case.id]} | {s.case.id for s in anew}
    keep_answers(
        answers=[a for a in asked.finding.answers if a.question.subject_id in changed], now=now
    )
    lifts = [(case, kind) for case in cases for kind in clear[case.id]]
    ids = [asked.holds[case.id, kind][0] for case, kind in lifts]
    move(Hold, "lift", ids, lifted_at=now, lift_reason=cause[:300])
    events: list[Event] = [lifted(asked.holds[c.id, k][0], c, k) for c, k in lifts]
    place(anew, now)
    events += release([case for case in cases if not left[case.id]], now)
    events += [held(stop.case, [stop.kind]) for stop in anew]
    told = [
        cleared(c, k, asked.finding.answers, was=asked.holds[c.id, k][1], cause=cause)
        for c, k in lifts
    ]
    states = record_each(told, "", actor, now)
    publish_all(events)
    return [
        Reevaluated(c.id, c.number, states.get(c.id, c.state), clear[c.id], left[c.id])
        for c in sorted(cases, key=lambda case: case.id)
    ]


def _ask(cases: Sequence[Case], kinds: Collection[str], now: datetime) -> _Asked:
    """Ask the checks of these kinds that hold any of the orders, and credit last, of all."""
    found = rows(ACTIVE, {"orders": [case.id for case in cases]}) if cases else []
    holds = {(order, kind): (pk, reason) for order, kind, pk, reason in found}
    asked = {kind for _order, kind in holds} & set(kinds) & KINDS
    finding = run_checks(cases, now, kinds=asked)
    active = {(case.id, kind) for case in cases for kind in case.active_holds}
    failing = {(stop.case.id, stop.kind) for stop in finding.stops}
    stopped = {
        order
        for order, kind in active
        if kind != CREDIT
        and ((order, kind) in failing or kind not in asked or (order, kind) not in holds)
    }
    stopped |= {case.id for case in cases if CREDIT in case.forced_holds}
    # Whoever has lifted credit is not asked about it again while that is good.
    wanted = [c for c in cases if CREDIT in c.active_holds or CREDIT not in c.lifted_holds]
    answers = check_credit(wanted, stopped)
    stops = [
        stop
        for stop in credit_stops(wanted, answers)
        if (stop.case.id, CREDIT) in holds or stop.case.id not in stopped
    ]
    return _Asked(
        Finding([*finding.stops, *stops], [*finding.answers, *answers]),
        holds,
    )


def _is_clear(
    case: Case,
    kind: str,
    kinds: Collection[str],
    asked: _Asked,
    stops: dict[tuple[int, str], Stop],
) -> bool:
    key = (case.id, kind)
    return kind in KINDS and kind in kinds and key in asked.holds and key not in stops


@transaction.atomic
def end_lifts(*, now: datetime) -> list[int]:
    """Ask again about orders whose lift has ended before the goods left; return those held anew.

    By each entity's own day. What is being picked is left alone. Publishes OrderHeld, and
    LineCovered for lines that waited for stock.
    """
    states = [Order.State.RELEASED, Order.State.ALLOCATED, *Order.WAITING]
    ended: dict[int, set[str]] = {}
    for order_id, kind in rows(ENDED, {"now": now, "states": list(states)}):
        ended.setdefault(order_id, set()).add(kind)
    if not ended:
        return []
    lock(list(ended))
    cases = [case for case in cases_of(list(ended), now) if case.state in states]
    cases.sort(key=lambda case: (case.priority, case.id))
    finding = run_checks(cases, now, kinds={kind for kinds in ended.values() for kind in kinds})
    on_credit = [case for case in cases if CREDIT in ended[case.id]]
    answers = [*finding.answers]
    stops = [stop for stop in finding.stops if stop.kind in ended[stop.case.id]]
    if on_credit:
        asked = check_credit(on_credit, {case.id for case in on_credit}, is_committed=True)
        answers += asked
        stops += credit_stops(on_credit, asked)
    keep_answers(answers=answers, now=now)
    return _stop_again(stops, now)


def _stop_again(stops: Sequence[Stop], now: datetime) -> list[int]:
    cases = {stop.case.id: stop.case for stop in stops}
    moved = move(Order, "hold", list(cases))
    events: list[Event] = list(withdraw_lines(moved, now)) if moved else []
    again = [stop for stop in stops if stop.case.id in set(moved)]
    place(again, now)
    kinds: dict[int, list[str]] = {}
    for stop in again:
        kinds.setdefault(stop.case.id, []).append(stop.kind)
    events += [held(cases[pk], sorted(found)) for pk, found in kinds.items()]
    told = [Told(s.case, s.reason, policy_version=s.policy_version) for s in again]
    record_each(told, "orders.hold", None, now)
    publish_all(events)
    return sorted(moved)

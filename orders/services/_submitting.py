"""Checks orders and lets them go on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Answer, Change, keep_answers, record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import run
from erp.kernel.states import sources_of, target_through
from erp.outbox.publishing import publish_all
from orders.models import Order
from orders.services._checking import (
    Case,
    Finding,
    Stop,
    cases_of,
    check_credit,
    classify,
    credit_stops,
    run_checks,
)
from orders.services._classing import keep_classes, keep_plans
from orders.services._exporting import take_licences
from orders.services._locking import lock
from orders.services._releasing import commit, held, place, released

MOVE = Prepared("""
    UPDATE orders_order o
    SET state = %(state)s, submitted_at = %(now)s::timestamptz,
        released_at = coalesce(%(released)s::timestamptz, o.released_at),
        class_code = m.class_code, priority = m.priority, fingerprint = m.fingerprint
    FROM unnest(%(ids)s::bigint[], %(codes)s::text[], %(priorities)s::int[], %(prints)s::text[])
        AS m (id, class_code, priority, fingerprint)
    WHERE o.id = m.id AND o.state = ANY(%(sources)s::text[])
""")


class OrderCancelled(DomainError):
    """A cancelled order goes no further."""

    code: ClassVar[str] = "order_is_cancelled"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What submitting came to: `state` is released or held, `holds` the kinds that stopped it."""

    id: int
    number: str
    state: str
    holds: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Checked:
    """One draft with all that the policies said about it."""

    case: Case
    classed: Answer
    stops: Sequence[Stop]
    credit: Answer
    kinds: Sequence[str]


@transaction.atomic
def submit_orders(
    *, order_ids: Collection[int], actor: User | None, now: datetime
) -> list[Submitted]:
    """Class the drafts, check them, and release each that nothing speaks against.

    Every check runs, and each that fails is a hold of its own. What is released counts at once
    against its account's limit, in turn of priority and id, so orders racing for one limit pass one
    after the other. Orders submitted before are answered as they stand. Publishes OrderReleased
    and OrderHeld.

    Raises:
        Order.DoesNotExist: there is no such order.
        OrderCancelled: one was cancelled.
    """
    return _submit(order_ids, actor, now)


@transaction.atomic
def submit_order(*, order_id: int, actor: User | None, now: datetime) -> Submitted:
    """Check one draft and release it, or hold it; see `submit_orders`.

    Raises:
        Order.DoesNotExist: there is no such order.
        OrderCancelled: it was cancelled.
    """
    return _submit([order_id], actor, now)[0]


def _submit(order_ids: Collection[int], actor: User | None, now: datetime) -> list[Submitted]:
    lock(order_ids)
    cases = cases_of(order_ids, now)
    for case in cases:
        if case.state == Order.State.CANCELLED:
            raise OrderCancelled(f"{case.number} was cancelled.")
    drafts = [case for case in cases if case.state == Order.State.DRAFT]
    checked, found = _check(drafts, now) if drafts else ([], Finding())
    if checked:
        _apply(checked, found, now)
        record(changes=[_change(each) for each in checked], actor=actor, now=now)
        publish_all([held(c.case, c.kinds) if c.kinds else released(c.case) for c in checked])
    kinds = {each.case.id: [*each.kinds] for each in checked}
    return [
        Submitted(
            id=case.id,
            number=case.number,
            state=_state(case, kinds),
            holds=kinds.get(case.id, case.active_holds),
        )
        for case in cases
    ]


def _check(cases: Sequence[Case], now: datetime) -> tuple[list[_Checked], Finding]:
    """Class the orders and run every check on them, in turn of priority; keep all answers."""
    classed = {answer.question.subject_id: answer for answer in classify(cases)}
    ordered = sorted(
        cases, key=lambda case: (classed[case.id].decision.outcome["priority"], case.id)
    )
    found = run_checks(ordered, now)
    stopped = {stop.case.id for stop in found.stops}
    stopped |= {case.id for case in ordered if case.active_holds}
    credit = check_credit(ordered, stopped)
    stops: dict[int, list[Stop]] = {}
    for stop in (*found.stops, *credit_stops(ordered, credit)):
        stops.setdefault(stop.case.id, []).append(stop)
    keep_answers(answers=[*classed.values(), *found.answers, *credit], now=now)
    checked = [
        _Checked(case, classed[case.id], mine := stops.get(case.id, ()), answer, _kinds(case, mine))
        for case, answer in zip(ordered, credit, strict=True)
    ]
    return checked, found


def _kinds(case: Case, stops: Sequence[Stop]) -> Sequence[str]:
    if not stops:
        return case.active_holds
    return sorted({*case.active_holds, *(stop.kind for stop in stops)})


def _apply(checked: Sequence[_Checked], found: Finding, now: datetime) -> None:
    """Move the orders, and write down what was found out about them."""
    for step, chosen in (
        ("hold", [each for each in checked if each.kinds]),
        ("release", [each for each in checked if not each.kinds]),
    ):
        if chosen:
            outcomes = [each.classed.decision.outcome for each in chosen]
            params = {
                "ids": [each.case.id for each in chosen],
                "codes": [outcome["class_code"] for outcome in outcomes],
                "priorities": [int(outcome["priority"]) for outcome in outcomes],
                "prints": [each.case.fingerprint or "" for each in chosen],
                "sources": sources_of(Order, "submit"),
                "state": target_through(Order, ["submit", step]),
                "released": now if step == "release" else None,
                "now": now,
            }
            run(MOVE, params)
    keep_classes([each.classed for each in checked], "submitted", now)
    keep_plans(found.plans.values(), now)
    place([stop for each in checked for stop in each.stops], now)
    gone = [each.case for each in checked if not each.kinds]
    commit(gone)
    take_licences([case.id for case in gone if case.id in found.ruled], now)


def _change(checked: _Checked) -> Change:
    case, outcome = checked.case, checked.classed.decision.outcome
    return Change(
        entity_id=case.entity_id,
        action="orders.submit",
        subject_kind="orders.order",
        subject_id=case.id,
        thread=f"orders.order:{case.id}",
        before={"state": case.state},
        after={
            "state": "held" if checked.kinds else "released",
            "class": outcome["class_code"],
            "priority": int(outcome["priority"]),
            "holds": checked.kinds,
        },
        reason=" ".join(stop.reason for stop in checked.stops)[:300],
        policy_version=checked.credit.decision.policy_version,
    )


def _state(case: Case, kinds: Mapping[int, Sequence[str]]) -> str:
    if case.id not in kinds:
        return case.state
    return "held" if kinds[case.id] else "released"

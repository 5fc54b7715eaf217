"""Checks orders and lets them go on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Answer, Change, keep_answers, record
from erp.kernel.errors import DomainError
from erp.kernel.states import move_through
from erp.outbox.publishing import publish_all
from orders.models import Order
from orders.services._checking import (
    Case,
    Stop,
    cases_of,
    check_credit,
    classify,
    credit_stops,
    run_checks,
)
from orders.services._exporting import take_licences
from orders.services._locking import lock
from orders.services._releasing import commit, held, place, released


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
    stops: list[Stop]
    credit: Answer

    @property
    def kinds(self) -> list[str]:
        return sorted({*self.case.active_holds, *(stop.kind for stop in self.stops)})


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
    checked = _check([case for case in cases if case.state == Order.State.DRAFT], now)
    if checked:
        _apply(checked, now)
        record(changes=[_change(each) for each in checked], actor=actor, now=now)
        publish_all([held(c.case, c.kinds) if c.kinds else released(c.case) for c in checked])
    kinds = {each.case.id: each.kinds for each in checked}
    return [
        Submitted(
            id=case.id,
            number=case.number,
            state=_state(case, kinds),
            holds=kinds.get(case.id, case.active_holds),
        )
        for case in cases
    ]


def _check(cases: Sequence[Case], now: datetime) -> list[_Checked]:
    """Class the orders and run every check on them, in turn of priority; keep all answers."""
    if not cases:
        return []
    classed = {case.id: answer for case, answer in zip(cases, classify(cases), strict=True)}
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
    return [
        _Checked(case, classed[case.id], stops.get(case.id, []), answer)
        for case, answer in zip(ordered, credit, strict=True)
    ]


def _apply(checked: Sequence[_Checked], now: datetime) -> None:
    groups: dict[tuple[str, str, int], list[int]] = {}
    for each in checked:
        step = "hold" if each.kinds else "release"
        outcome = each.classed.decision.outcome
        key = (step, outcome["class_code"], int(outcome["priority"]))
        groups.setdefault(key, []).append(each.case.id)
    for (step, class_code, priority), ids in sorted(groups.items()):
        moments = {"submitted_at": now} | ({"released_at": now} if step == "release" else {})
        move_through(
            Order, ["submit", step], ids, class_code=class_code, priority=priority, **moments
        )
    place([stop for each in checked for stop in each.stops], now)
    gone = [each.case for each in checked if not each.kinds]
    commit(gone)
    take_licences([case.id for case in gone], now)


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


def _state(case: Case, kinds: dict[int, list[str]]) -> str:
    if case.id not in kinds:
        return case.state
    return "held" if kinds[case.id] else "released"

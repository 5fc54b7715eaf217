"""Lets held orders go on from where they were stopped, and tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from erp.accounts.models import User
from erp.governance.services import Answer, Change, keep_answers, record
from erp.kernel.events import Event
from orders.events import HoldLifted
from orders.models import Hold, Order
from orders.services._checking import Case, Stop, cases_of, check_credit, credit_stops
from orders.services._releasing import held, place, release


@dataclass(frozen=True, slots=True)
class Told:
    """What is written into the story of one order."""

    case: Case
    reason: str
    after: Mapping[str, Any] = field(default_factory=dict)
    policy_version: str = ""
    action: str = ""


def go_on(order_ids: Sequence[int], now: datetime) -> list[Event]:
    """Release held orders without any hold, as far as credit allows; return what is to be told.

    They go in turn of priority and id. Credit is not asked about those whose credit hold its owner
    lifted, while that lift is good.
    """
    cases = [
        case
        for case in (cases_of(order_ids, now) if order_ids else [])
        if case.state == Order.State.HELD and not case.active_holds
    ]
    cases.sort(key=lambda case: (case.priority, case.id))
    unasked = [case for case in cases if Hold.Kind.CREDIT not in case.lifted_holds]
    answers = check_credit(unasked, ()) if unasked else []
    keep_answers(answers=answers, now=now)
    stops: list[Stop] = credit_stops(unasked, answers)
    place(stops, now)
    stopped = {stop.case.id for stop in stops}
    events = release([case for case in cases if case.id not in stopped], now)
    return events + [held(stop.case, [stop.kind]) for stop in stops]


def cleared(case: Case, kind: str, answers: Sequence[Answer], *, was: str, cause: str) -> Told:
    """Return the entry of a hold that was cleared: why it stood, and the rule that lets it go."""
    named = f"release.{kind} "
    answer = next(
        (
            each
            for each in answers
            if each.question.subject_id == case.id and named in f"{each.decision.policy_version} "
        ),
        None,
    )
    version = answer.decision.policy_version if answer else ""
    row = answer.decision.row if answer else None
    return Told(
        case,
        cause,
        after={"cleared": was, "rule": version if row is None else f"{version} row {row + 1}"},
        policy_version=version,
        action=f"orders.lift_{kind}_hold",
    )


def lifted(hold_id: int, case: Case, kind: str) -> HoldLifted:
    return HoldLifted(
        hold_id=hold_id,
        order_id=case.id,
        number=case.number,
        entity_id=case.entity_id,
        kind=kind,
    )


def record_each(
    told: Sequence[Told], action: str, actor: User | None, now: datetime
) -> dict[int, str]:
    """Write one entry each, with the state its order is in now; return those states."""
    ids = {each.case.id for each in told}
    states = dict(Order.objects.filter(pk__in=ids).values_list("pk", "state")) if ids else {}
    changes = [
        Change(
            entity_id=each.case.entity_id,
            action=each.action or action,
            subject_kind="orders.order",
            subject_id=each.case.id,
            thread=f"orders.order:{each.case.id}",
            before={"state": each.case.state, "holds": each.case.active_holds},
            after={"state": states[each.case.id], **each.after},
            reason=each.reason[:300],
            policy_version=each.policy_version,
        )
        for each in told
    ]
    record(changes=changes, actor=actor, now=now)
    return states

"""The clocks of cases: timers in the database, and what happens when one runs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.governance.services import Change, Question, decide, record
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from exceptions.events import CaseEscalated
from exceptions.models import CaseTimer, ExceptionCase
from exceptions.selectors import label_of
from exceptions.services._ranking import BusinessClock, owners
from exceptions.services._threads import thread

ONE_AT_A_TIME = (41_006, 1)  # our corner of the database's advisory locks

CANCEL = """
    UPDATE exceptions_casetimer SET cancelled_at = %(now)s
    WHERE case_id = ANY(%(cases)s::bigint[]) AND kind = ANY(%(kinds)s::text[])
      AND fired_at IS NULL AND cancelled_at IS NULL
"""
SET = """
    INSERT INTO exceptions_casetimer (case_id, kind, due_at)
    SELECT * FROM unnest(%(cases)s::bigint[], %(kinds)s::text[], %(due)s::timestamptz[])
    ON CONFLICT (case_id, kind, due_at) WHERE cancelled_at IS NULL DO NOTHING
"""
ESCALATE = """
    UPDATE exceptions_exceptioncase c
    SET escalation_level = new.level, queue = new.queue, owner_id = new.owner, updated_at = %(now)s
    FROM unnest(%(ids)s::bigint[], %(levels)s::smallint[], %(queues)s::text[], %(owners)s::bigint[])
        AS new (id, level, queue, owner)
    WHERE c.id = new.id
"""
ALL_KINDS = list(CaseTimer.Kind.values)


@dataclass(frozen=True, slots=True)
class Fired:
    """One timer that ran out: what for, when it was due, and to which level the case went."""

    timer_id: int
    case_id: int
    kind: str
    due_at: datetime
    level: int


def set_timers(clocks: Sequence[tuple[int, datetime | None, datetime]], now: datetime) -> None:
    """Let each case (id, acknowledge by, resolve by) have these timers and no other pending ones.

    No moment to acknowledge by leaves that timer as it is. Two statements.
    """
    if not clocks:
        return
    wanted = [
        (case_id, kind, moment)
        for case_id, acknowledge_by, resolve_by in clocks
        for kind, moment in (("acknowledge", acknowledge_by), ("resolve", resolve_by))
        if moment is not None
    ]
    for kind in ALL_KINDS:
        run(CANCEL, {
            "now": now, "kinds": [kind], "cases": [pk for pk, one, _ in wanted if one == kind],
        })  # fmt: skip
    _add(wanted)


def cancel_timers(case_ids: Sequence[int], now: datetime, *kinds: str) -> None:
    """Let the pending timers of these cases, of these kinds or of all, never fire."""
    if case_ids:
        run(CANCEL, {"now": now, "cases": list(case_ids), "kinds": list(kinds) or ALL_KINDS})


@transaction.atomic
def fire_due_timers(*, now: datetime, limit: int = 500) -> list[Fired]:
    """Escalate the cases whose clocks ran out: each timer once, in the order of their due times.

    However late it is called, each keeps the moment at which it was due. Only one caller fires at
    a time, so that the order holds; the others get nothing and go home. A case that somebody is
    changing at this moment waits for the next call.

    Publishes:
        CaseEscalated
    """
    ((ours,),) = rows("SELECT pg_try_advisory_xact_lock(%s, %s)", ONE_AT_A_TIME)
    if not ours:
        return []
    timers = CaseTimer.objects.claim_due(now, limit)
    if not timers:
        return []
    CaseTimer.objects.filter(pk__in=[timer.pk for timer in timers]).update(fired_at=now)
    standing = [timer for timer in timers if _still_matters(timer)]
    cases = {timer.case_id: timer.case for timer in standing}
    fired = _escalate(standing, cases, now)
    _record(cases, fired, now)
    publish_all(
        [
            CaseEscalated(
                case_id=one.case_id,
                entity_id=cases[one.case_id].entity_id,
                level=one.level,
                kind=one.kind,
                due_at=one.due_at.isoformat(),
            )
            for one in fired
        ]
    )
    return fired


def _still_matters(timer: CaseTimer) -> bool:
    if timer.case.state not in ExceptionCase.LIVE:
        return False
    return timer.kind != CaseTimer.Kind.ACKNOWLEDGE or timer.case.acknowledged_at is None


def _escalate(
    timers: Sequence[CaseTimer], cases: dict[int, ExceptionCase], now: datetime
) -> list[Fired]:
    """Put each case on the desk its policy names for its level, with the least loaded there.

    Where the policy wants to be asked again, the next timer counts from when this one was due.
    """
    fired = []
    questions = []
    for timer in timers:
        case = cases[timer.case_id]
        questions.append(_question(case, timer.kind))
        case.escalation_level += 1
        fired.append(Fired(timer.pk, case.pk, timer.kind, timer.due_at, case.escalation_level))
    decisions = decide(policy="exceptions.escalation", questions=questions, now=now)
    clock = BusinessClock([case.entity_id for case in cases.values()])
    desks: dict[int, str] = {}
    again = []
    for one, decision in zip(fired, decisions, strict=True):
        case = cases[one.case_id]
        desks[case.pk] = str(decision.outcome["role"] or desks.get(case.pk, case.queue))
        if minutes := decision.outcome["again_minutes"]:
            again.append((case.pk, one.kind, clock(case.entity_id, one.due_at, minutes)))
    _move_desks(cases, desks, now)
    _add(again)
    return fired


def _question(case: ExceptionCase, kind: str) -> Question:
    return Question(
        entity_id=case.entity_id,
        subject_kind="exceptions.case",
        subject_id=case.pk,
        facts={
            "type": case.type,
            "severity": case.severity,
            "level": case.escalation_level,
            "clock": kind,
        },
    )


def _move_desks(cases: dict[int, ExceptionCase], desks: dict[int, str], now: datetime) -> None:
    moving = [case for case in cases.values() if desks[case.pk] != case.queue]
    people = owners([(case.entity_id, desks[case.pk]) for case in moving], now)
    for case, person in zip(moving, people, strict=True):
        case.queue, case.owner_id = desks[case.pk], person
    found = list(cases.values())
    run(
        ESCALATE,
        {
            "now": now,
            "ids": [case.pk for case in found],
            "levels": [case.escalation_level for case in found],
            "queues": [case.queue for case in found],
            "owners": [case.owner_id for case in found],
        },
    )
    move(ExceptionCase, "assign", [case.pk for case in found if case.owner_id])


def _add(timers: Sequence[tuple[int, str, datetime]]) -> None:
    """Add timers: case, kind, due."""
    if timers:
        run(
            SET,
            {
                "cases": [case_id for case_id, _, _ in timers],
                "kinds": [kind for _, kind, _ in timers],
                "due": [moment for _, _, moment in timers],
            },
        )


def _record(cases: dict[int, ExceptionCase], fired: Sequence[Fired], now: datetime) -> None:
    record(
        changes=[
            Change(
                entity_id=cases[one.case_id].entity_id,
                action="exceptions.escalate",
                subject_kind="exceptions.case",
                subject_id=one.case_id,
                thread=thread(one.case_id, cases[one.case_id].order_id),
                after={
                    "level": one.level,
                    "queue": cases[one.case_id].queue,
                    "due_at": one.due_at,
                },
                reason=f"{label_of(cases[one.case_id].type)} was not {one.kind}d in time.",
            )
            for one in fired
        ],
        actor=None,
        now=now,
    )

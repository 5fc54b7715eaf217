"""What happens when a clock of a case runs out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, Decision, Question, decide, record
from erp.kernel.sql import rows, run
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from exceptions import permissions
from exceptions.events import CaseChanged, CaseEscalated
from exceptions.models import CaseTimer, ExceptionCase, Notice
from exceptions.selectors import label_of
from exceptions.services._lasting import note_where
from exceptions.services._noticing import URGENT, Told, in_words, tell
from exceptions.services._ranking import BusinessClock, owners, people_at
from exceptions.services._threads import thread
from exceptions.services._timing import ask_again, set_timers
from exceptions.services._waiting import NO_LONGER_WAITING
from exceptions.services._working import restart_clock

ONE_AT_A_TIME = (41_006, 1)  # our corner of the database's advisory locks
Kind = CaseTimer.Kind

ESCALATE = """
    UPDATE exceptions_exceptioncase c
    SET escalation_level = new.level, queue = new.queue, owner_id = new.owner,
        resolve_by = new.resolve_by, updated_at = %(now)s
    FROM unnest(
        %(ids)s::bigint[], %(levels)s::smallint[], %(queues)s::text[], %(owners)s::bigint[],
        %(resolve)s::timestamptz[]
    ) AS new (id, level, queue, owner, resolve_by)
    WHERE c.id = new.id
"""
CLIMBING = (Kind.ACKNOWLEDGE, Kind.RESOLVE)
SAID: Mapping[str, str] = {
    Kind.ACKNOWLEDGE: "was not acknowledged in time",
    Kind.RESOLVE: "was not resolved in time",
    Kind.PREDICTED: "is likely to be late: nobody has begun",
    Kind.FOLLOW_UP: "has waited long enough: ask again",
}


@dataclass(frozen=True, slots=True)
class Fired:
    """One timer that ran out: what for, when it was due, and to which level the case went."""

    timer_id: int
    case_id: int
    kind: str
    due_at: datetime
    level: int
    by_webhook: bool = False
    final: str = ""


@transaction.atomic
def fire_due_timers(*, now: datetime, limit: int = 500) -> list[Fired]:
    """Escalate the cases whose clocks ran out: each timer once, in the order of their due times.

    However late it is called, each keeps the moment at which it was due. Only one caller fires at
    a time, so that the order holds; the others get nothing and go home. A case that somebody is
    changing at this moment waits for the next call. Whom a case waited on long enough for, goes on.

    Publishes:
        CaseEscalated
        CaseChanged
    """
    ((ours,),) = rows("SELECT pg_try_advisory_xact_lock(%s, %s)", ONE_AT_A_TIME)
    if not ours:
        return []
    timers = CaseTimer.objects.claim_due(now, limit)
    if not timers:
        return []
    CaseTimer.objects.filter(pk__in=[timer.pk for timer in timers]).update(fired_at=now)
    cases: dict[int, ExceptionCase] = {}
    for timer in timers:  # two timers of a case speak of one row
        timer.case = cases.setdefault(timer.case_id, timer.case)
    standing = [timer for timer in timers if _still_matters(timer)]
    _go_on([timer for timer in standing if timer.kind == Kind.FOLLOW_UP], now)
    fired = _escalate(standing, now)
    moved = [timer.case_id for timer in standing]
    set_timers([t.case_id for t in standing if t.kind == Kind.FOLLOW_UP], now)
    note_where(moved, now)
    _record(cases, fired, now)
    publish_all([_fact(cases[one.case_id], one) for one in fired])
    return fired


def _still_matters(timer: CaseTimer) -> bool:
    case = timer.case
    if case.state not in ExceptionCase.LIVE or case.parent_id is not None:
        return False
    if timer.kind == Kind.ACKNOWLEDGE:
        return case.acknowledged_at is None
    if timer.kind == Kind.FOLLOW_UP:
        return str(case.state) == ExceptionCase.State.WAITING
    if timer.kind == Kind.PREDICTED:
        return case.state not in (ExceptionCase.State.IN_PROGRESS, ExceptionCase.State.WAITING)
    return case.clock_stopped_at is None


def _go_on(timers: Sequence[CaseTimer], now: datetime) -> None:
    """Take up again what waited long enough, with the time its clock had left."""
    clock = BusinessClock([timer.case.entity_id for timer in timers])
    for timer in timers:
        restart_clock(timer.case, now, clock)
    waiting = sorted(timer.case_id for timer in timers)
    moved = move(ExceptionCase, "start", waiting, updated_at=now, **NO_LONGER_WAITING)
    assert moved == waiting


def _escalate(timers: Sequence[CaseTimer], now: datetime) -> list[Fired]:
    """Do for each timer what the policy says of its clock and level, in the order they were due.

    Where the policy wants to be asked again, the next timer counts from when this one was due.
    """
    questions, levels = [], []
    for timer in timers:
        questions.append(_question(timer))
        if timer.kind in CLIMBING and timer.repeat == 0:
            timer.case.escalation_level += 1
        levels.append(timer.case.escalation_level)
    decisions = decide(policy="exceptions.escalation", questions=questions, now=now)
    _ask_again(timers, decisions)
    _move_desks(timers, decisions, now)
    _tell(timers, decisions, now)
    return [
        Fired(timer.pk, timer.case_id, timer.kind, timer.due_at, level,
              bool(said.get("by_webhook")), _last(timer, said))
        for timer, level, said in zip(
            timers, levels, (one.outcome for one in decisions), strict=True
        )
    ]  # fmt: skip


def _last(timer: CaseTimer, said: Mapping[str, Any]) -> str:
    """Return what ends the ladder; nothing while another rung follows."""
    is_last = timer.kind in CLIMBING and not said["again_minutes"]
    return str(said.get("final") or "") if is_last else ""


def _question(timer: CaseTimer) -> Question:
    return Question(
        entity_id=timer.case.entity_id,
        subject_kind="exceptions.case",
        subject_id=timer.case_id,
        facts={
            "type": timer.case.type,
            "severity": timer.case.severity,
            "level": _level(timer),
            "clock": timer.kind,
        },
    )


def _level(timer: CaseTimer) -> int:
    """Return on which rung the case stands for this timer: one that is said again stays there."""
    level = timer.case.escalation_level
    return max(0, level - 1) if timer.repeat and timer.kind in CLIMBING else level


def _ask_again(timers: Sequence[CaseTimer], decisions: Sequence[Decision]) -> None:
    """Add what follows: the same rung again while the policy says so, then the next."""
    clock = BusinessClock([timer.case.entity_id for timer in timers])
    ask_again(
        [
            (timer.case_id, timer.kind, timer.step + 1,
             timer.repeat + 1 if timer.repeat < int(said.outcome.get("repeat") or 0) else 0,
             clock(timer.case.entity_id, timer.due_at, said.outcome["again_minutes"]))
            for timer, said in zip(timers, decisions, strict=True)
            if said.outcome["again_minutes"]
        ]
    )  # fmt: skip


def _person_of(decision: Decision) -> str:
    return str(decision.outcome.get("person") or "")


def _people(decisions: Sequence[Decision]) -> dict[str, int]:
    """Return those whom rungs name themselves, by user name. One query at most."""
    names = {_person_of(one) for one in decisions} - {""}
    found = User.objects.filter(username__in=names, is_active=True) if names else ()
    return {one.username: one.pk for one in found}


def _move_desks(timers: Sequence[CaseTimer], decisions: Sequence[Decision], now: datetime) -> None:
    """Put each case on the desk that the policy names, with the least loaded there."""
    cases = {timer.case_id: timer.case for timer in timers}
    desks = {case.pk: case.queue for case in cases.values()}
    for timer, decision in zip(timers, decisions, strict=True):
        if decision.outcome["takes_over"] and decision.outcome["role"]:
            desks[timer.case_id] = str(decision.outcome["role"])
    moving = [case for case in cases.values() if desks[case.pk] != case.queue]
    people = owners([(case.entity_id, desks[case.pk]) for case in moving], now)
    for case, person in zip(moving, people, strict=True):
        case.queue, case.owner_id = desks[case.pk], person
    handed = _hand_to_named(timers, decisions, cases)
    moving = list({case.pk: case for case in [*moving, *handed]}.values())
    found = list(cases.values())
    run(
        ESCALATE,
        {
            "now": now,
            "ids": [case.pk for case in found],
            "levels": [case.escalation_level for case in found],
            "queues": [case.queue for case in found],
            "owners": [case.owner_id for case in found],
            "resolve": [case.resolve_by for case in found],
        },
    )
    move(ExceptionCase, "assign", [case.pk for case in moving if case.owner_id])
    nobody = [case.pk for case in moving if case.owner_id is None]
    move(ExceptionCase, "hand_back", nobody, acknowledged_at=None, **NO_LONGER_WAITING)


def _hand_to_named(
    timers: Sequence[CaseTimer], decisions: Sequence[Decision], cases: Mapping[int, ExceptionCase]
) -> list[ExceptionCase]:
    """Give the cases to the people whom a rung names itself; return those that got another owner.

    Nobody gets one who may not work cases of the entity.
    """
    named = _people(decisions)
    users = {one.pk: one for one in User.objects.filter(pk__in=named.values())}
    handed = []
    for timer, decision in zip(timers, decisions, strict=True):
        case, who = cases[timer.case_id], named.get(_person_of(decision))
        takes_over = decision.outcome["takes_over"] and who not in (None, case.owner_id)
        if takes_over and users[who].has_perm(permissions.WORK, case.entity_id):  # type: ignore[index]
            case.owner_id = who
            handed.append(case)
    return handed


def _tell(timers: Sequence[CaseTimer], decisions: Sequence[Decision], now: datetime) -> None:
    """Tell the owner, and those of the role who do not take the case over but should know."""
    told = []
    desks = {
        (timer.case.entity_id, str(decision.outcome["role"]))
        for timer, decision in zip(timers, decisions, strict=True)
        if decision.outcome["role"]
    }
    sitting, named = people_at(desks, now), _people(decisions)
    for timer, decision in zip(timers, decisions, strict=True):
        case, role = timer.case, str(decision.outcome["role"])
        people = {
            case.owner_id, named.get(_person_of(decision)),
            *sitting.get((case.entity_id, role), ()),
        } - {None}  # fmt: skip
        text = in_words(case.type, case.subject_label, case.severity, SAID[timer.kind])
        told += [
            Told(
                user_id=person,
                case_id=case.pk,
                kind=_notice_kind(timer.kind),
                key=f"timer:{timer.pk}",
                text=text,
                is_urgent=bool(decision.outcome["by_mail"]) and case.severity <= URGENT,
            )
            for person in sorted(p for p in people if p)
        ]
    tell(told, now)


def _notice_kind(clock: str) -> str:
    if clock == Kind.PREDICTED:
        return Notice.Kind.PREDICTED.value
    return Notice.Kind.FOLLOW_UP.value if clock == Kind.FOLLOW_UP else Notice.Kind.ESCALATED.value


def _fact(case: ExceptionCase, one: Fired) -> Any:
    if one.kind == Kind.FOLLOW_UP:
        return CaseChanged(case_id=case.pk, entity_id=case.entity_id)
    return CaseEscalated(
        case_id=case.pk,
        entity_id=case.entity_id,
        level=one.level,
        kind=one.kind,
        due_at=one.due_at.isoformat(),
        by_webhook=int(one.by_webhook),
        final=one.final,
        type=case.type,
        subject=case.subject_label,
        severity=case.severity,
        queue=case.queue,
        said=SAID[one.kind],
    )


def _record(cases: Mapping[int, ExceptionCase], fired: Sequence[Fired], now: datetime) -> None:
    record(
        changes=[
            Change(
                entity_id=cases[one.case_id].entity_id,
                action="exceptions.go_on" if one.kind == Kind.FOLLOW_UP else "exceptions.escalate",
                subject_kind="exceptions.case",
                subject_id=one.case_id,
                thread=thread(one.case_id, cases[one.case_id].order_id),
                after={
                    "level": one.level,
                    "queue": cases[one.case_id].queue,
                    "due_at": one.due_at,
                },
                reason=f"{label_of(cases[one.case_id].type)} {SAID[one.kind]}.",
            )
            for one in fired
        ],
        actor=None,
        now=now,
    )

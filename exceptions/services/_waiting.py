"""Puts a case off our desk: it waits on somebody outside, or its owner wants it out of sight."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Question, decide
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions.events import CaseChanged
from exceptions.models import ExceptionCase, WaitingOn
from exceptions.selectors import label_of
from exceptions.services._lasting import note_where
from exceptions.services._ranking import BusinessClock
from exceptions.services._telling import tell_of
from exceptions.services._timing import set_timers
from exceptions.services._working import NothingSaid, refuse_closed, restart_clock

NO_LONGER_WAITING: Mapping[str, Any] = {
    "waiting_on": "",
    "follow_up_at": None,
    "clock_stopped_at": None,
    "snoozed_until": None,
}


class BadWait(DomainError):
    """A case waits on somebody outside, until a moment that policy allows."""

    code: ClassVar[str] = "bad_wait"


class NotWaiting(DomainError):
    """Only a case that waits goes on."""

    code: ClassVar[str] = "not_waiting"


@transaction.atomic
def wait(
    *, case_id: int, on: str, until: datetime, reason: str, actor: User, now: datetime
) -> ExceptionCase:
    """Let a case wait on a customer, supplier, carrier or another system until we ask again.

    Whether its resolve clock stands still meanwhile, and for how much business time at most, says
    the policy `exceptions.waiting`. Who lets it wait is on it: it is acknowledged by that.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        NothingSaid: no reason is given.
        BadWait: on nobody known, into the past, or longer than the policy allows.

    Publishes:
        CaseChanged
    """
    if on not in WaitingOn.values:
        raise BadWait("It can wait on a customer, supplier, carrier or another system.")
    if not reason.strip():
        raise NothingSaid("Say what it waits for.")
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if case.state == case.State.WAITING:
        restart_clock(case, now)
        case.start()
    stops = _refuse_too_long(case, on, until, now)
    if case.state == case.State.OPEN:
        case.assign(to_id=actor.pk)
    case.owner_id = case.owner_id or actor.pk
    case.acknowledged_at = case.acknowledged_at or now
    case.wait(on=on, ask_again_at=until, clock_stopped_at=now if stops else None)
    case.updated_at = now
    case.save()
    after = {"waiting_on": on, "until": until, "clock": "stands still" if stops else "runs on"}
    _tell(case, "wait", actor, now, after, reason=reason)
    return case


@transaction.atomic
def go_on(*, case_id: int, actor: User | None, now: datetime, reason: str = "") -> ExceptionCase:
    """Take a waiting case up again: its resolve clock has the business time left that it had.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        NotWaiting: it does not wait.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if case.state != case.State.WAITING:
        raise NotWaiting(f"{label_of(case.type)} {case.subject_label} waits on nobody.")
    waited_on = case.waiting_on
    restart_clock(case, now)
    case.start()
    case.updated_at = now
    case.save()
    after = {"waited_on": waited_on, "resolve_by": case.resolve_by}
    _tell(case, "go_on", actor, now, after, reason=reason or f"Waited on the {waited_on}.")
    return case


@transaction.atomic
def snooze(*, case_id: int, until: datetime | None, actor: User, now: datetime) -> ExceptionCase:
    """Take a case out of its owner's sight until then (None: show it again). Clocks run on.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        BadWait: not ahead, or past the moment by which it must be acknowledged or resolved.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if until is not None:
        latest = case.resolve_by if case.acknowledged_at else case.acknowledge_by
        if until <= now:
            raise BadWait("It can be put off until a later moment only.")
        if until > latest:
            raise BadWait(f"Its clock runs out at {latest:%-d %b %H:%M} UTC: put it off less.")
    case.snoozed_until, case.updated_at = until, now
    case.save(update_fields=["snoozed_until", "updated_at"])
    _tell(case, "snooze", actor, now, {"until": until})
    return case


def _refuse_too_long(case: ExceptionCase, on: str, until: datetime, now: datetime) -> bool:
    """Return whether the clock stops while it waits.

    Raises:
        BadWait: it would wait longer than the policy allows, or not at all.
    """
    question = Question(
        entity_id=case.entity_id,
        subject_kind="exceptions.case",
        subject_id=case.pk,
        facts={"type": case.type, "severity": case.severity, "on": on},
    )
    (found,) = decide(policy="exceptions.waiting", questions=[question], now=now)
    latest = BusinessClock([case.entity_id]).calendar(case.entity_id, now).add(
        now, timedelta(minutes=int(found.outcome["most_minutes"]))
    )  # fmt: skip
    if not now < until <= latest:
        raise BadWait(
            f"Ask again later than now, and by {latest:%-d %b %H:%M} UTC at the latest"
            f" ({found.policy_version})."
        )
    return bool(found.outcome["stops_clock"])


def _tell(
    case: ExceptionCase,
    action: str,
    actor: User | None,
    now: datetime,
    after: Mapping[str, object],
    *,
    reason: str = "",
) -> None:
    set_timers([case.pk], now)
    note_where([case.pk], now)
    after = {"state": str(case.state), **after}
    tell_of([case], action, actor=actor, now=now, after=after, reason=reason)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))

"""Runs the way out that somebody chose, whole or not at all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Fact, Question, decide
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions.events import CaseChanged, CaseResolved
from exceptions.models import ExceptionCase, PlayRequest, PlayRun
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.rules.plays import Play, not_chosen
from exceptions.rules.yardstick import about_dollars
from exceptions.selectors import case_type, label_of, plays_of
from exceptions.services._asking import Gate, ask_for
from exceptions.services._lasting import note_closed, note_where
from exceptions.services._raising import raise_cases
from exceptions.services._running import RUNNERS
from exceptions.services._telling import tell_of
from exceptions.services._timing import set_timers
from exceptions.services._working import refuse_closed, restart_clock


class PlayNotOffered(DomainError):
    """The way out is not, or no longer, one of this case."""

    code: ClassVar[str] = "play_not_offered"


class GateClosed(DomainError):
    """The person may not run this play: its gate says who may."""

    code: ClassVar[str] = "gate_closed"


class PriceMoved(DomainError):
    """The play costs more, or comes later, than the person was shown."""

    code: ClassVar[str] = "price_moved"


@transaction.atomic
def run_play(
    *, case_id: int, key: str, actor: User, now: datetime, quoted: Decimal | None = None
) -> PlayRun | PlayRequest:
    """Run one way out through the domains' services, and keep it beside those not chosen.

    All in one transaction: when any step is refused, everything is as it was before. The case
    closes when its condition is over; otherwise it goes on, in progress. Locks the type, the case,
    then what the services lock. `quoted` is the cost the person saw; a dearer play is refused.
    Where the policy `exceptions.play_gate` wants somebody's agreement, it is asked for, and the
    request is returned: the play runs when it is agreed to. Asking again returns what waits.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: somebody, or the world, was quicker.
        PlayNotOffered: the way out is not there any more.
        GateClosed: the person may not run it.
        PriceMoved: it costs more than was shown.
        OtherPlayWaits: another way out of the case waits for agreement.
        DomainError: a step was refused; the sentence is that service's.

    Publishes:
        CaseResolved
        CaseChanged
    """
    case = locked_case(case_id)
    offered = plays_of(case, user=actor, now=now)
    play = chosen_of(offered, key, quoted)
    return pass_gate(case, play, offered, actor=actor, now=now)


def locked_case(case_id: int) -> ExceptionCase:
    """Lock the type, then the case.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: somebody, or the world, was quicker.
    """
    found = ExceptionCase.objects.get(pk=case_id)
    ExceptionCase.objects.settle([found.type])
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    return case


def pass_gate(
    case: ExceptionCase,
    play: Play,
    offered: Sequence[Play],
    *,
    actor: User | None,
    now: datetime,
    policy_version: str = "",
) -> PlayRun | PlayRequest:
    """Run a play of a locked case, or ask for the agreement that the policy wants."""
    gate = gate_of(case, play, now)
    if gate.needs_approval:
        request, is_agreed = ask_for(case, play, offered, actor=actor, gate=gate, now=now)
        if not is_agreed:
            return request
    version = policy_version or gate.policy_version
    return perform(
        case,
        play,
        offered,
        actor=actor,
        now=now,
        undo_until=gate.undo_until,
        policy_version=version,
    )


def gate_of(case: ExceptionCase, play: Play, now: datetime) -> Gate:
    """Ask the policy about a play, and keep what it says."""
    facts: dict[str, Fact] = {
        "type": case.type,
        "play": play.key.partition(".")[0],
        "cost": about_dollars(play.cost, play.currency),
        "losers_value": about_dollars(play.taken, play.currency),
    }
    question = Question(case.entity_id, "exceptions.case", case.pk, facts)
    (decision,) = decide(policy="exceptions.play_gate", questions=[question], now=now)
    said = decision.outcome
    hours = int(said["undo_hours"]) if PLAY_KINDS[play.key.partition(".")[0]].undo else 0
    return Gate(
        bool(said["approval"]),
        str(said["permission"]),
        str(said["role"]),
        now + timedelta(hours=hours) if hours else None,
        decision.policy_version,
    )


def perform(
    case: ExceptionCase,
    play: Play,
    offered: Sequence[Play],
    *,
    actor: User | None,
    now: datetime,
    undo_until: datetime | None,
    policy_version: str,
) -> PlayRun:
    """Run a play of a locked case that passed its gate, and keep what became of it."""
    key = play.key.partition(".")[0]
    done = RUNNERS[key](play, actor, now)
    outcome = done.said
    run = PlayRun.objects.create(
        case=case,
        key=key,
        chosen=play.kept(),
        alternatives=not_chosen(offered, play),
        made=dict(done.made),
        run_at=now,
        run_by=actor,
        outcome=outcome[:300],
        policy_version=policy_version,
        undo_until=undo_until,
    )
    left = case_type(case.type).find(now=now, subject_ids=[case.subject_id])
    if left:
        raise_cases(conditions=left, now=now)
        _go_on(case, actor, now)
        publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    else:
        case.resolve(by_id=actor and actor.pk, at=now, resolution=outcome[:300])
        case.updated_at = now
        case.save()
        set_timers([case.pk], now)
        note_closed([case.pk], now)
        publish(CaseResolved(case_id=case.pk, entity_id=case.entity_id, state=case.state))
    _record(case, play, run, actor, now)
    return run


def chosen_of(offered: Sequence[Play], key: str, quoted: Decimal | None) -> Play:
    """Return the play that was chosen, as it is priced now, or refuse it."""
    play = next((one for one in offered if one.key == key), None)
    if play is None:
        raise PlayNotOffered("That way out is gone: look at the case again.")
    if play.barred:
        raise GateClosed(play.barred)
    if quoted is not None and play.cost > quoted:
        raise PriceMoved(
            f"{play.title} costs {play.cost:,.2f} {play.currency} now, not {quoted:,.2f}:"
            " look at it again."
        )
    return play


def _go_on(case: ExceptionCase, actor: User | None, now: datetime) -> None:
    """Mark a case that the play mended only in part as in the hands of who ran it."""
    fresh = ExceptionCase.objects.lock(case.pk)
    if fresh.state == fresh.State.WAITING or actor is None:  # the play was to wait; or nobody's
        return
    if fresh.state != fresh.State.IN_PROGRESS:
        restart_clock(fresh, now)
        fresh.start()
    fresh.owner = actor
    fresh.acknowledged_at = fresh.acknowledged_at or now
    fresh.updated_at = now
    fresh.save()
    set_timers([case.pk], now)
    note_where([case.pk], now)


def _record(
    case: ExceptionCase, play: Play, run: PlayRun, actor: User | None, now: datetime
) -> None:
    tell_of(
        [case],
        "run_play",
        actor=actor,
        now=now,
        after={"play": play.key, "cost": play.cost, "currency": play.currency,
               "new_date": play.new_date, "who_loses": play.who_loses},
        reason=f"{label_of(case.type)} {case.subject_label}: {run.outcome}",
        policy_version=run.policy_version,
    )  # fmt: skip

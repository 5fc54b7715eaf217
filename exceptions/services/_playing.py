"""Runs the way out that somebody chose, whole or not at all."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions.events import CaseChanged, CaseResolved
from exceptions.models import ExceptionCase, PlayRun
from exceptions.rules.plays import Play
from exceptions.selectors import case_type, label_of, plays_of
from exceptions.services._lasting import note_closed, note_where
from exceptions.services._raising import raise_cases
from exceptions.services._running import RUNNERS
from exceptions.services._threads import thread
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
) -> PlayRun:
    """Run one way out through the domains' services, and keep it beside those not chosen.

    All in one transaction: when any step is refused, everything is as it was before. The case
    closes when its condition is over; otherwise it goes on, in progress. Locks the type, the case,
    then what the services lock. `quoted` is the cost the person saw; a dearer play is refused.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: somebody, or the world, was quicker.
        PlayNotOffered: the way out is not there any more.
        GateClosed: the person may not run it.
        PriceMoved: it costs more than was shown.
        DomainError: a step was refused; the sentence is that service's.

    Publishes:
        CaseResolved
        CaseChanged
    """
    found = ExceptionCase.objects.get(pk=case_id)
    ExceptionCase.objects.settle([found.type])
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    offered = plays_of(case, user=actor, now=now)
    play = _chosen(offered, key, quoted)
    done = RUNNERS[key.partition(".")[0]](play, actor, now)
    outcome = done.said
    run = PlayRun.objects.create(
        case=case,
        key=key.partition(".")[0],
        chosen=play.kept(),
        alternatives=[other.kept() for other in offered if other.key != key],
        run_at=now,
        run_by=actor,
        outcome=outcome[:300],
    )
    left = case_type(case.type).find(now=now, subject_ids=[case.subject_id])
    if left:
        raise_cases(conditions=left, now=now)
        _go_on(case, actor, now)
        publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    else:
        case.resolve(by_id=actor.pk, at=now, resolution=outcome[:300])
        case.updated_at = now
        case.save()
        set_timers([case.pk], now)
        note_closed([case.pk], now)
        publish(CaseResolved(case_id=case.pk, entity_id=case.entity_id, state=case.state))
    _record(case, play, outcome, actor, now)
    return run


def _chosen(offered: list[Play], key: str, quoted: Decimal | None) -> Play:
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


def _go_on(case: ExceptionCase, actor: User, now: datetime) -> None:
    """Mark a case that the play mended only in part as in the hands of who ran it."""
    fresh = ExceptionCase.objects.lock(case.pk)
    if fresh.state == fresh.State.WAITING:  # the play was to wait
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


def _record(case: ExceptionCase, play: Play, outcome: str, actor: User, now: datetime) -> None:
    change = Change(
        entity_id=case.entity_id,
        action="exceptions.run_play",
        subject_kind="exceptions.case",
        subject_id=case.pk,
        thread=thread(case.pk, case.order_id),
        after={"play": play.key, "cost": play.cost, "currency": play.currency,
               "new_date": play.new_date, "who_loses": play.who_loses},
        reason=f"{label_of(case.type)} {case.subject_label}: {outcome}"[:300],
    )  # fmt: skip
    record(changes=[change], actor=actor, now=now)

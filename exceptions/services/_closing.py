"""Ends a case by a person's word, and takes it up again."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions.events import CaseOpened, CaseResolved
from exceptions.models import ExceptionCase
from exceptions.selectors import case_type, label_of
from exceptions.services._hanging import hang
from exceptions.services._lasting import note_closed, note_where
from exceptions.services._ranking import Rank, owners, route
from exceptions.services._telling import tell_of
from exceptions.services._timing import set_timers
from exceptions.services._working import NothingSaid, refuse_closed


class StillSo(DomainError):
    """The condition holds: a case closes when it is over, or is dismissed with a reason."""

    code: ClassVar[str] = "still_so"


class NotClosed(DomainError):
    """A live case needs no reopening."""

    code: ClassVar[str] = "not_closed"


class NothingToReopen(DomainError):
    """The condition is over, or another case is open for it already."""

    code: ClassVar[str] = "nothing_to_reopen"


@transaction.atomic
def dismiss(*, case_id: int, reason: str, actor: User | None, now: datetime) -> ExceptionCase:
    """Decide that a condition does not matter: no other case is opened while it lasts.

    It comes back by itself if it gets worse. Without `actor` its ladder of escalation ended so.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        NothingSaid: no reason is given.

    Publishes:
        CaseResolved
    """
    if not reason.strip():
        raise NothingSaid("Say why it does not matter.")
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    case.dismiss(by_id=actor and actor.pk, at=now, resolution=reason.strip()[:300])
    _save_closed(case, "dismiss", actor, now)
    publish(CaseResolved(case_id=case.pk, entity_id=case.entity_id, state=case.state))
    return case


@transaction.atomic
def resolve(*, case_id: int, resolution: str, actor: User, now: datetime) -> ExceptionCase:
    """Close a case whose condition is over, or that only a person may close.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        NothingSaid: no resolution is given.
        StillSo: the condition still holds.

    Publishes:
        CaseResolved
    """
    if not resolution.strip():
        raise NothingSaid("Say how it was resolved.")
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    kind = case_type(case.type)
    if kind.self_clearing:
        for condition in kind.find(now=now, subject_ids=[case.subject_id]):
            raise StillSo(
                f"{condition.subject_label}: {condition.summary}. Run one of the ways out,"
                " or dismiss the case with a reason."
            )
    case.resolve(by_id=actor.pk, at=now, resolution=resolution.strip()[:300])
    _save_closed(case, "resolve", actor, now)
    publish(CaseResolved(case_id=case.pk, entity_id=case.entity_id, state=case.state))
    return case


@transaction.atomic
def reopen(*, case_id: int, actor: User, now: datetime) -> ExceptionCase:
    """Take up a closed case whose condition holds, with fresh clocks.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        NotClosed: it is live.
        NothingToReopen: the condition is over, or another case stands for it.

    Publishes:
        CaseOpened
    """
    found = ExceptionCase.objects.get(pk=case_id)
    ExceptionCase.objects.settle([found.type])
    case = ExceptionCase.objects.lock(case_id)
    if case.state in ExceptionCase.LIVE:
        raise NotClosed(f"{label_of(case.type)} {case.subject_label} is open.")
    conditions = case_type(case.type).find(now=now, subject_ids=[case.subject_id])
    others = ExceptionCase.objects.filter(
        type=case.type, subject_kind=case.subject_kind, subject_id=case.subject_id,
        state__in=ExceptionCase.LIVE,
    )  # fmt: skip
    if not conditions or others.exists():
        raise NothingToReopen(f"{case.subject_label}: there is nothing left to do about it.")
    (found_route,) = route(conditions, [Rank(case.severity, case.policy_version)], now)
    case.reopen()
    case.queue = found_route.queue
    case.acknowledge_by, case.resolve_by = found_route.acknowledge_by, found_route.resolve_by
    case.start_by, case.parent = found_route.start_by, None
    case.owner_id, case.escalation_level = None, 0
    (person,) = owners([(case.entity_id, case.queue)], now)
    if person is not None:
        case.assign(to_id=person)
    case.updated_at = now
    case.save()
    set_timers([case.pk], now)
    note_where([case.pk], now)
    _tell(case, "reopen", actor, now)
    hang([case.pk], now)
    publish(
        CaseOpened(
            case_id=case.pk, entity_id=case.entity_id, type=case.type, severity=case.severity
        )
    )
    return case


def _save_closed(case: ExceptionCase, action: str, actor: User | None, now: datetime) -> None:
    case.updated_at = now
    case.save()
    set_timers([case.pk], now)
    note_closed([case.pk], now)
    _tell(case, action, actor, now)


def _tell(case: ExceptionCase, action: str, actor: User | None, now: datetime) -> None:
    after = {"state": str(case.state)}
    tell_of([case], action, actor=actor, now=now, after=after, reason=case.resolution)

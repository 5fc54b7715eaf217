"""What people do with a case: take it, hand it over, say that they are on it, write."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import RoleAssignment, User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions import permissions
from exceptions.events import CaseChanged
from exceptions.models import CaseComment, CaseTimer, ExceptionCase
from exceptions.selectors import label_of
from exceptions.services._threads import thread
from exceptions.services._timing import cancel_timers, set_timers

COMMENT_MAX = 4_000


class CaseClosed(DomainError):
    """The case is over: somebody, or the world, was quicker."""

    code: ClassVar[str] = "case_closed"


class AlreadyTaken(DomainError):
    """Somebody else has said that they are on it."""

    code: ClassVar[str] = "already_taken"


class CannotOwn(DomainError):
    """The person has no right to work cases of that entity."""

    code: ClassVar[str] = "cannot_own"


class NothingSaid(DomainError):
    """A comment, or a reason, has words."""

    code: ClassVar[str] = "nothing_said"


@transaction.atomic
def take(*, case_id: int, actor: User, now: datetime) -> ExceptionCase:
    """Make `actor` the owner, who acknowledges it by that. Taking one's own again changes nothing.

    A case that waits with somebody who has not acknowledged it may be taken.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        AlreadyTaken: somebody else is on it.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if case.acknowledged_at is not None and case.owner_id == actor.pk:
        return case
    if case.acknowledged_at is not None and case.owner_id is not None:
        raise AlreadyTaken(
            f"{case.owner} took this case at {case.acknowledged_at:%H:%M} UTC: ask them for it."
        )
    before = {"state": case.state, "owner": case.owner_id}
    _on_it(case, actor, now)
    _tell(case, "exceptions.take", actor, now, before=before)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    return case


@transaction.atomic
def acknowledge(*, case_id: int, actor: User, now: datetime) -> ExceptionCase:
    """Say that `actor` has seen it and is on it: an alias of taking it, by its owner or nobody's.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        AlreadyTaken: it is somebody else's.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if case.owner_id not in (None, actor.pk):
        raise AlreadyTaken(f"This case is {case.owner}'s: take it first.")
    if case.acknowledged_at is not None:
        return case
    before = {"state": case.state, "owner": case.owner_id}
    _on_it(case, actor, now)
    _tell(case, "exceptions.acknowledge", actor, now, before=before)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    return case


@transaction.atomic
def assign(
    *, case_id: int, to: User | None, actor: User, now: datetime, queue: str = ""
) -> ExceptionCase:
    """Hand a case to a person, or back to a queue (`to` None; `queue` "": the one it stands in).

    Its clocks run on; handed back, it waits to be acknowledged again.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        CaseClosed: it is over.
        CannotOwn: that person may not work cases of the entity, or nobody there has that role.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.lock(case_id)
    refuse_closed(case)
    if to is not None and not to.has_perm(permissions.WORK, case.entity_id):
        raise CannotOwn(f"{to} does not work exceptions of this entity.")
    if queue and not RoleAssignment.objects.filter(entity=case.entity_id, role=queue).exists():
        raise CannotOwn(f"Nobody has the role {queue} in this entity.")
    before = {"owner": case.owner_id, "queue": case.queue}
    case.queue = queue or case.queue
    if to is not None and case.state in (case.State.OPEN, case.State.ASSIGNED):
        case.assign(to_id=to.pk)
    elif to is None and case.state != case.State.OPEN:
        case.hand_back()
    else:
        case.owner = to
    case.updated_at = now
    case.save(update_fields=["state", "owner", "queue", "acknowledged_at", "updated_at"])
    if case.acknowledged_at is None and case.acknowledge_by > now:
        set_timers([(case.pk, case.acknowledge_by, case.resolve_by)], now)
    _tell(case, "exceptions.assign", actor, now, before=before)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    return case


@transaction.atomic
def comment(*, case_id: int, text: str, actor: User, now: datetime) -> CaseComment:
    """Write something on a case, closed or not.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
        NothingSaid: the text is empty, or longer than 4,000 characters.

    Publishes:
        CaseChanged
    """
    case = ExceptionCase.objects.get(pk=case_id)
    said = text.strip()
    if not said or len(said) > COMMENT_MAX:
        raise NothingSaid(f"Write between 1 and {COMMENT_MAX} characters.")
    written = CaseComment.objects.create(case=case, author=actor, at=now, text=said)
    _tell(case, "exceptions.comment", actor, now, reason=said[:300])
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))
    return written


def refuse_closed(case: ExceptionCase) -> None:
    """Refuse to go on with a case that is over.

    Raises:
        CaseClosed: with who closed it, when and why.
    """
    if case.state in ExceptionCase.LIVE or case.resolved_at is None:
        return
    who = f"{case.resolved_by} {case.state} it" if case.resolved_by else "it cleared by itself"
    raise CaseClosed(
        f"{label_of(case.type)} {case.subject_label} is over: {who}"
        f" on {case.resolved_at:%-d %b at %H:%M} UTC ({case.resolution.rstrip('.')})."
    )


def _on_it(case: ExceptionCase, actor: User, now: datetime) -> None:
    if case.state in (case.State.OPEN, case.State.ASSIGNED):
        case.acknowledge(by_id=actor.pk, at=now)
    else:
        case.owner = actor
        case.acknowledged_at = case.acknowledged_at or now
    case.updated_at = now
    case.save(update_fields=["state", "owner", "acknowledged_at", "updated_at"])
    cancel_timers([case.pk], now, CaseTimer.Kind.ACKNOWLEDGE)


def _tell(
    case: ExceptionCase,
    action: str,
    actor: User,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    change = Change(
        entity_id=case.entity_id,
        action=action,
        subject_kind="exceptions.case",
        subject_id=case.pk,
        thread=thread(case.pk, case.order_id),
        before=before,
        after={"state": str(case.state), "owner": case.owner_id, "queue": case.queue},
        reason=reason or f"{label_of(case.type)} {case.subject_label}",
    )
    record(changes=[change], actor=actor, now=now)

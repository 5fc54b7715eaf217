"""What people do with a case: take it, hand it over, say that they are on it, write."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import RoleAssignment, User
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish
from exceptions import permissions
from exceptions.events import CaseChanged
from exceptions.models import CaseComment, CaseWatcher, ExceptionCase, Notice
from exceptions.selectors import label_of
from exceptions.services._lasting import note_where
from exceptions.services._noticing import URGENT, Told, in_words, tell
from exceptions.services._ranking import BusinessClock
from exceptions.services._telling import tell_of
from exceptions.services._timing import set_timers

COMMENT_MAX = 4_000
MENTIONS_MAX = 50
MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9][\w.-]{0,149})")


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
    _tell(case, "take", actor, now, before=before)
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
    _tell(case, "acknowledge", actor, now, before=before)
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
        restart_clock(case, now)
        case.hand_back()
    else:
        case.owner = to
    case.snoozed_until = None
    case.updated_at = now
    case.save()
    _tell(case, "assign", actor, now, before=before)
    if to is not None and to.pk != actor.pk:
        _say(case, [to.pk], Notice.Kind.ASSIGNED, f"{actor} handed it to you", now)
    return case


@transaction.atomic
def comment(*, case_id: int, text: str, actor: User, now: datetime) -> CaseComment:
    """Write something on a case, closed or not. `@name` tells that person, if they may see it.

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
    _tell(case, "comment", actor, now, reason=said[:300])
    _tell_readers(case, written, actor, now)
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


@transaction.atomic
def watch(*, case_id: int, actor: User, now: datetime, is_on: bool = True) -> None:
    """Let `actor` be told what happens to a case, or no more. Repeating changes nothing.

    Raises:
        ExceptionCase.DoesNotExist: there is no such case.
    """
    case = ExceptionCase.objects.get(pk=case_id)
    if is_on:
        CaseWatcher.objects.get_or_create(case=case, user=actor, defaults={"since": now})
    else:
        CaseWatcher.objects.filter(case=case, user=actor).delete()


def restart_clock(case: ExceptionCase, now: datetime, clock: BusinessClock | None = None) -> None:
    """Give a waiting case the business time that its clock had left. Saves nothing."""
    if case.clock_stopped_at is None:
        return
    clock = clock or BusinessClock([case.entity_id])
    left = clock.between(case.entity_id, case.clock_stopped_at, case.resolve_by)
    if left:
        case.resolve_by = clock.calendar(case.entity_id, now).add(now, left)


def mentioned(text: str) -> set[str]:
    """Return the user names that a text speaks to: what follows an @, at most fifty."""
    return {name.rstrip(".-_") for name in MENTION.findall(text)[:MENTIONS_MAX]}


def _tell_readers(case: ExceptionCase, written: CaseComment, actor: User, now: datetime) -> None:
    """Tell who was spoken to, then the owner and the watchers; each once."""
    names = mentioned(written.text)
    spoken_to = [
        person.pk
        for person in User.objects.filter(username__in=names, is_active=True).order_by("pk")
        if person.pk != actor.pk and person.has_perm(permissions.VIEW, case.entity_id)
    ]
    watching = set(case.watchers.values_list("user_id", flat=True)) | {case.owner_id}
    others = sorted(pk for pk in watching - {actor.pk, None, *spoken_to} if pk)
    said = f"{actor}: {written.text}"
    key = f"comment:{written.pk}"
    _say(case, spoken_to, Notice.Kind.MENTIONED, said, now, key=key, is_urgent=True)
    _say(case, others, Notice.Kind.WATCHED, said, now, key=key)


def _say(
    case: ExceptionCase,
    people: Sequence[int],
    kind: Notice.Kind,
    said: str,
    now: datetime,
    *,
    key: str = "",
    is_urgent: bool = False,
) -> None:
    tell(
        [
            Told(
                user_id=person,
                case_id=case.pk,
                kind=kind.value,
                key=key or f"{kind.value}:{case.pk}:{now.isoformat()}",
                text=in_words(case.type, case.subject_label, case.severity, said),
                is_urgent=is_urgent or case.severity <= URGENT,
            )
            for person in people
        ],
        now,
    )


def _on_it(case: ExceptionCase, actor: User, now: datetime) -> None:
    if case.state in (case.State.OPEN, case.State.ASSIGNED):
        case.acknowledge(by_id=actor.pk, at=now)
    else:
        case.owner = actor
        case.acknowledged_at = case.acknowledged_at or now
    case.snoozed_until, case.updated_at = None, now
    case.save(update_fields=["state", "owner", "acknowledged_at", "snoozed_until", "updated_at"])


def _tell(
    case: ExceptionCase,
    action: str,
    actor: User,
    now: datetime,
    *,
    before: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    set_timers([case.pk], now)
    note_where([case.pk], now)
    after = {"state": str(case.state), "owner": case.owner_id, "queue": case.queue}
    tell_of([case], action, actor=actor, now=now, before=before, after=after, reason=reason)
    publish(CaseChanged(case_id=case.pk, entity_id=case.entity_id))

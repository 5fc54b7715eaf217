"""Deciding for somebody else: passing one's approvals on for a while, and being away."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction
from django.db.models import Q

from erp.accounts.models import Entity, RoleAssignment, User
from erp.governance.events import ApprovalsDelegated
from erp.governance.models import Absence, Approval, Delegation
from erp.governance.permissions import DELEGATE_FOR_OTHERS
from erp.governance.selectors import entitlements_of, same_person
from erp.governance.services._agreeing import NotYours
from erp.governance.services._recording import Change, record
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish

LONGEST = timedelta(days=366)


class BadDelegation(DomainError):
    """It cannot be passed on like this. `errors` names the field."""

    code: ClassVar[str] = "bad_delegation"

    def __init__(self, field: str, message: str) -> None:
        self.errors = [{"field": field, "code": self.code, "message": message}]
        super().__init__(message)


@transaction.atomic
def delegate(
    *,
    delegator: User,
    delegate: User,
    entity_id: int,
    starts_at: datetime,
    ends_at: datetime,
    actor: User,
    now: datetime,
    role: str = "",
    reason: str = "",
) -> Delegation:
    """Let `delegate` decide on behalf of `delegator` in an entity, up to just before `ends_at`.

    `role` narrows it to what that role lets the delegator decide. The powers that somebody passed
    on to the delegator are not part of it. Doing it again changes nothing.

    Raises:
        BadDelegation: to oneself or one's own second account, to somebody without a role in that
            entity, of a role the delegator does not hold there, backwards, in the past, or longer
            than a year.
        NotYours: it is somebody else's to pass on.

    Publishes:
        ApprovalsDelegated
    """
    _check_actor(actor, delegator, entity_id)
    _check_window(starts_at, ends_at, now)
    _check_people(delegator, delegate, entity_id, starts_at, ends_at)
    held = _roles(delegator, entity_id, starts_at, ends_at)
    if role and role not in held:
        raise BadDelegation("role", f"{delegator} does not hold that role there.")
    if not held and not delegator.is_superuser:
        raise BadDelegation("delegator", f"{delegator} has no role there to pass on.")
    return _write(
        Delegation(
            delegator=delegator,
            delegate=delegate,
            entity_id=entity_id,
            role=role,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason.strip()[:200],
        ),
        actor,
        now,
    )


@transaction.atomic
def delegate_request(
    *, approval_id: int, delegate: User, ends_at: datetime, actor: User, now: datetime,
    reason: str = "",
) -> Delegation:  # fmt: skip
    """Pass on one request that the actor could decide, until `ends_at`. Again changes nothing.

    Raises:
        Approval.DoesNotExist: there is no such request.
        NotYours: the actor may not decide it by a right of their own.
        BadDelegation: to oneself, to somebody without a role in that entity or who took part,
            in the past or for longer than a year.

    Publishes:
        ApprovalsDelegated
    """
    approval = Approval.objects.lock(approval_id)
    steps = approval.steps.filter(state="open").values_list("pk", flat=True)
    rights = entitlements_of(user=actor, now=now, step_ids=list(steps))
    if not any(right.holder_id is None and not right.unfit for right in rights):
        raise NotYours(f"{approval.document_label} is not yours to pass on.")
    _check_window(now, ends_at, now)
    _check_people(actor, delegate, approval.entity_id, now, ends_at)
    if same_person(one=delegate, others=[approval.requested_by_id, *approval.barred]):
        raise BadDelegation("to", f"{delegate} took part in {approval.document_label}.")
    return _write(
        Delegation(
            delegator=actor,
            delegate=delegate,
            entity_id=approval.entity_id,
            approval=approval,
            starts_at=now,
            ends_at=ends_at,
            reason=reason.strip()[:200],
        ),
        actor,
        now,
    )


@transaction.atomic
def revoke_delegation(*, delegation_id: int, actor: User, now: datetime) -> Delegation:
    """Take back what was passed on; from now on the delegate decides nothing by it. Idempotent.

    Raises:
        Delegation.DoesNotExist: there is no such delegation.
        NotYours: the actor neither gave nor received it, and may not do it for others.

    Publishes:
        ApprovalsDelegated
    """
    found = Delegation.objects.lock(delegation_id)
    if actor.pk != found.delegate_id:
        _check_actor(actor, found.delegator, found.entity_id)
    if found.revoked_at is not None:
        return found
    found.revoked_at, found.revoked_by = now, actor
    found.save(update_fields=["revoked_at", "revoked_by"])
    _note(found, "governance.revoke_delegation", actor, now)
    _tell(found, is_revoked=1)
    return found


@transaction.atomic
def report_absence(
    *, user: User, starts_at: datetime, ends_at: datetime, actor: User, now: datetime,
    reason: str = "",
) -> Absence:  # fmt: skip
    """Say that `user` is away from `starts_at` until `ends_at`. Saying it again changes nothing.

    What only they could decide then goes to whom they passed it on, else to the role of escalation.

    Raises:
        BadDelegation: backwards, in the past, or longer than a year.
        NotYours: the actor is somebody else, who may not do it in every entity of theirs.
    """
    _check_person(actor, user)
    _check_window(starts_at, ends_at, now)
    same = {"user": user, "starts_at": starts_at, "ends_at": ends_at, "cancelled_at": None}
    if found := Absence.objects.filter(**same).first():
        return found
    absence = Absence.objects.create(
        user=user, starts_at=starts_at, ends_at=ends_at, reason=reason.strip()[:200],
        created_by=actor, created_at=now,
    )  # fmt: skip
    _note_absence(absence, "governance.report_absence", actor, now)
    return absence


@transaction.atomic
def end_absence(*, absence_id: int, actor: User, now: datetime) -> Absence:
    """Say that somebody is back, or did not go. Saying it again changes nothing.

    Raises:
        Absence.DoesNotExist: there is no such absence.
        NotYours: the actor is somebody else, who may not do it in every entity of theirs.
    """
    absence = Absence.objects.lock(absence_id)
    _check_person(actor, absence.user)
    if absence.cancelled_at is None:
        absence.cancelled_at = now
        absence.save(update_fields=["cancelled_at"])
        _note_absence(absence, "governance.end_absence", actor, now)
    return absence


def _write(wanted: Delegation, actor: User, now: datetime) -> Delegation:
    User.objects.select_for_update(no_key=True).get(pk=wanted.delegator_id)  # one at a time
    same = Delegation.objects.filter(
        delegator=wanted.delegator_id,
        delegate=wanted.delegate_id,
        entity=wanted.entity_id,
        role=wanted.role,
        approval=wanted.approval_id,
        ends_at=wanted.ends_at,
        revoked_at=None,
    )
    if wanted.approval_id is None:
        same = same.filter(starts_at=wanted.starts_at)
    if found := same.first():
        return found
    wanted.created_by, wanted.created_at = actor, now
    wanted.save(force_insert=True)
    _note(wanted, "governance.delegate", actor, now)
    _tell(wanted, is_revoked=0)
    return wanted


def _check_actor(actor: User, delegator: User, entity_id: int) -> None:
    if actor.pk != delegator.pk and not actor.has_perm(DELEGATE_FOR_OTHERS, entity_id):
        raise NotYours(f"The approvals of {delegator} are not yours to pass on.")


def _check_person(actor: User, user: User) -> None:
    """Let a person speak for themselves, and who may do it for others in all their entities."""
    if actor.pk == user.pk:
        return
    where = set(RoleAssignment.objects.filter(user=user).values_list("entity_id", flat=True))
    if not where or not where <= actor.entity_ids(DELEGATE_FOR_OTHERS):
        raise NotYours(f"{user} says for themselves when they are away.")


def _check_window(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise BadDelegation("until", "It must end after it begins.")
    if ends_at <= now:
        raise BadDelegation("until", "It must end in the future.")
    if ends_at - starts_at > LONGEST:
        raise BadDelegation("until", "It lasts at most a year.")


def _check_people(
    delegator: User, delegate: User, entity_id: int, starts_at: datetime, ends_at: datetime
) -> None:
    if same_person(one=delegate, others=[delegator.pk]):
        raise BadDelegation("to", "Nobody stands in for themselves: name somebody else.")
    if not delegate.is_active or not _roles(delegate, entity_id, starts_at, ends_at):
        code = Entity.objects.get(pk=entity_id).code
        raise BadDelegation("to", f"{delegate} has no role in {code}.")


def _roles(user: User, entity_id: int, starts_at: datetime, ends_at: datetime) -> set[str]:
    """Return the roles that somebody holds in an entity at some moment of that time."""
    held = RoleAssignment.objects.filter(
        Q(valid_from=None) | Q(valid_from__lt=ends_at),
        Q(valid_until=None) | Q(valid_until__gt=starts_at),
        user=user,
        entity_id=entity_id,
    )
    return set(held.values_list("role", flat=True))


def _tell(found: Delegation, *, is_revoked: int) -> None:
    publish(
        ApprovalsDelegated(
            delegation_id=found.pk,
            entity_id=found.entity_id,
            delegator_id=found.delegator_id,
            delegate_id=found.delegate_id,
            is_revoked=is_revoked,
        )
    )


def _note(found: Delegation, action: str, actor: User, now: datetime) -> None:
    change = Change(
        entity_id=found.entity_id,
        action=action,
        subject_kind="governance.delegation",
        subject_id=found.pk,
        thread=f"accounts.user:{found.delegator_id}",
        after={
            "from": found.delegator.username,
            "to": found.delegate.username,
            "role": found.role,
            "approval": found.approval_id,
            "starts_at": found.starts_at,
            "ends_at": found.ends_at,
        },
        reason=found.reason,
    )
    record(changes=[change], actor=actor, now=now)


def _note_absence(absence: Absence, action: str, actor: User, now: datetime) -> None:
    change = Change(
        entity_id=None,
        action=action,
        subject_kind="governance.absence",
        subject_id=absence.pk,
        thread=f"accounts.user:{absence.user_id}",
        after={
            "user": absence.user.username,
            "starts_at": absence.starts_at,
            "ends_at": absence.ends_at,
        },
        reason=absence.reason,
    )
    record(changes=[change], actor=actor, now=now)

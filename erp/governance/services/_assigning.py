"""Giving and taking roles, and bearing the conflicts of duties that they bring."""

from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import Entity, Role, RoleAssignment, User
from erp.accounts.services import assign_role
from erp.governance.events import DutiesChanged
from erp.governance.models import DutyMitigation
from erp.governance.selectors import DutyConflictRow, duty_conflicts, same_person
from erp.governance.services._recording import Change, record
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish


class OwnRole(DomainError):
    """Nobody gives a role to themselves, by whatever account."""

    code: ClassVar[str] = "own_role"


class ConflictingRole(DomainError):
    """The role would let one person do two things that are to be kept apart."""

    code: ClassVar[str] = "conflicting_role"


class BadMitigation(DomainError):
    """A mitigation says why, ends later, and is recorded by somebody else."""

    code: ClassVar[str] = "bad_mitigation"


@transaction.atomic
def grant_role(
    *, user: User, entity: Entity, role: Role, actor: User | None, now: datetime
) -> list[DutyConflictRow]:
    """Give a person a role in an entity; return the new conflicts of duties that only warn.

    All accounts of the person count. Giving it again changes nothing.

    Raises:
        OwnRole: the actor is the person.
        ConflictingRole: the policy refuses what it would bring, and no mitigation bears it.

    Publishes:
        DutiesChanged
    """
    if RoleAssignment.objects.filter(user=user, entity=entity, role=role).exists():
        return []
    if actor is not None and same_person(one=actor, others=[user.pk]):
        raise OwnRole("You cannot give yourself a role: somebody else does.")
    asked = {"entity_ids": [entity.pk], "now": now, "user": user}
    before = {row.pair for row in duty_conflicts(**asked)}  # type: ignore[arg-type]
    after = duty_conflicts(**asked, with_role=(entity.pk, str(role)))  # type: ignore[arg-type]
    new = [row for row in after if row.pair not in before and row.counts]
    for row in new:
        if row.pair.assigning == "refuse":
            raise ConflictingRole(
                f"With {role.label.lower()} {user} could do {row.pair.one} and {row.pair.other}"
                f" in {entity.code}. {row.pair.why} Record a mitigation first."
            )
    assign_role(user=user, entity=entity, role=role)
    warned = [f"{row.pair.one} with {row.pair.other}" for row in new]
    said: dict[str, object] = {"role": str(role), "warned": warned}
    change = _noted(user, entity, "governance.grant_role", said)
    record(changes=[change], actor=actor, now=now)
    publish(DutiesChanged(user_id=user.pk, entity_id=entity.pk))
    return new


@transaction.atomic
def end_role(*, user: User, entity: Entity, role: Role, actor: User | None, now: datetime) -> None:
    """Take a role from a person. Taking it again changes nothing.

    Publishes:
        DutiesChanged
    """
    if RoleAssignment.objects.filter(user=user, entity=entity, role=role).delete()[0]:
        user.__dict__.pop("granted", None)
        change = _noted(user, entity, "governance.end_role", {"role": str(role)})
        record(changes=[change], actor=actor, now=now)
        publish(DutiesChanged(user_id=user.pk, entity_id=entity.pk))


@transaction.atomic
def mitigate_conflict(
    *,
    person: User,
    entity_id: int,
    one: str,
    other: str,
    reason: str,
    until: datetime,
    actor: User,
    now: datetime,
) -> DutyMitigation:
    """Record why a person may hold two conflicting duties until a day; it takes the former's place.

    Raises:
        BadMitigation: no reason, an end that is past, one duty twice, or one's own conflict.

    Publishes:
        DutiesChanged
    """
    first, second = sorted((one, other))
    if not reason.strip() or until <= now or first == second:
        raise BadMitigation("Say why it is borne, of which two duties, and until a day to come.")
    if same_person(one=actor, others=[person.pk]):
        raise BadMitigation("It is your own conflict: somebody else bears it for you.")
    known = DutyMitigation.objects.select_for_update().filter(
        person=person, entity_id=entity_id, one=first, other=second, revoked_at=None
    )
    for former in known:
        _end(former, actor, now)
    made = DutyMitigation.objects.create(
        person=person,
        entity_id=entity_id,
        one=first,
        other=second,
        reason=reason.strip()[:300],
        until=until,
        recorded_by=actor,
        recorded_at=now,
    )
    _told(made, "governance.mitigate_conflict", actor, now)
    publish(DutiesChanged(user_id=person.pk, entity_id=entity_id))
    return made


@transaction.atomic
def revoke_mitigation(*, mitigation_id: int, actor: User, now: datetime) -> None:
    """Let a conflict count again. Revoking again changes nothing.

    Raises:
        DutyMitigation.DoesNotExist: there is no such mitigation.

    Publishes:
        DutiesChanged
    """
    found = DutyMitigation.objects.select_for_update().get(pk=mitigation_id)
    if found.revoked_at is None:
        _end(found, actor, now)
        _told(found, "governance.revoke_mitigation", actor, now)
        publish(DutiesChanged(user_id=found.person_id, entity_id=found.entity_id))


def _end(mitigation: DutyMitigation, actor: User, now: datetime) -> None:
    mitigation.revoked_by, mitigation.revoked_at = actor, now
    mitigation.save(update_fields=["revoked_by", "revoked_at"])


def _told(made: DutyMitigation, action: str, actor: User, now: datetime) -> None:
    change = Change(
        entity_id=made.entity_id,
        action=action,
        subject_kind="governance.mitigation",
        subject_id=made.pk,
        thread=f"accounts.user:{made.person_id}",
        after={"one": made.one, "other": made.other, "until": made.until},
        reason=made.reason,
    )
    record(changes=[change], actor=actor, now=now)


def _noted(user: User, entity: Entity, action: str, after: dict[str, object]) -> Change:
    return Change(
        entity_id=entity.pk,
        action=action,
        subject_kind="accounts.user",
        subject_id=user.pk,
        thread=f"accounts.user:{user.pk}",
        after=after,
    )

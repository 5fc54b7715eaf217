"""Who stands in for whom, who is away, and whom one could ask."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from erp.accounts.models import Role, RoleAssignment, User
from erp.governance.models import Absence, Delegation

KEPT = 50


@dataclass(frozen=True, slots=True)
class DelegationRow:
    """Somebody stands in for somebody in an entity. `state`: planned, active, over, revoked."""

    id: int
    entity_code: str
    delegator_id: int
    delegator: str
    delegate_id: int
    delegate: str
    role: str
    document: str
    approval_id: int | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    state: str

    @property
    def role_label(self) -> str:
        return str(Role(self.role).label) if self.role in Role.values else self.role


def delegations_within(*, user: User, entity_ids: Collection[int]) -> QuerySet[Delegation]:
    """Return what `user` handed over or received, and in which entities they see all of it."""
    others = user.entity_ids("governance.delegate_for_others") & frozenset(entity_ids)
    mine = Q(delegator=user) | Q(delegate=user) | Q(entity_id__in=others)
    found = Delegation.objects.filter(mine, entity_id__in=entity_ids)
    return found.select_related("entity", "delegator", "delegate", "approval")


def delegations_of(
    *, user: User, entity_ids: Collection[int], now: datetime
) -> list[DelegationRow]:
    """Return what `user` handed over or received, the latest to end first."""
    found = delegations_within(user=user, entity_ids=entity_ids).filter(
        Q(delegator=user) | Q(delegate=user)
    )
    return [delegation_row(each, now) for each in found.order_by("-ends_at", "-pk")[:KEPT]]


def delegation_row(found: Delegation, now: datetime) -> DelegationRow:
    """Return a delegation as it is shown."""
    return DelegationRow(
        id=found.pk,
        entity_code=found.entity.code,
        delegator_id=found.delegator_id,
        delegator=str(found.delegator),
        delegate_id=found.delegate_id,
        delegate=str(found.delegate),
        role=found.role,
        document=found.approval.document_label if found.approval else "",
        approval_id=found.approval_id,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        reason=found.reason,
        state=_state(found, now),
    )


def absences_of(*, user: User) -> list[Absence]:
    """Return the absences of `user` that are not over or called off, the next first."""
    found = Absence.objects.filter(user=user, cancelled_at=None, ends_at__gt=timezone.now())
    return list(found.order_by("starts_at")[:KEPT])


def absences_within(*, user: User, entity_ids: Collection[int]) -> QuerySet[Absence]:
    """Return the absences of `user`, and of people in entities where they manage them."""
    others = user.entity_ids("governance.delegate_for_others") & frozenset(entity_ids)
    theirs = RoleAssignment.objects.filter(entity_id__in=others).values("user_id")
    return Absence.objects.filter(Q(user=user) | Q(user_id__in=theirs)).select_related("user")


def colleagues(*, entity_ids: Collection[int], user: User) -> list[User]:
    """Return the active people with a role in these entities, but `user` and their accounts."""
    now = timezone.now()
    held = RoleAssignment.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=now),
        Q(valid_until=None) | Q(valid_until__gt=now),
        entity_id__in=entity_ids,
    )
    found = User.objects.filter(
        pk__in=held.values("user_id"), is_active=True, kind=User.Kind.PERSON
    ).exclude(pk=user.pk)
    if user.employee_ref:
        found = found.exclude(employee_ref=user.employee_ref)
    return list(found.order_by("first_name", "last_name", "username")[:500])


def roles_of(*, user: User, entity_ids: Collection[int]) -> list[str]:
    """Return the roles that `user` holds in any of these entities."""
    held = RoleAssignment.objects.filter(user=user, entity_id__in=entity_ids)
    return sorted(set(held.values_list("role", flat=True)))


def _state(found: Delegation, now: datetime) -> str:
    if found.revoked_at is not None:
        return "revoked"
    if now < found.starts_at:
        return "planned"
    return "active" if now < found.ends_at else "over"

"""Requests for a second pair of eyes."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from erp.accounts.models import User
from erp.governance.models import Approval

PAGE = 100


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A request that waits, or waited. `amount` is in `currency`; `state` as on the model."""

    id: int
    entity_id: int
    entity_code: str
    document_kind: str
    document_id: int
    label: str
    permission: str
    role: str
    amount: Decimal
    currency: str
    consequence: str
    fingerprint: str
    state: str
    requested_by: str
    requested_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    policy_version: str
    is_own: bool = False


def pending_approvals(
    *,
    entity_ids: Collection[int],
    permissions: Collection[str],
    user: User | None = None,
    limit: int = PAGE,
) -> list[PendingApproval]:
    """Return what waits for somebody with one of `permissions`, the oldest first.

    `is_own` marks what `user` asked for or took part in, and so cannot decide.
    """
    waiting = Approval.objects.filter(
        state=Approval.State.PENDING, entity_id__in=entity_ids, permission__in=permissions
    )
    return [shown(each, user) for each in _people(waiting).order_by("pk")[:limit]]


def waiting_for(*, user: User, entity_ids: Collection[int]) -> list[PendingApproval]:
    """Return what `user` may look at in the inbox of these entities: by permission per entity."""
    waiting = approvals_within(user=user, entity_ids=entity_ids).filter(
        state=Approval.State.PENDING
    )
    return [shown(each, user) for each in waiting.order_by("pk")[:PAGE]]


def decided_lately(*, entity_ids: Collection[int], limit: int = 20) -> list[PendingApproval]:
    """Return the last decisions, the newest first."""
    decided = Approval.objects.filter(
        entity_id__in=entity_ids, state__in=[Approval.State.APPROVED, Approval.State.REJECTED]
    )
    return [shown(each, None) for each in _people(decided).order_by("-decided_at")[:limit]]


def approval(approval_id: int) -> PendingApproval:
    """Return one request, whatever its state.

    Raises:
        Approval.DoesNotExist: there is no such request.
    """
    return shown(_people(Approval.objects.all()).get(pk=approval_id), None)


def approval_waiting_for(
    *, document_kind: str, document_id: int, user: User | None = None
) -> PendingApproval | None:
    """Return the request that waits about a document, if there is one."""
    found = _people(
        Approval.objects.filter(
            document_kind=document_kind, document_id=document_id, state=Approval.State.PENDING
        )
    ).first()
    return None if found is None else shown(found, user)


def approval_page(*, approval_id: int, user: User) -> PendingApproval | None:
    """Return one request if `user` may decide such ones in its entity, or asked for it."""
    found = _people(Approval.objects.filter(pk=approval_id)).first()
    if found is None:
        return None
    if not user.has_perm(found.permission, found.entity_id) and found.requested_by_id != user.pk:
        return None
    return shown(found, user)


def approvals_within(*, user: User, entity_ids: Collection[int]) -> QuerySet[Approval]:
    """Return the requests that `user` may decide by permission, or asked for, in any state."""
    may = Q(requested_by=user, entity_id__in=entity_ids)
    for permission in set(Approval.objects.values_list("permission", flat=True).distinct()):
        held = user.entity_ids(permission) & frozenset(entity_ids)
        may |= Q(permission=permission, entity_id__in=held)
    return _people(Approval.objects.filter(may))


def waiting_count(*, entity_ids: Collection[int], user: User) -> int:
    """Return how many requests wait for `user` in these entities."""
    return sum(not each.is_own for each in waiting_for(user=user, entity_ids=entity_ids))


def shown(request: Approval, user: User | None) -> PendingApproval:
    """Return a request as pages and the API show it. Reads its entity and people."""
    own = user is not None and user.pk in {request.requested_by_id, *request.barred}
    if not own and user is not None and user.employee_ref and request.requested_by is not None:
        own = request.requested_by.employee_ref == user.employee_ref
    return PendingApproval(
        id=request.pk,
        entity_id=request.entity_id,
        entity_code=request.entity.code,
        document_kind=request.document_kind,
        document_id=request.document_id,
        label=request.document_label,
        permission=request.permission,
        role=request.role,
        amount=request.amount,
        currency=request.currency,
        consequence=request.consequence,
        fingerprint=request.fingerprint,
        state=str(request.state),
        requested_by=_name(request.requested_by),
        requested_at=request.requested_at,
        decided_by=_name(request.decided_by),
        decided_at=request.decided_at,
        decision_reason=request.decision_reason,
        policy_version=request.policy_version,
        is_own=own,
    )


def _people(found: QuerySet[Approval]) -> QuerySet[Approval]:
    return found.select_related("entity", "requested_by", "decided_by")


def _name(user: User | None) -> str:
    return str(user) if user is not None else ""

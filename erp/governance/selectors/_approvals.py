"""Requests for a second pair of eyes."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from erp.accounts.models import RoleAssignment, User
from erp.governance.models import Approval, ApprovalStep, ApprovalTimer
from erp.governance.rules.approving import rank_of
from erp.governance.selectors._entitled import Entitlement, entitlements_of

PAGE = 100
KEPT = 20


@dataclass(frozen=True, slots=True)
class StepRow:
    """One agreement that a request needs. `who` is asked; `decided_by` for `on_behalf_of`, if set.

    `is_now`: it is open. `due_at` is when it runs out. `stranded` says why nobody can decide it.
    """

    id: int
    number: int
    permission: str
    role: str
    escalated_to: str
    rule: str
    state: str
    hours: int
    on_expiry: str
    escalate_to: str
    opened_at: datetime | None
    due_at: datetime | None
    decided_by: str
    on_behalf_of: str
    decided_at: datetime | None
    reason: str
    stranded: str

    @property
    def is_now(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class PendingApproval:
    """A request that waits, or waited. `amount` is in `currency`; `state` as on the model.

    `is_own` marks what the person asked for, took part in or decided before, and so cannot decide
    (`unfit` says which: "own", "delegate" or "before"); `may_decide` what they can, `acting_for`
    whom where it is not by their own right. `rank` orders the inbox: money times days waited.
    """

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
    unfit: str = ""
    may_decide: bool = False
    acting_for: str = ""
    is_automatic: bool = False
    matrix_version: str = ""
    facts: Mapping[str, Any] | None = None
    effects: Sequence[Mapping[str, str]] = ()
    steps: Sequence[StepRow] = ()
    due_at: datetime | None = None
    rank: Decimal = Decimal(0)

    @property
    def stranded(self) -> str:
        """Why nobody can decide it now; empty while somebody can."""
        return next((step.stranded for step in self.steps if step.is_now and step.stranded), "")

    @property
    def losers(self) -> list[Mapping[str, str]]:
        return [effect for effect in self.effects if effect.get("kind") == "loser"]


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
    return shown_all(_people(waiting).order_by("pk")[:limit], user)


def waiting_for(
    *, user: User, entity_ids: Collection[int], limit: int = PAGE, **narrowed: Any
) -> list[PendingApproval]:
    """Return the open requests that are `user`'s to decide, or asked by them, the weightiest first.

    In these entities, by their own right and on behalf of others. `narrowed` are lookups of
    `Approval`.
    """
    now = timezone.now()
    rights = entitlements_of(user=user, entity_ids=entity_ids, now=now)
    mine = Q(pk__in={right.approval_id for right in rights}) | Q(requested_by=user)
    waiting = _people(
        Approval.objects.filter(mine, state="pending", entity_id__in=entity_ids, **narrowed)
    )
    ranked = sorted(
        waiting.values_list("pk", "weight", "requested_at"),
        key=lambda row: (-rank_of(weight=row[1], since=row[2], now=now), row[0]),
    )
    found = {each.pk: each for each in waiting.filter(pk__in=[row[0] for row in ranked[:limit]])}
    ordered = [found[row[0]] for row in ranked[:limit] if row[0] in found]
    return shown_all(ordered, user, rights=rights, now=now)


def waiting_count(*, entity_ids: Collection[int], user: User) -> int:
    """Return how many requests `user` can decide in these entities. One query."""
    rights = entitlements_of(user=user, entity_ids=entity_ids, now=timezone.now())
    return len({right.approval_id for right in rights if not right.unfit})


def asked_by(*, user: User, entity_ids: Collection[int]) -> list[PendingApproval]:
    """Return what came of the last requests of `user`, the latest first."""
    ended = Approval.objects.filter(requested_by=user, entity_id__in=entity_ids).exclude(
        state=Approval.State.PENDING
    )
    return shown_all(_people(ended).order_by("-decided_at", "-pk")[:KEPT], user)


def decided_lately(*, entity_ids: Collection[int], limit: int = KEPT) -> list[PendingApproval]:
    """Return the last decisions, the newest first."""
    decided = Approval.objects.filter(
        entity_id__in=entity_ids, state__in=[Approval.State.APPROVED, Approval.State.REJECTED]
    )
    return shown_all(_people(decided).order_by("-decided_at")[:limit], None)


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
    entity = Approval.objects.filter(pk=approval_id).values_list("entity_id", flat=True)
    found = approvals_within(user=user, entity_ids=list(entity)).filter(pk=approval_id).first()
    return None if found is None else shown(found, user)


def approvals_within(*, user: User, entity_ids: Collection[int]) -> QuerySet[Approval]:
    """Return the requests, in any state, of which a step is `user`'s to decide; or that they asked.

    What somebody passed on to them is theirs while it is open, and for good once they decided it.
    """
    if user.is_superuser and user.scopes is None:
        return _people(Approval.objects.filter(entity_id__in=entity_ids))
    step = ApprovalStep.objects.filter(approval=OuterRef("pk"))
    may = Q(requested_by=user)
    for named in set(ApprovalStep.objects.values_list("permission", flat=True).distinct()) - {""}:
        held = user.entity_ids(named) & frozenset(entity_ids)
        if held:
            may |= Q(Exists(step.filter(permission=named)), entity_id__in=held)
            may |= Q(permission=named, entity_id__in=held)
    rights: list[Entitlement] = []
    if user.scopes is None:
        for entity_id, roles in _roles_of(user, entity_ids).items():
            by_role = Q(permission="", role__in=roles) | Q(escalated_to__in=roles)
            may |= Q(Exists(step.filter(by_role)), entity_id=entity_id)
        may |= Q(Exists(step.filter(decided_by=user)))
        rights = entitlements_of(user=user, entity_ids=entity_ids, now=timezone.now())
    may |= Q(pk__in={right.approval_id for right in rights})
    return _people(Approval.objects.filter(may, entity_id__in=entity_ids))


def shown(request: Approval, user: User | None) -> PendingApproval:
    """Return a request as pages and the API show it. Reads its entity, its people, its steps."""
    return shown_all([request], user)[0]


def shown_all(
    requests: Iterable[Approval],
    user: User | None,
    *,
    rights: Sequence[Entitlement] | None = None,
    now: datetime | None = None,
) -> list[PendingApproval]:
    """Return requests as pages and the API show them, in order. Three queries for all of them."""
    found, moment = list(requests), now or timezone.now()
    steps = _steps_of([each.pk for each in found])
    if rights is None and user is not None:
        open_ids = [step.id for rows in steps.values() for step in rows if step.is_now]
        rights = entitlements_of(user=user, step_ids=open_ids, now=moment)
    by_request: dict[int, list[Entitlement]] = defaultdict(list)
    for right in rights or ():
        by_request[right.approval_id].append(right)
    names = _names({right.holder_id for right in rights or () if right.holder_id})
    seen = _Seen(user, moment, names)
    return [_row(each, steps[each.pk], by_request[each.pk], seen) for each in found]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who looks, when, and what those are called on whose behalf they may decide."""

    by: User | None
    at: datetime
    names: Mapping[int, str]


def _row(
    request: Approval,
    steps: Sequence[StepRow],
    rights: Sequence[Entitlement],
    seen: "_Seen",
) -> PendingApproval:
    fit = next((right for right in rights if not right.unfit), None)
    unfit = rights[0].unfit if rights and fit is None else ""
    if not unfit and fit is None and seen.by is not None and _took_part(request, seen.by):
        unfit = "own"
    until = None if request.state == Approval.State.PENDING else request.decided_at
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
        is_own=bool(unfit),
        unfit=unfit,
        may_decide=fit is not None,
        acting_for=seen.names[fit.holder_id] if fit is not None and fit.holder_id else "",
        is_automatic=request.is_automatic,
        matrix_version=request.matrix_version,
        facts=request.facts,
        effects=request.effects,
        steps=steps,
        due_at=min((s.due_at for s in steps if s.is_now and s.due_at), default=None),
        rank=rank_of(weight=request.weight, since=request.requested_at, now=until or seen.at),
    )


def _took_part(request: Approval, user: User) -> bool:
    if user.pk in {request.requested_by_id, *request.barred}:
        return True
    asker = request.requested_by
    return bool(user.employee_ref) and asker is not None and asker.employee_ref == user.employee_ref


def _steps_of(approval_ids: Sequence[int]) -> dict[int, list[StepRow]]:
    clocks = dict(
        ApprovalTimer.objects.filter(
            step__approval_id__in=approval_ids, fired_at=None, cancelled_at=None
        ).values_list("step_id", "due_at")
    )
    found: dict[int, list[StepRow]] = defaultdict(list)
    steps = ApprovalStep.objects.filter(approval_id__in=approval_ids)
    for step in steps.select_related("decided_by", "on_behalf_of").order_by("number", "pk"):
        found[step.approval_id].append(
            StepRow(
                id=step.pk,
                number=step.number,
                permission=step.permission,
                role=step.role,
                escalated_to=step.escalated_to,
                rule=step.rule,
                state=str(step.state),
                hours=step.hours,
                on_expiry=step.on_expiry,
                escalate_to=step.escalate_to,
                opened_at=step.opened_at,
                due_at=clocks.get(step.pk),
                decided_by=_name(step.decided_by),
                on_behalf_of=_name(step.on_behalf_of),
                decided_at=step.decided_at,
                reason=step.reason,
                stranded=step.stranded_why if step.stranded_at else "",
            )
        )
    return found


def _roles_of(user: User, entity_ids: Collection[int]) -> dict[int, set[str]]:
    now = timezone.now()
    held = RoleAssignment.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=now),
        Q(valid_until=None) | Q(valid_until__gt=now),
        user=user,
        entity_id__in=entity_ids,
    )
    roles: dict[int, set[str]] = defaultdict(set)
    for entity_id, role in held.values_list("entity_id", "role"):
        roles[entity_id].add(role)
    return roles


def _names(user_ids: Collection[int]) -> dict[int, str]:
    return {user.pk: str(user) for user in User.objects.filter(pk__in=user_ids)} if user_ids else {}


def _people(found: QuerySet[Approval]) -> QuerySet[Approval]:
    return found.select_related("entity", "requested_by", "decided_by")


def _name(user: User | None) -> str:
    return str(user) if user is not None else ""

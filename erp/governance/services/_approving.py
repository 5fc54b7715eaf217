"""A second pair of eyes: asking, agreeing, refusing, taking back."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import IntegrityError, transaction

from erp.accounts.models import User
from erp.governance.events import ApprovalDecided, ApprovalRequested
from erp.governance.models import Approval
from erp.governance.selectors import same_person
from erp.governance.services._recording import Change, record
from erp.governance.services._separating import Act, refuse_conflict
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish


class OwnRequest(DomainError):
    """The person who decides asked for it, or took part in the document."""

    code: ClassVar[str] = "own_request"


class AlreadyDecided(DomainError):
    """Somebody was quicker."""

    code: ClassVar[str] = "already_decided"


class DocumentChanged(DomainError):
    """The document is no longer what was asked about."""

    code: ClassVar[str] = "document_changed"


class NotYours(DomainError):
    """The person may not decide this in that entity."""

    code: ClassVar[str] = "not_yours"


class ReasonMissing(DomainError):
    """A refusal says why."""

    code: ClassVar[str] = "reason_missing"


@transaction.atomic
def request_approval(
    *,
    entity_id: int,
    document_kind: str,
    document_id: int,
    label: str,
    permission: str,
    role: str,
    amount: Decimal,
    currency: str,
    consequence: str,
    fingerprint: str,
    requested_by: User | None,
    now: datetime,
    policy_version: str = "",
    barred: Collection[int] = (),
    threads: Collection[str] = (),
) -> Approval:
    """Ask for the agreement of somebody else who holds `permission` in the entity.

    Asking again about an unchanged document returns the request that waits; about a changed one,
    that request becomes void and a new one is made. `barred` are users who took part and may not
    decide either. `threads` are the stories behind the document (its customer's, its supplier's):
    who did there what is kept apart from agreeing may not decide.

    Publishes:
        ApprovalRequested
    """
    asked = {"document_kind": document_kind, "document_id": document_id, "permission": permission}
    waiting = Approval.objects.select_for_update().filter(**asked, state="pending").first()
    if waiting is not None and waiting.fingerprint == fingerprint:
        return waiting
    if waiting is not None:
        _void(waiting, "The document changed.", now)
    request = Approval(
        **asked,
        entity_id=entity_id,
        document_label=label,
        role=role,
        amount=amount,
        currency=currency,
        consequence=consequence,
        fingerprint=fingerprint,
        barred=sorted(barred),
        threads=sorted({f"{document_kind}:{document_id}", *threads}),
        requested_by=requested_by,
        requested_at=now,
        policy_version=policy_version,
    )
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:  # somebody asked at the same moment
        return Approval.objects.get(**asked, state="pending")
    _record(request, "governance.request_approval", requested_by, now)
    publish(
        ApprovalRequested(
            approval_id=request.pk,
            entity_id=entity_id,
            document_kind=document_kind,
            document_id=document_id,
            permission=permission,
        )
    )
    return request


@transaction.atomic
def approve(*, approval_id: int, actor: User, fingerprint: str, now: datetime) -> Approval:
    """Agree to the document as it is: `fingerprint` is what it is now, as the person saw it.

    Agreeing again changes nothing. When the document changed nothing is agreed to, and whoever
    was asking withdraws the request.

    Raises:
        OwnRequest: the person asked for it, took part, or is the same employee as who did.
        DutyConflict: they did on the document's chain what is kept apart from agreeing.
        NotYours: the person does not hold the permission in that entity.
        AlreadyDecided: it was decided or withdrawn.
        DocumentChanged: the document is not what was asked about.

    Publishes:
        ApprovalDecided
    """
    approval = Approval.objects.lock(approval_id)
    if approval.state == Approval.State.APPROVED and approval.decided_by_id == actor.pk:
        return approval
    _refuse_unfit(approval, actor, now)
    if approval.fingerprint != fingerprint:
        raise DocumentChanged(
            f"{approval.document_label} changed after the request; it must be asked again."
        )
    approval.approve(by_id=actor.pk, at=now)
    approval.save(update_fields=["state", "decided_by", "decided_at"])
    _record(approval, "governance.approve", actor, now)
    _tell(approval)
    return approval


@transaction.atomic
def reject(*, approval_id: int, actor: User, reason: str, now: datetime) -> Approval:
    """Refuse the document, and say why. Refusing again changes nothing.

    Raises:
        ReasonMissing: no reason is given.
        OwnRequest: the person asked for it, took part, or is the same employee as who did.
        DutyConflict: they did on the document's chain what is kept apart from agreeing.
        NotYours: the person does not hold the permission in that entity.
        AlreadyDecided: it was decided or withdrawn.

    Publishes:
        ApprovalDecided
    """
    if not reason.strip():
        raise ReasonMissing("Say why it is rejected: the one who asked must know.")
    approval = Approval.objects.lock(approval_id)
    if approval.state == Approval.State.REJECTED and approval.decided_by_id == actor.pk:
        return approval
    _refuse_unfit(approval, actor, now)
    approval.reject(by_id=actor.pk, at=now, reason=reason.strip()[:300])
    approval.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    _record(approval, "governance.reject", actor, now)
    _tell(approval)
    return approval


@transaction.atomic
def withdraw(*, document_kind: str, document_id: int, reason: str, now: datetime) -> int:
    """Make what waits about a document void; return how many requests that were.

    Publishes:
        ApprovalDecided
    """
    waiting = Approval.objects.select_for_update().filter(
        document_kind=document_kind, document_id=document_id, state="pending"
    )
    found = list(waiting.order_by("pk"))
    for approval in found:
        _void(approval, reason, now)
    return len(found)


def _refuse_unfit(approval: Approval, actor: User, now: datetime) -> None:
    if approval.state != Approval.State.PENDING:
        said = Approval.State(approval.state).label.lower()
        raise AlreadyDecided(f"{approval.document_label} is no longer open: it is {said}.")
    if not actor.has_perm(approval.permission, approval.entity_id):
        raise NotYours(f"You may not decide about {approval.document_label}.")
    if same_person(one=actor, others=[approval.requested_by_id, *approval.barred]):
        raise OwnRequest(f"You took part in {approval.document_label}: somebody else decides.")
    act = Act(
        entity_id=approval.entity_id,
        kind=approval.document_kind,
        id=approval.document_id,
        label=approval.document_label,
        threads=approval.threads,
        amount=approval.amount,
        currency=approval.currency,
    )
    refuse_conflict(actor=actor, duty="governance.approve", acts=[act], now=now)


def _void(approval: Approval, reason: str, now: datetime) -> None:
    approval.withdraw(at=now, reason=reason[:300])
    approval.save(update_fields=["state", "decided_at", "decision_reason"])
    _record(approval, "governance.void_approval", None, now)
    _tell(approval)


def _tell(approval: Approval) -> None:
    publish(
        ApprovalDecided(
            approval_id=approval.pk,
            entity_id=approval.entity_id,
            document_kind=approval.document_kind,
            document_id=approval.document_id,
            state=str(approval.state),
            decided_by_id=approval.decided_by_id or 0,
            reason=approval.decision_reason,
        )
    )


def _record(approval: Approval, action: str, actor: User | None, now: datetime) -> None:
    change = Change(
        entity_id=approval.entity_id,
        action=action,
        subject_kind="governance.approval",
        subject_id=approval.pk,
        thread=f"{approval.document_kind}:{approval.document_id}",
        after={
            "state": str(approval.state),
            "permission": approval.permission,
            "amount": approval.amount,
            "currency": approval.currency,
        },
        reason=approval.decision_reason,
        policy_version=approval.policy_version,
    )
    record(changes=[change], actor=actor, now=now)

"""Agrees to corrections of stock, or calls them off."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.selectors import approval_waiting_for
from erp.governance.services import AlreadyDecided, approve, withdraw
from erp.kernel.errors import DomainError
from inventory.models import Correction
from inventory.selectors import correction_fingerprints
from inventory.services.correcting._noting import KIND, note

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Correction.State


class CorrectionReasonMissing(DomainError):
    """Nobody said why a correction is called off."""

    code: ClassVar[str] = "correction_reason_missing"


@transaction.atomic
def approve_correction(*, correction_id: int, actor: "User", now: datetime) -> Correction:
    """Agree to a correction that somebody else asked for. Agreeing again changes nothing.

    Raises:
        Correction.DoesNotExist: there is no such correction.
        AlreadyDecided: nobody is asked about it.
        TransitionNotAllowed: it is not in review.
        OwnRequest: the person asked for it, or put aside what it lets go, or is the same employee
            as who did.
        NotYours: the person does not hold the permission that the policy asks for.
        DocumentChanged: it is not what was asked about, or somebody else put goods aside since.
    """
    correction = Correction.objects.lock(correction_id)
    if correction.state == State.APPROVED and correction.approved_by_id == actor.pk:
        return correction
    waiting = approval_waiting_for(document_kind=KIND, document_id=correction_id)
    correction.approve(by_id=actor.pk, at=now)
    if waiting is None:
        raise AlreadyDecided(f"Nobody is asked about {correction.number}.")
    present = correction_fingerprints([correction_id])[correction_id]
    agreed = approve(approval_id=waiting.id, actor=actor, fingerprint=present, now=now)
    if agreed.state != "approved":
        return Correction.objects.get(pk=correction_id)
    correction.save(update_fields=["state", "approved_by", "approved_at"])
    note(
        correction,
        "approve_correction",
        State.REVIEW,
        actor,
        now,
        version=waiting.policy_version,
    )
    return correction


@transaction.atomic
def follow_correction_approval(
    *,
    correction_id: int,
    state: str,
    decided_by: "User | None",
    fingerprint: str,
    reason: str,
    now: datetime,
) -> None:
    """Do to a correction what was decided about it in the inbox; done already, nothing changes.

    Rejected, or agreed to as it no longer is, it is called off.

    Raises:
        Correction.DoesNotExist: there is no such correction.
    """
    correction = Correction.objects.lock(correction_id)
    if correction.state != State.REVIEW:
        return
    is_same = fingerprint == correction_fingerprints([correction_id])[correction_id]
    if state != "approved" or not is_same:
        why = reason if state != "approved" else "What lies there changed since it was asked for."
        correction.cancel(reason=(why or "Nobody agreed to it.")[:300])
        correction.save(update_fields=["state", "cancel_reason"])
        note(correction, "reject_correction", State.REVIEW, decided_by, now, reason=why)
        return
    correction.approve(by_id=decided_by and decided_by.pk, at=now)
    correction.save(update_fields=["state", "approved_by", "approved_at"])
    note(correction, "approve_correction", State.REVIEW, decided_by, now)


@transaction.atomic
def cancel_correction(
    *, correction_id: int, reason: str, actor: "User | None", now: datetime
) -> Correction:
    """Call a correction off before it is posted. Cancelling again changes nothing.

    Raises:
        Correction.DoesNotExist: there is no such correction.
        CorrectionReasonMissing: no reason is given.
        TransitionNotAllowed: it is posted.
    """
    correction = Correction.objects.lock(correction_id)
    if correction.state == State.CANCELLED:
        return correction
    if not reason.strip():
        raise CorrectionReasonMissing("Say why it is called off.")
    before = correction.state
    correction.cancel(reason=reason.strip()[:300])
    correction.save(update_fields=["state", "cancel_reason"])
    withdraw(document_kind=KIND, document_id=correction_id, reason=reason.strip()[:300], now=now)
    note(correction, "cancel_correction", before, actor, now, reason=reason.strip())
    return correction

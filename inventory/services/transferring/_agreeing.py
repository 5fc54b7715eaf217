"""Agreeing to a transfer, and calling one off."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.accounts.models import Entity
from erp.governance.selectors import approval_waiting_for
from erp.governance.services import (
    AlreadyDecided,
    ApprovalFacts,
    Decision,
    Effect,
    EffectKind,
    approve,
    record,
    request_approval,
    withdraw,
)
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish_all
from inventory.events import TransferApproved, TransferCancelled
from inventory.models import Transfer
from inventory.selectors import transfer_fingerprints
from inventory.services._releasing import release_reservations
from inventory.services.numbering._transferring import give_back_of_transfer
from inventory.services.transferring._reserving import keep_for
from inventory.services.transferring._telling import (
    KIND,
    LINE,
    change_of,
    facts,
    note,
    tell_destinations,
)

if TYPE_CHECKING:
    from erp.accounts.models import User
    from erp.governance.models import Approval

State = Transfer.State
LINES_SHOWN = 5


class CancelReasonMissing(DomainError):
    """Nobody said why a transfer is called off."""

    code: ClassVar[str] = "cancel_reason_missing"


@transaction.atomic
def approve_transfer(*, transfer_id: int, actor: "User", now: datetime) -> Transfer:
    """Agree to a transfer that somebody else asked for; its goods are kept at the origin.

    Agreeing again changes nothing. Where others must agree as well, it is returned requested.

    Raises:
        Transfer.DoesNotExist: there is no such transfer.
        AlreadyDecided: nobody is asked about it.
        TransitionNotAllowed: it does not wait for approval.
        OwnRequest: the person asked for it, or is the same employee as who did.
        NotYours: the person does not hold the permission that the policy asks for.
        DocumentChanged: it is not what was asked about.

    Publishes:
        TransferApproved
    """
    transfer = Transfer.objects.lock(transfer_id)
    if transfer.state == State.APPROVED and transfer.approved_by_id == actor.pk:
        return transfer
    waiting = approval_waiting_for(document_kind=KIND, document_id=transfer_id)
    transfer.approve(by_id=actor.pk, at=now)
    if waiting is None:
        raise AlreadyDecided(f"Nobody is asked about {transfer.number}.")
    present = transfer_fingerprints([transfer_id])[transfer_id]
    agreed = approve(approval_id=waiting.id, actor=actor, fingerprint=present, now=now)
    if agreed.state != "approved":
        return Transfer.objects.get(pk=transfer_id)
    _let_go(transfer, actor, waiting.policy_version, now)
    publish_all([TransferApproved(**facts(transfer))])
    return transfer


@transaction.atomic
def follow_transfer_approval(
    *,
    transfer_id: int,
    state: str,
    decided_by: "User | None",
    fingerprint: str,
    reason: str,
    now: datetime,
) -> None:
    """Do to a transfer what was decided about it in the inbox; done already, it changes nothing.

    One that was rejected, that nobody decided about in time, or that is not what was decided about,
    is cancelled with the reason.

    Raises:
        Transfer.DoesNotExist: there is no such transfer.

    Publishes:
        TransferApproved
        TransferCancelled
    """
    transfer = Transfer.objects.lock(transfer_id)
    if transfer.state != State.REQUESTED:
        return
    is_asked_anew = approval_waiting_for(document_kind=KIND, document_id=transfer_id) is not None
    if state == "void" and is_asked_anew:
        return
    is_same = fingerprint == transfer_fingerprints([transfer_id])[transfer_id]
    if state == "approved" and is_same:
        transfer.approve(by_id=decided_by and decided_by.pk, at=now)
        _let_go(transfer, decided_by, "", now)
        publish_all([TransferApproved(**facts(transfer))])
        return
    said = reason or "Nobody agreed to it."
    transfer.cancel(reason=said[:300])
    transfer.save(update_fields=["state", "cancel_reason"])
    note([transfer], "cancel_transfer", State.REQUESTED, decided_by, now, reason=said)
    publish_all([TransferCancelled(**facts(transfer), reason=said[:300])])


@transaction.atomic
def cancel_transfer(
    *, transfer_id: int, reason: str, actor: "User | None", now: datetime
) -> Transfer:
    """Call a transfer off before it leaves: what was kept for it is free again.

    Cancelling again changes nothing.

    Raises:
        Transfer.DoesNotExist: there is no such transfer.
        CancelReasonMissing: no reason is given.
        TransitionNotAllowed: it has left.

    Publishes:
        TransferCancelled
    """
    transfer = Transfer.objects.lock(transfer_id)
    if transfer.state == State.CANCELLED:
        return transfer
    if not reason.strip():
        raise CancelReasonMissing("Say why it is called off.")
    before = transfer.state
    transfer.cancel(reason=reason.strip()[:300])
    transfer.save(update_fields=["state", "cancel_reason"])
    withdraw(document_kind=KIND, document_id=transfer_id, reason=reason.strip()[:300], now=now)
    lines = list(transfer.lines.values_list("pk", flat=True))
    release_reservations(demand_kind=LINE, demand_ids=lines, now=now)
    give_back_of_transfer(transfer_id, actor=actor, now=now)
    tell_destinations([transfer_id])
    note([transfer], "cancel_transfer", before, actor, now, reason=reason.strip())
    publish_all([TransferCancelled(**facts(transfer), reason=transfer.cancel_reason)])
    return transfer


def ask(transfer: Transfer, decision: Decision, actor: "User | None", now: datetime) -> "Approval":
    """Ask whom the policy names whether a transfer may go."""
    currency = Entity.objects.values_list("currency", flat=True).get(pk=transfer.entity_id)
    route = f"{transfer.origin.code} → {transfer.destination.code}"
    sale = f", sold to {transfer.to_entity.code}" if transfer.is_sale else ""
    return request_approval(
        entity_id=transfer.entity_id,
        document_kind=KIND,
        document_id=transfer.pk,
        label=f"{transfer.number} · {route}"[:120],
        permission=decision.outcome["permission"],
        role=decision.outcome["role"],
        amount=transfer.value,
        currency=currency,
        consequence=(
            f"Goods go from {route}{sale}, there by {transfer.expected_date:%-d %B %Y}: "
            f"{transfer.reason}"
        )[:300],
        fingerprint=transfer_fingerprints([transfer.pk])[transfer.pk],
        requested_by=actor,
        policy_version=decision.policy_version,
        facts=ApprovalFacts(effects=_effects(transfer, currency)),
        now=now,
    )


def _effects(transfer: Transfer, currency: str) -> list[Effect]:
    lines = list(transfer.lines.select_related("product").order_by("position"))
    shown = [
        Effect(
            EffectKind.CHANGE,
            f"{line.quantity.normalize():f} {line.product.code} · {line.product.name}",
        )
        for line in lines[:LINES_SHOWN]
    ]
    if len(lines) > len(shown):
        shown.append(Effect(EffectKind.CHANGE, f"and {len(lines) - len(shown)} more lines"))
    bound = f"On the way until {transfer.expected_date:%-d %B %Y}"
    return [*shown, Effect(EffectKind.MONEY, bound, transfer.value, currency)]


def _let_go(transfer: Transfer, actor: "User | None", version: str, now: datetime) -> None:
    transfer.save(update_fields=["state", "approved_by", "approved_at"])
    record(
        changes=change_of(transfer, "approve_transfer", State.REQUESTED, version=version),
        actor=actor,
        now=now,
    )
    keep_for([transfer], now)
    tell_destinations([transfer.pk])

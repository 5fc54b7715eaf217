"""What inventory does about facts from below."""

from django.utils import timezone

from erp.accounts.models import User
from erp.governance.documents import DocumentKind, register_document
from erp.governance.events import ApprovalDecided
from erp.governance.selectors import approval
from erp.outbox.registry import subscribe
from inventory.events import (
    BinFoundShort,
    SupplyChosen,
    SupplyUnwanted,
    TransferCancelled,
    TransferReceived,
)
from inventory.selectors import (
    correction_fingerprints,
    count_fingerprints,
    transfer_fingerprints,
)
from inventory.services.correcting import follow_correction_approval
from inventory.services.counting import count_what_was_missed, follow_count_approval
from inventory.services.sourcing import ask_transfer, call_off_transfer, end_supply
from inventory.services.transferring import follow_transfer_approval

TRANSFER, COUNT, CORRECTION = "inventory.transfer", "inventory.count", "inventory.correction"
register_document(
    TRANSFER, DocumentKind(transfer_fingerprints, "Transfer", page="finance:transfer")
)
register_document(COUNT, DocumentKind(count_fingerprints, "Count", page="finance:count"))
register_document(
    CORRECTION, DocumentKind(correction_fingerprints, "Correction", page="finance:correction")
)


@subscribe(ApprovalDecided)
def follow_decision_about_transfer(event: ApprovalDecided) -> None:
    """Let a transfer go, or cancel it, as was decided in the inbox, or by the clock."""
    if event.document_kind != TRANSFER or event.cause == "withdrawn":
        return
    decided = approval(event.approval_id)
    follow_transfer_approval(
        transfer_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        fingerprint=decided.fingerprint,
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe(ApprovalDecided)
def follow_decision_about_count(event: ApprovalDecided) -> None:
    """Approve a count, or have what differs counted again, as was decided in the inbox."""
    if event.document_kind != COUNT or event.cause == "withdrawn":
        return
    decided = approval(event.approval_id)
    follow_count_approval(
        count_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        fingerprint=decided.fingerprint,
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe(ApprovalDecided)
def follow_decision_about_correction(event: ApprovalDecided) -> None:
    """Approve a correction of stock, or call it off, as was decided in the inbox."""
    if event.document_kind != CORRECTION or event.cause == "withdrawn":
        return
    decided = approval(event.approval_id)
    follow_correction_approval(
        correction_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        fingerprint=decided.fingerprint,
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe(BinFoundShort)
def count_bin_that_fell_short(event: BinFoundShort) -> None:
    """Have counted what a bin was found not to hold."""
    cause = f"Less in {event.bin} than it was said to hold"
    count_what_was_missed(stock_id=event.stock_id, cause=cause, now=timezone.now())


@subscribe(SupplyChosen)
def ask_for_chosen_transfer(event: SupplyChosen) -> None:
    """Ask for the transfer that the policy chose for a line that is short."""
    if event.mode in {"transfer", "affiliate"}:
        ask_transfer(sourcing_id=event.sourcing_id, now=timezone.now())


@subscribe(SupplyUnwanted)
def call_off_unwanted_transfer(event: SupplyUnwanted) -> None:
    """Call off a transfer that nobody waits for any more."""
    if event.document_kind == TRANSFER:
        call_off_transfer(transfer_id=event.document_id, now=timezone.now())


@subscribe(TransferReceived)
def note_supply_that_came(event: TransferReceived) -> None:
    """Note that what was asked for by a transfer has come."""
    end_supply(
        document_kind=TRANSFER,
        document_ids=[event.transfer_id],
        has_come=True,
        now=timezone.now(),
    )


@subscribe(TransferCancelled)
def note_supply_called_off(event: TransferCancelled) -> None:
    """Note that what was asked for by a transfer will not come."""
    end_supply(
        document_kind=TRANSFER,
        document_ids=[event.transfer_id],
        has_come=False,
        now=timezone.now(),
    )

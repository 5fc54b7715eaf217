"""What governance does when something was decided."""

from django.utils import timezone

from erp.accounts.models import User
from erp.governance.events import ApprovalDecided
from erp.governance.services import erase_person, settle_change
from erp.outbox.registry import subscribe

CHANGE = "governance.change"
ERASURE = ".erasure"


@subscribe(ApprovalDecided)
def settle_decided_change(event: ApprovalDecided) -> None:
    """Apply a change of master data that was agreed to, or drop it."""
    if event.document_kind != CHANGE:
        return
    settle_change(
        change_id=event.document_id,
        state=event.state,
        decided_by=User.objects.filter(pk=event.decided_by_id).first(),
        reason=event.reason,
        now=timezone.now(),
    )


@subscribe(ApprovalDecided)
def erase_agreed_person(event: ApprovalDecided) -> None:
    """Erase the personal data that two people agreed to erase."""
    if event.document_kind.endswith(ERASURE) and event.state == "approved":
        erase_person(approval_id=event.approval_id, now=timezone.now())

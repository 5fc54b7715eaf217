"""What governance does when something was decided."""

from django.utils import timezone

from erp.accounts.models import User
from erp.governance.events import ApprovalDecided
from erp.governance.services import settle_change
from erp.outbox.registry import subscribe

CHANGE = "governance.change"


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

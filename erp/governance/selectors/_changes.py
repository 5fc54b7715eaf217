"""Changes of master data that wait, and what became of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from erp.governance.models import ChangeRequest


@dataclass(frozen=True, slots=True)
class PendingChange:
    """A change that waits for somebody in `role` who did not ask for it."""

    id: int
    entity: str
    field: str
    label: str
    before: Any
    after: Any
    reason: str
    role: str
    requested_by: str
    requested_at: datetime


def pending_changes(*, thread: str, entity_ids: Collection[int]) -> list[PendingChange]:
    """Return what waits about one record ("orders.customer:12"), the oldest first. One query."""
    waiting = changes_within(entity_ids=entity_ids).filter(
        thread=thread, state=ChangeRequest.State.PENDING
    )
    return [
        PendingChange(
            id=each.pk,
            entity=each.entity.code,
            field=each.field,
            label=each.label,
            before=each.before,
            after=each.after,
            reason=each.reason,
            role=each.role,
            requested_by=str(each.requested_by or ""),
            requested_at=each.requested_at,
        )
        for each in waiting.order_by("pk")[:100]
    ]


def changes_within(*, entity_ids: Collection[int]) -> QuerySet[ChangeRequest]:
    """Return the changes of these entities, in any state."""
    found = ChangeRequest.objects.filter(entity_id__in=entity_ids)
    return found.select_related("entity", "requested_by", "settled_by")

"""What happened at the edge, and which cases it opens or closes."""

from collections.abc import Sequence

from django.utils import timezone

from erp.outbox.registry import Envelope, subscribe_batch, subscribe_messages
from erp.partners.events import ImportSettled
from erp.partners.selectors import FILE_REJECTED
from erp.partners.services.telling import Telling, tell_outside
from exceptions.events import CaseEscalated
from exceptions.selectors import register_type
from exceptions.services import refresh

register_type(FILE_REJECTED)


@subscribe_batch(ImportSettled)
def look_at_rejected_files(events: Sequence[ImportSettled]) -> None:
    """Open what a file left out, and close what a later file of its kind brought whole."""
    refresh(type=FILE_REJECTED.code, now=timezone.now())


@subscribe_messages(CaseEscalated)
def tell_systems_of_escalations(facts: Sequence[Envelope]) -> None:
    """Tell the systems that listen what a rung of a ladder wants told outside."""
    tell_outside(
        facts=[
            Telling(
                entity_id=fact.entity_id,
                event_id=f"msg_{fact.message_id}",
                event=fact.name,
                key=fact.key or f"exceptions.case:{fact.payload['case_id']}",
                at=fact.published_at,
                data=fact.payload,
            )
            for fact in facts
            if fact.entity_id is not None and fact.payload.get("by_webhook")
        ],
        now=timezone.now(),
    )

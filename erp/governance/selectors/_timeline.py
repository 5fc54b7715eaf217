"""What happened, and to what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from erp.governance.models import AuditEntry
from erp.kernel.sql import records


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry of a document's story. `actor_name` is empty when the house itself acted."""

    at: datetime
    actor_name: str
    action: str
    reason: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    subject_kind: str
    subject_id: int
    policy_version: str


TIMELINE = """
    SELECT a.at,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS actor_name,
           a.action, a.reason, a.before, a.after, a.subject_kind, a.subject_id, a.policy_version
    FROM governance_auditentry a
    LEFT JOIN accounts_user u ON u.id = a.actor_id
    WHERE a.thread = %(thread)s AND (a.entity_id IS NULL OR a.entity_id = ANY(%(entities)s))
    ORDER BY a.id DESC
    LIMIT %(limit)s
"""


def timeline(*, thread: str, entity_ids: Collection[int], limit: int = 200) -> list[TimelineRow]:
    """Return what happened to one document, the newest first. One query, by index."""
    asked = {"thread": thread, "entities": sorted(entity_ids), "limit": limit}
    return [TimelineRow(**row) for row in records(TIMELINE, asked)]


def audit_within(entity_ids: Collection[int]) -> QuerySet[AuditEntry]:
    """Return the entries of `entity_ids` and those that concern all entities."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return AuditEntry.objects.filter(within).select_related("actor", "entity")

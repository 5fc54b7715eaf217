"""What happened, and to what."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from erp.governance.models import AuditEntry
from erp.governance.selectors._personal import in_the_clear
from erp.kernel.sql import records


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One entry of a document's story. `actor_name` is empty when the house itself acted.

    `on_behalf_of` names for whom the actor acted, if for somebody else.
    """

    at: datetime
    actor_name: str
    action: str
    reason: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    subject_kind: str
    subject_id: int
    policy_version: str
    on_behalf_of: str = ""

    @property
    def changes(self) -> list[tuple[str, Any, Any]]:
        """What is not as it was: (name, before, after), by name."""
        before, after = self.before or {}, self.after or {}
        return [
            (name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        ]


TIMELINE = """
    SELECT a.at,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS actor_name,
           a.action, a.reason, a.before, a.after, a.subject_kind, a.subject_id, a.policy_version,
           coalesce(nullif(trim(b.first_name || ' ' || b.last_name), ''), b.username, '')
               AS on_behalf_of
    FROM governance_auditentry a
    LEFT JOIN accounts_user u ON u.id = a.actor_id
    LEFT JOIN accounts_user b ON b.id = a.on_behalf_of_id
    WHERE a.thread = %(thread)s AND (a.entity_id IS NULL OR a.entity_id = ANY(%(entities)s))
    ORDER BY a.id DESC
    LIMIT %(limit)s
"""


def timeline(*, thread: str, entity_ids: Collection[int], limit: int = 200) -> list[TimelineRow]:
    """Return what happened to one document, the newest first. One query, by index."""
    asked = {"thread": thread, "entities": sorted(entity_ids), "limit": limit}
    return [TimelineRow(**row) for row in _read(records(TIMELINE, asked))]


def audit_within(entity_ids: Collection[int]) -> QuerySet[AuditEntry]:
    """Return the entries of `entity_ids` and those that concern all entities."""
    within = Q(entity=None) | Q(entity_id__in=entity_ids)
    return AuditEntry.objects.filter(within).select_related("actor", "entity", "on_behalf_of")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry of the audit trail in the list."""

    id: int
    at: datetime
    entity_code: str
    actor: str
    actor_kind: str
    action: str
    thread: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str
    request_id: str
    policy_version: str
    on_behalf_of: str = ""


AUDIT = """
    SELECT a.id, a.at, coalesce(e.code, '') AS entity_code, coalesce(u.username, '') AS actor,
           a.actor_kind, a.action, a.thread, a.before, a.after, a.reason, a.request_id,
           a.policy_version, coalesce(b.username, '') AS on_behalf_of
    FROM governance_auditentry a
    LEFT JOIN accounts_entity e ON e.id = a.entity_id
    LEFT JOIN accounts_user u ON u.id = a.actor_id
    LEFT JOIN accounts_user b ON b.id = a.on_behalf_of_id
    WHERE (a.entity_id IS NULL OR a.entity_id = ANY(%(entities)s))
      AND (%(actor)s = '' OR u.username = %(actor)s)
      AND (%(action)s = '' OR a.action = %(action)s)
      AND (%(thread)s = '' OR a.thread = %(thread)s)
      AND a.id < %(before)s
    ORDER BY a.id DESC
    LIMIT %(limit)s
"""
NEWEST = 2**63 - 1


def audit_page(
    *,
    entity_ids: Collection[int],
    actor: str = "",
    action: str = "",
    thread: str = "",
    after: str = "",
    limit: int = 100,
) -> tuple[list[AuditRow], str]:
    """Return entries, the newest first, and the cursor of what follows (empty: no more)."""
    asked = {
        "entities": sorted(entity_ids),
        "actor": actor,
        "action": action,
        "thread": thread,
        "before": int(after) if after.isdecimal() and len(after) < len(str(NEWEST)) else NEWEST,
        "limit": limit + 1,
    }
    found = [AuditRow(**row) for row in _read(records(AUDIT, asked))]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else ""


EXPORT_MAX = 100_000
EXPORT_CHUNK = 1_000


def audit_export(
    *,
    entity_ids: Collection[int],
    actor: str = "",
    action: str = "",
    thread: str = "",
    limit: int = EXPORT_MAX,
) -> Iterator[AuditRow]:
    """Yield up to `limit` entries as `audit_page` finds them, a thousand at a time."""
    after, left = "", limit
    while left > 0:
        page, after = audit_page(
            entity_ids=entity_ids,
            actor=actor,
            action=action,
            thread=thread,
            after=after,
            limit=min(EXPORT_CHUNK, left),
        )
        yield from page
        left -= len(page)
        if not after:
            return


def _read(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Read the two JSON columns, which a raw cursor leaves as text, with personal values."""
    for row in found:
        for name in ("before", "after"):
            row[name] = None if row[name] is None else json.loads(row[name])
    return in_the_clear(found)

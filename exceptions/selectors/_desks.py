"""What people see first, and when desks are manned."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet

from erp.accounts.models import Role, RoleAssignment, User
from erp.kernel.sql import records
from exceptions.models import SavedFilter, Shift

FILTERS = """
    SELECT f.id, f.name, f.query, f.role, coalesce(e.code, '') AS entity, f.owner_id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) AS owner,
           d.filter_id IS NOT NULL AS is_default
    FROM exceptions_savedfilter f
    JOIN accounts_user u ON u.id = f.owner_id
    LEFT JOIN accounts_entity e ON e.id = f.entity_id
    LEFT JOIN exceptions_defaultfilter d ON d.filter_id = f.id AND d.user_id = %(user)s
    WHERE f.owner_id = %(user)s
       OR f.role <> '' AND EXISTS (
           SELECT FROM accounts_roleassignment a
           WHERE a.user_id = %(user)s AND a.entity_id = f.entity_id AND a.role = f.role
             AND (a.valid_from IS NULL OR a.valid_from <= %(now)s)
             AND (a.valid_until IS NULL OR a.valid_until > %(now)s)
       )
    ORDER BY f.owner_id <> %(user)s, f.name, f.id
    LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A view of the queue that one person may open. `owner` is said where it is not their own."""

    id: int
    name: str
    query: Mapping[str, str]
    role: str
    entity: str
    owner: str
    is_own: bool
    is_default: bool

    @property
    def address(self) -> str:
        """What follows the question mark of the queue's address."""
        return urlencode({**self.query, "saved": self.id})

    @property
    def shared_with(self) -> str:
        return str(Role(self.role).label) if self.role in Role.values else self.role


def saved_filters(*, user: User, now: datetime) -> list[FilterRow]:
    """Return a person's filters, then those that are shared with a role of theirs. One query."""
    return [
        FilterRow(
            id=row["id"],
            name=row["name"],
            query=json.loads(row["query"]),
            role=row["role"],
            entity=row["entity"],
            owner=row["owner"],
            is_own=row["owner_id"] == user.pk,
            is_default=row["is_default"],
        )
        for row in records(FILTERS, {"user": user.pk, "now": now})
    ]


def filters_of(user: User, now: datetime) -> QuerySet[SavedFilter]:
    """Return the same filters as rows of the database, to be paged."""
    begun = Q(valid_from=None) | Q(valid_from__lte=now)
    not_over = Q(valid_until=None) | Q(valid_until__gt=now)
    held = RoleAssignment.objects.filter(
        begun, not_over, user=user, entity=OuterRef("entity"), role=OuterRef("role")
    )
    return SavedFilter.objects.filter(Q(owner=user) | Exists(held))


def shifts_within(entity_ids: Collection[int]) -> QuerySet[Shift]:
    """Return the shifts of these entities, with their entity and person."""
    return Shift.objects.filter(entity_id__in=entity_ids).select_related("entity", "user")

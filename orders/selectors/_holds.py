"""The hold queue: every held order with all its holds, ranked by money."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from orders.rules.clearing import would_clear


@dataclass(frozen=True, slots=True)
class HoldFilters:
    """What the queue is narrowed to; `days` keeps orders held for at least so many days."""

    kind: str = ""
    owner: str = ""
    days: int = 0
    customer: str = ""
    assignee: int | None = None  # a user's id; 0: nobody's


@dataclass(frozen=True, slots=True)
class QueuedHold:
    """One reason why an order waits, and what would clear it."""

    kind: str
    owner_role: str
    reason: str
    is_forced: bool
    clears: str
    policy_version: str
    assignee_id: int | None = None
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """One held order. `exposure` is without it and net of what is insured; the limit is today's.

    `over` is by how much it would be exceeded.
    """

    id: int
    number: str
    entity: str
    customer: str
    customer_code: str
    tier: str
    total: Decimal
    currency: str
    credit_limit: Decimal
    exposure: Decimal
    insured: Decimal
    state: str
    placed_at: datetime
    created_by_id: int | None
    holds: Sequence[QueuedHold] = field(default_factory=tuple)

    @property
    def after(self) -> Decimal:
        """The exposure if the order went on."""
        return self.exposure + self.total

    @property
    def over(self) -> Decimal:
        return max(self.after - self.credit_limit, Decimal(0))

    @property
    def reason(self) -> str:
        """The one reason; empty where there are several."""
        return self.holds[0].reason if len(self.holds) == 1 else ""

    @property
    def owners(self) -> list[str]:
        return list(dict.fromkeys(each.owner_role for each in self.holds))


QUEUE = """
    WITH queued AS MATERIALIZED (
        SELECT o.id, min(h.placed_at) AS placed_at,
               jsonb_agg(jsonb_build_object('kind', h.kind, 'owner_role', h.owner_role,
                   'reason', h.reason, 'is_forced', h.is_forced, 'facts', h.facts,
                   'policy_version', h.policy_version, 'assignee_id', h.assigned_to_id,
                   'assignee', coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''),
                                        u.username, '')) ORDER BY h.id) AS holds,
               bool_or(%(kind)s IN ('', h.kind)) AS of_kind,
               bool_or(%(owner)s IN ('', h.owner_role)) AS of_owner,
               bool_or(%(assignee)s::bigint IS NULL
                       OR coalesce(h.assigned_to_id, 0) = %(assignee)s::bigint) AS of_assignee
        FROM orders_order o
        JOIN orders_hold h ON h.order_id = o.id AND h.state = 'active'
        LEFT JOIN accounts_user u ON u.id = h.assigned_to_id
        WHERE o.state NOT IN ('draft', 'cancelled') AND o.entity_id = ANY(%(entities)s)
        GROUP BY o.id
    )
    SELECT o.id, o.number, e.code AS entity, c.name AS customer, c.code AS customer_code, c.tier,
           o.total, o.currency, limit_.now AS credit_limit,
           a.receivable + a.unbilled + a.committed - a.unapplied - insured.now
               - CASE WHEN o.state = 'held' THEN 0 ELSE o.total END AS exposure,
           insured.now AS insured, o.state, q.placed_at,
           o.created_by_id, q.holds
    FROM queued q
    JOIN orders_order o ON o.id = q.id
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    CROSS JOIN LATERAL (
        SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS day
    ) AS today
    CROSS JOIN LATERAL (
        SELECT CASE WHEN a.insured_until < today.day THEN 0 ELSE a.insured_amount END AS now
    ) AS insured
    CROSS JOIN LATERAL (
        SELECT CASE WHEN today.day BETWEEN a.temporary_from AND a.temporary_until
               THEN a.temporary_limit ELSE a.credit_limit END AS now
    ) AS limit_
    WHERE q.of_kind AND q.of_owner AND q.of_assignee AND (%(days)s = 0 OR q.placed_at <= %(before)s)
      AND (%(customer)s = '' OR c.code = %(customer)s)
      AND (%(after)s::numeric IS NULL OR (o.total, o.id) < (%(after)s::numeric, %(after_id)s))
    ORDER BY o.total DESC, o.id DESC
    LIMIT %(limit)s
"""

COUNTS = """
    SELECT h.kind, h.owner_role, count(*) AS count, sum(o.total) AS money, o.currency
    FROM orders_order o JOIN orders_hold h ON h.order_id = o.id AND h.state = 'active'
    WHERE o.state NOT IN ('draft', 'cancelled') AND o.entity_id = ANY(%(entities)s)
    GROUP BY h.kind, h.owner_role, o.currency
"""


def hold_queue(
    *,
    entity_ids: Collection[int],
    filters: HoldFilters,
    now: datetime,
    after: str = "",
    limit: int = 100,
) -> tuple[list[HeldOrder], str]:
    """Return a page of held orders, most money first, and the cursor of the next. One query."""
    total, order_id = _cursor(after)
    params = {
        "entities": sorted(entity_ids),
        "kind": filters.kind,
        "owner": filters.owner,
        "customer": filters.customer,
        "days": filters.days,
        "assignee": filters.assignee,
        "now": now,
        "before": now - timedelta(days=filters.days),
        "after": total,
        "after_id": order_id,
        "limit": limit + 1,
    }
    found = [_held(row) for row in records(QUEUE, params)]
    page = found[:limit]
    following = f"{page[-1].total}:{page[-1].id}" if len(found) > limit else ""
    return page, following


def hold_counts(*, entity_ids: Collection[int]) -> list[dict[str, Any]]:
    """Return how many holds there are by kind, owner and currency. One query."""
    return records(COUNTS, {"entities": sorted(entity_ids)})


def _held(row: dict[str, Any]) -> HeldOrder:
    said = row.pop("holds")
    order = HeldOrder(**row)
    listed: list[Mapping[str, Any]] = json.loads(said) if isinstance(said, str) else said
    holds = [
        QueuedHold(
            clears=would_clear(each["kind"], each["facts"], order.over, order.currency),
            **{name: value for name, value in each.items() if name != "facts"},
        )
        for each in listed
    ]
    return HeldOrder(**row, holds=holds)


def _cursor(text: str) -> tuple[Decimal | None, int]:
    total, _, order_id = text.partition(":")
    digits = total.replace(".", "", 1)
    if not (digits.isascii() and digits.isdecimal() and order_id.isdecimal()) or len(text) > 60:  # noqa: PLR2004
        return None, 0
    return Decimal(total), min(int(order_id), 2**62)

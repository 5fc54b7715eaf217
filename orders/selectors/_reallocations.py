"""Stock shared out anew: what stands to be decided, who gains and who loses."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from erp.kernel.sql import records, rows
from orders.models import Reallocation

FINGERPRINTS = """
    SELECT r.id, md5(coalesce(string_agg(
        c.line_id || ':' || c.before || ':' || c.after, ',' ORDER BY c.line_id
    ), ''))
    FROM orders_reallocation r
    LEFT JOIN orders_reallocationchange c ON c.reallocation_id = r.id
    WHERE r.id = ANY(%s)
    GROUP BY r.id
"""

PAGE = """
    SELECT r.id, r.number, r.kind, r.state, r.entity_id, e.code AS entity, r.strategy, r.reason,
        r.policy_version, r.lines, r.gained, r.lost, r.gained_amount, r.lost_amount, r.currency,
        r.needs_approval, r.run_id, r.requested_at, r.simulated_at, r.committed_at, r.ended_at,
        r.end_reason, r.quantity,
        coalesce((SELECT array_agg(p.code ORDER BY p.code) FROM inventory_product p
            WHERE r.scope -> 'products' @> to_jsonb(p.id)), '{}') AS products,
        coalesce((SELECT array_agg(n.code ORDER BY n.code) FROM inventory_node n
            WHERE r.scope -> 'nodes' @> to_jsonb(n.id)), '{}') AS nodes,
        o.number AS order_number, l.position,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS requested_by,
        coalesce(nullif(trim(d.first_name || ' ' || d.last_name), ''), d.username, '')
            AS committed_by
    FROM orders_reallocation r
    JOIN accounts_entity e ON e.id = r.entity_id
    LEFT JOIN orders_orderline l ON l.id = r.line_id
    LEFT JOIN orders_order o ON o.id = l.order_id
    LEFT JOIN accounts_user u ON u.id = r.requested_by_id
    LEFT JOIN accounts_user d ON d.id = r.committed_by_id
    WHERE r.number = %(number)s AND r.entity_id = ANY(%(entities)s)
"""

CHANGES = """
    SELECT c.id, o.number, l.position, cu.code AS customer_code, cu.name AS customer,
        p.code AS product, p.name, p.base_uom AS uom, o.class_code, c.segment, c.strategy, c.rank,
        c.before, c.after, c.after - c.before AS gained, c.amount, c.currency, c.promised_date,
        c.possible_date, c.days, c.is_protected
    FROM orders_reallocationchange c
    JOIN orders_orderline l ON l.id = c.line_id
    JOIN orders_order o ON o.id = l.order_id
    JOIN orders_customer cu ON cu.id = o.customer_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE c.reallocation_id = %(id)s AND c.id > %(after)s {which}
    ORDER BY c.id LIMIT %(limit)s
"""
WHICH = {"": "", "gainers": "AND c.after > c.before", "losers": "AND c.after < c.before"}

SEGMENTS = """
    SELECT c.segment, count(*) FILTER (WHERE c.after > c.before) AS gainers,
        count(*) FILTER (WHERE c.after < c.before) AS losers,
        coalesce(sum(c.after - c.before) FILTER (WHERE c.after > c.before), 0) AS gained,
        coalesce(sum(c.before - c.after) FILTER (WHERE c.after < c.before), 0) AS lost,
        coalesce(sum(c.amount) FILTER (WHERE c.amount > 0), 0) AS gained_amount,
        coalesce(-sum(c.amount) FILTER (WHERE c.amount < 0), 0) AS lost_amount,
        sum(c.before) AS before, sum(c.after) AS after
    FROM orders_reallocationchange c
    WHERE c.reallocation_id = %(id)s
    GROUP BY c.segment ORDER BY c.segment
"""


@dataclass(frozen=True, slots=True)
class ReallocationPage:
    """A re-allocation or an override; quantities in base units, amounts in `currency`."""

    id: int
    number: str
    kind: str
    state: str
    entity_id: int
    entity: str
    strategy: Mapping[str, str]
    reason: str
    policy_version: str
    lines: int
    gained: Decimal
    lost: Decimal
    gained_amount: Decimal
    lost_amount: Decimal
    currency: str
    needs_approval: bool
    run_id: int | None
    requested_at: datetime
    simulated_at: datetime | None
    committed_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    quantity: Decimal | None
    products: Sequence[str]
    nodes: Sequence[str]
    order_number: str | None
    position: int | None
    requested_by: str
    committed_by: str

    @property
    def thread(self) -> str:
        """The timeline that tells its story."""
        return f"orders.reallocation:{self.id}"


@dataclass(frozen=True, slots=True)
class ReallocationRow:
    """One line that gains or loses (below zero), in base units; `amount` in `currency`.

    `days` is how much sooner it could be there than was promised; below zero is later.
    """

    id: int
    number: str
    position: int
    customer_code: str
    customer: str
    product: str
    name: str
    uom: str
    class_code: str
    segment: str
    strategy: str
    rank: int
    before: Decimal
    after: Decimal
    gained: Decimal
    amount: Decimal
    currency: str
    promised_date: date | None
    possible_date: date | None
    days: int | None
    is_protected: bool


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """How one segment fares: lines, base units, and what they sell for at face value."""

    segment: str
    gainers: int
    losers: int
    gained: Decimal
    lost: Decimal
    gained_amount: Decimal
    lost_amount: Decimal
    before: Decimal
    after: Decimal


def reallocation_fingerprints(ids: Collection[int]) -> Mapping[int, str]:
    """Return by id what each is, in short: who gains and loses how much. One query."""
    return dict(rows(FINGERPRINTS, [list(ids)]))


def reallocation_list(*, entity_ids: Collection[int], kind: str = "") -> QuerySet[Any, Any]:
    """Return re-allocations (`run`), overrides or both as plain rows, to be narrowed and paged."""
    found = Reallocation.objects.filter(entity_id__in=entity_ids)
    if kind:
        found = found.filter(kind=kind)
    return found.values(
        "id", "number", "kind", "state", "lines", "gained", "lost", "gained_amount", "lost_amount",
        "currency", "requested_at", "reason", entity_code=F("entity__code"),
    ).order_by("-id")  # fmt: skip


def reallocation_page(
    *, number: str, entity_ids: Collection[int], kind: str = ""
) -> ReallocationPage | None:
    """Return one by its number; None where these entities have none such. One query."""
    if "\0" in number:
        return None
    found = records(PAGE, {"number": number, "entities": sorted(entity_ids)})
    pages = [ReallocationPage(**row | {"strategy": _plain(row["strategy"])}) for row in found]
    return next((page for page in pages if kind in {"", page.kind}), None)


def reallocation_changes(
    *, reallocation_id: int, which: str = "", after: int = 0, limit: int = 200
) -> list[ReallocationRow]:
    """Return who gains ("gainers"), who loses ("losers") or both, by rank, `after` an id."""
    params = {"id": reallocation_id, "after": after, "limit": limit}
    found = records(CHANGES.format(which=WHICH[which]), params)
    return [ReallocationRow(**row) for row in found]


def reallocation_segments(*, reallocation_id: int) -> list[SegmentRow]:
    """Return how each segment fares. One query."""
    return [SegmentRow(**row) for row in records(SEGMENTS, {"id": reallocation_id})]


def _plain(stored: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(stored) if isinstance(stored, str) else stored
    return found

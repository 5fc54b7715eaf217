"""What is kept for whom, and what is left of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records

SHOWN = """
    WITH RECURSIVE below AS (
        SELECT id AS top, id FROM inventory_segment
        UNION ALL
        SELECT b.top, s.id FROM below b JOIN inventory_segment s ON s.parent_id = b.id
    )
    SELECT p.id, g.code AS segment, g.name AS segment_name, e.code AS entity,
        t.code AS product, t.name, t.base_uom AS uom, coalesce(n.code, '') AS node,
        p.first_day, p.last_day, p.floor, p.cap, p.reason, coalesce(given.quantity, 0) AS used
    FROM inventory_protection p
    JOIN inventory_segment g ON g.id = p.segment_id
    JOIN accounts_entity e ON e.id = p.entity_id
    JOIN inventory_product t ON t.id = p.product_id
    LEFT JOIN inventory_node n ON n.id = p.node_id
    LEFT JOIN LATERAL (
        SELECT sum(r.quantity) AS quantity
        FROM below b
        JOIN inventory_segmentdemand d ON d.segment_id = b.id AND d.product_id = p.product_id
        JOIN inventory_reservation r ON r.demand_id = d.demand_id
            AND r.demand_kind = d.demand_kind AND r.closed_as <> 'released'
            AND r.created_at >= p.first_day AND r.created_at < p.last_day + 1
        JOIN inventory_stock s ON s.id = r.stock_id AND s.entity_id = p.entity_id
            AND s.product_id = p.product_id AND (p.node_id IS NULL OR s.node_id = p.node_id)
        WHERE b.top = p.segment_id
    ) AS given ON true
    WHERE {which}
    ORDER BY p.id LIMIT %(limit)s
"""
OF_COMPANIES = """
    p.entity_id = ANY(%(entities)s::bigint[]) AND p.id > %(after)s
        AND (%(product)s = '' OR t.code = %(product)s) AND p.last_day >= %(today)s
"""
TREE = """
    WITH RECURSIVE tree AS (
        SELECT s.*, 0 AS depth, ARRAY[s.rank, s.id] AS path
        FROM inventory_segment s WHERE s.parent_id IS NULL
        UNION ALL
        SELECT s.*, t.depth + 1, t.path || ARRAY[s.rank, s.id]
        FROM tree t JOIN inventory_segment s ON s.parent_id = t.id
    )
    SELECT t.id, t.code, t.name, coalesce(p.code, '') AS parent, t.rank, t.lends, t.depth
    FROM tree t LEFT JOIN inventory_segment p ON p.id = t.parent_id
    ORDER BY t.path LIMIT %(limit)s
"""
SEGMENTS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment; `depth` is how many stand above it."""

    id: int
    code: str
    name: str
    parent: str
    rank: int
    lends: bool
    depth: int


@dataclass(frozen=True, slots=True)
class ProtectionRow:
    """One protection in base units; `used` is what its segment was given in the period."""

    id: int
    segment: str
    segment_name: str
    entity: str
    product: str
    name: str
    uom: str
    node: str
    first_day: date
    last_day: date
    floor: Decimal
    cap: Decimal | None
    reason: str
    used: Decimal

    @property
    def left(self) -> Decimal:
        """What is still kept of the floor."""
        return max(self.floor - self.used, Decimal(0))


def segment_tree(*, limit: int = SEGMENTS_MAX) -> list[SegmentRow]:
    """Return the segments from the top down, the highest rank first. One query."""
    return [SegmentRow(**row) for row in records(TREE, {"limit": limit})]


def protections(
    *,
    entity_ids: Collection[int],
    today: date,
    product: str = "",
    after: int = 0,
    limit: int = 100,
) -> list[ProtectionRow]:
    """Return what these companies keep for whom, now or later. One query."""
    params = {
        "entities": sorted(entity_ids), "today": today, "product": product.upper(),
        "after": after, "limit": limit,
    }  # fmt: skip
    return [ProtectionRow(**row) for row in records(SHOWN.format(which=OF_COMPANIES), params)]


def protections_of(*, ids: Collection[int]) -> list[ProtectionRow]:
    """Return these protections, by id. One query."""
    params = {"ids": list(ids), "limit": len(ids)}
    found = records(SHOWN.format(which="p.id = ANY(%(ids)s::bigint[])"), params)
    return [ProtectionRow(**row) for row in found]

"""Whose orders are of which segment."""

from collections.abc import Collection
from dataclasses import dataclass

from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows

MEMBERS = """
    SELECT m.id, s.code AS segment,
        CASE WHEN m.customer_id IS NOT NULL THEN 'customer' WHEN m.group_id IS NOT NULL THEN 'group'
             WHEN m.entity_id IS NOT NULL THEN 'entity' ELSE 'channel' END AS kind,
        coalesce(c.code, g.code, e.code, m.channel) AS code,
        coalesce(c.name, g.name, e.name, '') AS name
    FROM orders_segmentmember m
    JOIN inventory_segment s ON s.id = m.segment_id
    LEFT JOIN orders_customer c ON c.id = m.customer_id
    LEFT JOIN orders_customergroup g ON g.id = m.group_id
    LEFT JOIN accounts_entity e ON e.id = m.entity_id
    ORDER BY s.code, kind, code LIMIT %(limit)s
"""
NAMED = """coalesce(
        (SELECT m.segment_id FROM orders_segmentmember m WHERE m.customer_id = c.id),
        (WITH RECURSIVE up AS (
            SELECT g.id, g.parent_id, 0 AS depth FROM orders_customergroup g WHERE g.id = c.group_id
            UNION ALL
            SELECT g.id, g.parent_id, up.depth + 1
            FROM up JOIN orders_customergroup g ON g.id = up.parent_id WHERE up.depth < 20
        ) SELECT m.segment_id FROM up JOIN orders_segmentmember m ON m.group_id = up.id
          ORDER BY up.depth LIMIT 1),
        (SELECT m.segment_id FROM orders_segmentmember m
         WHERE m.channel = {channel} AND m.channel <> ''),
        (SELECT m.segment_id FROM orders_segmentmember m WHERE m.entity_id = {entity})
    )"""
OF_ORDERS = Prepared(f"""
    SELECT o.id, {NAMED.format(channel="o.channel", entity="o.entity_id")}
    FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
    WHERE o.id = ANY(%(ids)s::bigint[])
""")  # noqa: S608  the parts are our own
OF_CUSTOMER = Prepared(f"""
    SELECT {NAMED.format(channel="%(channel)s::text", entity="%(entity)s::bigint")}
    FROM orders_customer c WHERE c.id = %(customer)s::bigint
""")  # noqa: S608  the parts are our own


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A customer, group, channel or company whose orders are of a segment."""

    id: int
    segment: str
    kind: str
    code: str
    name: str


def segment_members(*, limit: int = 1_000) -> list[MemberRow]:
    """Return who is of which segment, by segment. One query."""
    return [MemberRow(**row) for row in records(MEMBERS, {"limit": limit})]


def segments_of(*, order_ids: Collection[int]) -> dict[int, int]:
    """Return the segments of orders: their customer's, group's, channel's or company's, if any.

    The nearest group counts. One query.
    """
    found = rows(OF_ORDERS, {"ids": sorted(order_ids)}) if order_ids else []
    return {order: segment for order, segment in found if segment is not None}


def segment_of(*, customer_id: int, channel: str, entity_id: int) -> int:
    """Return the segment of which an order would be; 0 is none. One query."""
    asked = {"customer": customer_id, "channel": channel, "entity": entity_id}
    found = rows(OF_CUSTOMER, asked)
    return found[0][0] or 0 if found else 0

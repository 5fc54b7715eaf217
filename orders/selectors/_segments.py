"""Whose orders are of which segment."""

from dataclasses import dataclass

from erp.kernel.sql import records

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

"""Which segment the demand of an order is of."""

from collections.abc import Collection

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows

SEGMENTS = Prepared("""
    SELECT o.id, coalesce(
        (SELECT m.segment_id FROM orders_segmentmember m WHERE m.customer_id = o.customer_id),
        (WITH RECURSIVE up AS (
            SELECT g.id, g.parent_id, 0 AS depth FROM orders_customergroup g WHERE g.id = c.group_id
            UNION ALL
            SELECT g.id, g.parent_id, up.depth + 1
            FROM up JOIN orders_customergroup g ON g.id = up.parent_id WHERE up.depth < 20
        ) SELECT m.segment_id FROM up JOIN orders_segmentmember m ON m.group_id = up.id
          ORDER BY up.depth LIMIT 1),
        (SELECT m.segment_id FROM orders_segmentmember m
         WHERE m.channel = o.channel AND m.channel <> ''),
        (SELECT m.segment_id FROM orders_segmentmember m WHERE m.entity_id = o.entity_id)
    )
    FROM orders_order o JOIN orders_customer c ON c.id = o.customer_id
    WHERE o.id = ANY(%(ids)s::bigint[])
""")


def segments_of(order_ids: Collection[int]) -> dict[int, int]:
    """Return the segments of orders: their customer's, group's, channel's or company's, if any.

    The nearest group counts. One query.
    """
    found = rows(SEGMENTS, {"ids": sorted(order_ids)}) if order_ids else []
    return {order: segment for order, segment in found if segment is not None}

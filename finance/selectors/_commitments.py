"""Stock bound by what customers were promised, and what of the promises nothing lies behind."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from erp.kernel.sql import records

# What waits is held against what is on its way to the company, the earliest promise first.
COMMITMENTS = """
    WITH line AS (
        SELECT o.entity_id, o.customer_id, l.product_id, l.reserved, l.waiting, l.unit_price,
            l.discount, coalesce(l.promised_date, o.requested_date) AS due,
            sum(l.waiting) OVER (
                PARTITION BY o.entity_id, l.product_id
                ORDER BY coalesce(l.promised_date, o.requested_date), l.id
            ) AS upto
        FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        WHERE o.entity_id = ANY(%(entities)s) AND (l.reserved > 0 OR l.waiting > 0)
            AND o.state IN ('released', 'allocated', 'partly_allocated', 'backordered',
                'fulfilling', 'partly_shipped')
    ), coming AS (
        SELECT entity_id, product_id, sum(quantity) AS quantity
        FROM inventory_inbound WHERE entity_id = ANY(%(entities)s)
        GROUP BY entity_id, product_id
    ), told AS (
        SELECT line.*, e.currency, e.code AS entity,
            coalesce(k.value / nullif(k.quantity, 0), 0) AS unit,
            least(line.waiting, greatest(line.upto - coalesce(coming.quantity, 0), 0)) AS uncovered
        FROM line
        JOIN accounts_entity e ON e.id = line.entity_id
        LEFT JOIN coming ON coming.product_id = line.product_id
            AND coming.entity_id = line.entity_id
        LEFT JOIN inventory_productcost k ON k.product_id = line.product_id
            AND k.entity_id = line.entity_id
    )
    SELECT c.code AS customer, c.name, told.entity, told.currency, count(*) AS lines,
        round(sum(told.reserved * told.unit), 2) AS bound,
        round(sum(told.waiting * told.unit_price * (1 - told.discount)), 2) AS waiting,
        round(sum(told.uncovered * told.unit_price * (1 - told.discount)), 2) AS uncovered,
        min(told.due) FILTER (WHERE told.waiting > 0) AS due
    FROM told JOIN orders_customer c ON c.id = told.customer_id
    GROUP BY c.code, c.name, told.entity, told.currency
    ORDER BY uncovered DESC, bound DESC, c.code
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class CommitmentRow:
    """What one company holds for a customer, and owes it, in `currency`.

    `bound` is reserved stock at average cost; `waiting` what is promised and not reserved, at the
    customer's price, `uncovered` the part of it for which nothing is on its way either; `due` the
    earliest promise that waits.
    """

    customer: str
    name: str
    entity: str
    currency: str
    lines: int
    bound: Decimal
    waiting: Decimal
    uncovered: Decimal
    due: date | None


def commitments(*, entity_ids: Collection[int], limit: int = 50) -> list[CommitmentRow]:
    """Return customers by what of their commitments nothing lies behind. One query."""
    params = {"entities": sorted(entity_ids), "limit": limit}
    return [CommitmentRow(**row) for row in records(COMMITMENTS, params)]

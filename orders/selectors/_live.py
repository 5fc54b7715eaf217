"""What order entry shows beside each line as somebody types: a few queries for all lines."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import records

GOODS = """
    SELECT p.id, p.code, p.name, p.base_uom AS uom, p.category, p.is_blocked,
           coalesce((SELECT string_agg(u.code, ' ' ORDER BY u.code) FROM inventory_productuom u
                     WHERE u.product_id = p.id), '') AS uoms,
           coalesce((SELECT sum(s.on_hand - s.reserved) FROM inventory_stock s
                     WHERE s.product_id = p.id AND s.entity_id = %(entity)s
                       AND s.status = 'available' AND NOT s.is_barred), 0) AS available,
           (SELECT c.value / c.quantity FROM inventory_productcost c
            WHERE c.product_id = p.id AND c.entity_id = %(entity)s AND c.quantity > 0) AS unit_cost
    FROM inventory_product p
    WHERE p.id = ANY(%(products)s)
"""

# The next break of the series that a price belongs to, where it is cheaper.
NEXT = """
    SELECT r.id, n.min_quantity, n.unit_price
    FROM orders_price r
    JOIN LATERAL (
        SELECT n.min_quantity, n.unit_price FROM orders_price n
        WHERE n.product_id = r.product_id AND n.entity_id = r.entity_id AND n.kind = r.kind
          AND n.customer_id IS NOT DISTINCT FROM r.customer_id
          AND n.group_id IS NOT DISTINCT FROM r.group_id
          AND n.price_list_id IS NOT DISTINCT FROM r.price_list_id
          AND n.currency = r.currency AND n.uom = r.uom AND n.min_quantity > r.min_quantity
          AND n.unit_price < r.unit_price AND n.valid_from <= %(on)s
          AND (n.valid_until IS NULL OR n.valid_until > %(on)s)
        ORDER BY n.min_quantity LIMIT 1
    ) AS n ON true
    WHERE r.id = ANY(%(prices)s)
"""


@dataclass(frozen=True, slots=True)
class Goods:
    """One product as entry shows it. `available` over all nodes of the entity, in base units.

    `unit_cost` is the moving average of a base unit; not for everybody's eyes.
    """

    id: int
    code: str
    name: str
    uom: str
    category: str
    is_blocked: bool
    uoms: str
    available: Decimal
    unit_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class NextBreak:
    """From how many base units on the price falls, and to what."""

    min_quantity: Decimal
    unit_price: Decimal


def goods_of(*, product_ids: Collection[int], entity_id: int) -> dict[int, Goods]:
    """Return what entry shows of products, by id. One query."""
    asked = {"products": sorted(product_ids), "entity": entity_id}
    return {row["id"]: Goods(**row) for row in records(GOODS, asked)}


def next_breaks(*, price_ids: Sequence[int], on: object) -> dict[int, NextBreak]:
    """Return for each price the next break of its series that is cheaper on that day. One query."""
    found = records(NEXT, {"prices": list(price_ids), "on": on})
    return {row.pop("id"): NextBreak(**row) for row in found}

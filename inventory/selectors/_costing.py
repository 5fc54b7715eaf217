"""What must hold of costs, and the layers of a product as its page shows them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.kernel.invariants import Invariant
from erp.kernel.sql import records

LAYERS = """
    SELECT l.id, e.code AS entity, e.currency, l.at, l.quantity, l.value, l.quantity_left,
        l.value_left, l.cause_kind, l.cause_id
    FROM inventory_costlayer l JOIN accounts_entity e ON e.id = l.entity_id
    WHERE l.product_id = %(product)s AND l.entity_id = ANY(%(entities)s) AND l.quantity_left > 0
    ORDER BY l.id
    LIMIT %(limit)s
"""

COSTING = [
    Invariant(
        "inventory.cost_is_the_sum_of_its_layers",
        "What a company owns first in, first out is the sum of its layers; by average it has none",
        """
        SELECT c.entity_id, c.product_id, c.method, c.quantity, l.quantity, c.value, l.value
        FROM inventory_productcost c
        LEFT JOIN (
            SELECT entity_id, product_id, sum(quantity_left) AS quantity, sum(value_left) AS value
            FROM inventory_costlayer GROUP BY entity_id, product_id
        ) l ON l.product_id = c.product_id AND l.entity_id = c.entity_id
        WHERE (coalesce(l.quantity, 0), coalesce(l.value, 0)) <> CASE c.method
            WHEN 'fifo' THEN (c.quantity, c.value) ELSE (0::numeric, 0::numeric) END
        """,
    ),
    Invariant(
        "inventory.layers_are_their_issues",
        "What is left of a layer is what came and its issues, in whole cents",
        """
        SELECT l.id, l.quantity_left, l.value_left
        FROM inventory_costlayer l
        LEFT JOIN inventory_layerissue i ON i.layer_id = l.id
        GROUP BY l.id
        HAVING l.quantity_left <> l.quantity + coalesce(sum(i.quantity), 0)
            OR l.value_left <> l.value + coalesce(sum(i.value), 0)
            OR l.value_left <> round(l.value_left, 2)
        """,
    ),
    Invariant(
        "inventory.layers_leave_in_order",
        "First in, first out: while something is left of an older layer, no newer one left but for"
        " what a supplier sent straight to a customer",
        """
        SELECT l.id, newer.id
        FROM inventory_costlayer l
        JOIN inventory_productcost c ON c.product_id = l.product_id
            AND c.entity_id = l.entity_id AND c.method = 'fifo'
        JOIN inventory_costlayer newer ON newer.product_id = l.product_id
            AND newer.entity_id = l.entity_id AND newer.id > l.id
        WHERE l.quantity_left > 0 AND newer.quantity_left < newer.quantity
          AND NOT EXISTS (
              SELECT FROM inventory_receiptline rl
              JOIN inventory_receipt r ON r.id = rl.receipt_id
              JOIN inventory_node n ON n.id = r.node_id AND n.is_direct
              WHERE rl.id = newer.cause_id AND newer.cause_kind = 'inventory.receiptline'
          )
        """,
    ),
    Invariant(
        "inventory.late_costs_are_spread_whole",
        "What a late cost gave to stock has one move of its value, and no other has any",
        """
        SELECT coalesce(c.id, m.cause_id), c.on_hand, m.value
        FROM inventory_latecost c
        FULL JOIN (
            SELECT cause_id, sum(value) AS value FROM inventory_stockmove
            WHERE kind = 'revaluation' GROUP BY cause_id
        ) m ON m.cause_id = c.id
        WHERE coalesce(c.on_hand, 0) <> coalesce(m.value, 0)
        """,
    ),
]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One arrival and what is left of it, in base units and `currency`."""

    id: int
    entity: str
    currency: str
    at: datetime
    quantity: Decimal
    value: Decimal
    quantity_left: Decimal
    value_left: Decimal
    cause_kind: str
    cause_id: int


def layers_of(*, product_id: int, entity_ids: Collection[int], limit: int = 50) -> list[LayerRow]:
    """Return what is left of each arrival of a product, the oldest first. One query."""
    params = {"product": product_id, "entities": sorted(entity_ids), "limit": limit}
    return [LayerRow(**row) for row in records(LAYERS, params)]

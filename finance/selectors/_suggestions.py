"""What had better lie elsewhere: shortages and imbalance between one company's nodes."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from erp.kernel.sql import rows
from inventory.rules import Limits, Place, Suggested, suggest_transfers
from inventory.selectors import class_limits

DAYS = 91
SHOWN_MAX = 500

Covers = tuple[Decimal | None, Decimal | None, Decimal | None, Decimal | None]

# By product and node: free, coming, what left a day over the last thirteen weeks, and what waits
# for stock of that very node.
PLACES = """
    WITH free AS (
        SELECT s.product_id, s.node_id, sum(s.on_hand - s.reserved) AS quantity
        FROM inventory_stock s
        WHERE s.entity_id = %(entity)s AND s.status = 'available' AND NOT s.is_barred
        GROUP BY s.product_id, s.node_id
    ), coming AS (
        SELECT i.product_id, i.node_id, sum(i.quantity) AS quantity
        FROM inventory_inbound i WHERE i.entity_id = %(entity)s
        GROUP BY i.product_id, i.node_id
    ), used AS (
        SELECT m.product_id, m.node_id, -sum(m.quantity) AS quantity
        FROM inventory_stockmove m
        WHERE m.entity_id = %(entity)s AND m.kind = 'shipment' AND m.at > %(since)s
            AND m.at <= %(now)s
        GROUP BY m.product_id, m.node_id
    ), short AS (
        SELECT l.product_id, l.node_id, sum(l.waiting) AS quantity
        FROM orders_orderline l JOIN orders_order o ON o.id = l.order_id
        WHERE o.entity_id = %(entity)s AND l.waiting > 0 AND l.node_id IS NOT NULL
            AND o.state IN ('released', 'partly_allocated', 'backordered', 'partly_shipped')
        GROUP BY l.product_id, l.node_id
    ), key AS (
        SELECT product_id, node_id FROM free UNION SELECT product_id, node_id FROM used
        UNION SELECT product_id, node_id FROM short
    )
    SELECT key.product_id, key.node_id, coalesce(free.quantity, 0), coalesce(coming.quantity, 0),
        coalesce(used.quantity, 0), coalesce(short.quantity, 0)
    FROM key
    JOIN inventory_node n ON n.id = key.node_id AND n.is_active
    LEFT JOIN free USING (product_id, node_id)
    LEFT JOIN coming USING (product_id, node_id)
    LEFT JOIN used USING (product_id, node_id)
    LEFT JOIN short USING (product_id, node_id)
"""

ABOUT = """
    SELECT p.id, p.code, p.name, p.base_uom, p.order_multiple,
        coalesce(c.value / nullif(c.quantity, 0), 0)
    FROM inventory_product p
    LEFT JOIN inventory_productcost c ON c.product_id = p.id AND c.entity_id = %(entity)s
    WHERE p.id = ANY(%(products)s) AND NOT p.is_blocked
"""

NODES = "SELECT id, code, name FROM inventory_node"
LANES = "SELECT origin_id, destination_id, days FROM inventory_lane"


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """So much of a product that had better lie at another node. Covers are days; None: for ever.

    `value` is at average cost in `currency`; `days` what the lane takes, None where it is unknown.
    """

    entity_id: int
    product_id: int
    origin_id: int
    destination_id: int
    product: str
    name: str
    uom: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    quantity: Decimal
    value: Decimal
    currency: str
    is_shortage: bool
    origin_before: Decimal | None
    origin_after: Decimal | None
    destination_before: Decimal | None
    destination_after: Decimal | None
    days: int | None

    @property
    def key(self) -> str:
        return f"{self.entity_id}.{self.product_id}.{self.origin_id}.{self.destination_id}"


def transfer_suggestions(*, entity_ids: Collection[int], now: datetime) -> list[SuggestionRow]:
    """Return what had better go to another node: shortages first, then by value. Few queries each.

    At most 500, computed from what is there now: nothing is kept.
    """
    nodes = {row[0]: (row[1], row[2]) for row in rows(NODES)}
    lanes = {(row[0], row[1]): row[2] for row in rows(LANES)}
    found: list[SuggestionRow] = []
    for entity_id in sorted(entity_ids):
        found += _of_entity(entity_id, nodes, lanes, now)
    found.sort(key=lambda row: (not row.is_shortage, -row.value, row.key))
    return found[:SHOWN_MAX]


def _of_entity(
    entity_id: int,
    nodes: dict[int, tuple[str, str]],
    lanes: dict[tuple[int, int], int],
    now: datetime,
) -> list[SuggestionRow]:
    params = {"entity": entity_id, "now": now, "since": now - timedelta(days=DAYS)}
    places: dict[int, list[Place]] = defaultdict(list)
    for product_id, node_id, free, coming, used, short in rows(PLACES, params):
        places[product_id].append(
            Place(node=node_id, free=free, coming=coming, daily=used / DAYS, short=short)
        )
    several = [product_id for product_id, here in places.items() if len(here) > 1]
    said = class_limits(entity_id=entity_id, now=now)
    currency = rows("SELECT currency FROM accounts_entity WHERE id = %s", [entity_id])[0][0]
    found = []
    for about in rows(ABOUT, {"entity": entity_id, "products": several}):
        limits = Limits(
            keep_days=said.keep_days,
            fill_days=said.fill_days,
            low_days=said.low_days,
            multiple=about[4] or Decimal(1),
        )
        found += [
            SuggestionRow(
                entity_id, about[0], each.origin, each.destination, about[1], about[2], about[3],
                *nodes[each.origin], *nodes[each.destination], each.quantity,
                round(each.quantity * about[5], 2), currency, each.is_shortage,
                *_covers(each), lanes.get((each.origin, each.destination)),
            )
            for each in suggest_transfers(places[about[0]], limits)
        ]  # fmt: skip
    return found


def _covers(each: Suggested) -> Covers:
    return (
        each.origin_before,
        each.origin_after,
        each.destination_before,
        each.destination_after,
    )

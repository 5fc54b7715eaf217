"""Balances, the moves behind them, and whom they are kept for."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records, rows

STOCK = """
    SELECT s.id, p.code AS product, p.name, p.base_uom AS uom, e.code AS entity, e.currency,
        n.code AS node, n.name AS node_name, coalesce(l.code, '') AS lot, s.expires_on, s.is_barred,
        s.status, s.on_hand, s.reserved,
        s.on_hand - s.reserved AS available,
        CASE WHEN c.quantity > 0 THEN round(c.value * s.on_hand / c.quantity, 2) ELSE 0 END AS value
    FROM inventory_product p
    JOIN inventory_stock s ON s.product_id = p.id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_lot l ON l.id = s.lot_id
    LEFT JOIN inventory_productcost c ON c.product_id = s.product_id AND c.entity_id = s.entity_id
    WHERE s.entity_id = ANY(%(entities)s) {narrowed}
    ORDER BY p.code, s.id
    LIMIT %(limit)s
"""

NARROWED = {
    "text": "AND (upper(p.code) LIKE %(starts)s OR p.name ILIKE %(holds)s)",
    "product": "AND p.code = %(product)s",
    "node": "AND n.code = %(node)s",
    "status": "AND s.status = %(status)s",
    "after": "AND p.code >= %(after_code)s AND (p.code, s.id) > (%(after_code)s, %(after_id)s)",
}

SHOWN = {
    "": "",
    "free": "AND s.on_hand > s.reserved",
    "reserved": "AND s.reserved > 0",
    "empty": "AND s.on_hand = s.reserved",
}

FREE = """
    SELECT s.entity_id, s.product_id, s.node_id, n.code, n.name, sum(s.on_hand - s.reserved)
    FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS k (entity_id, product_id)
    JOIN inventory_stock s ON s.product_id = k.product_id AND s.entity_id = k.entity_id
    JOIN inventory_node n ON n.id = s.node_id
    WHERE s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred AND n.is_active
    GROUP BY s.entity_id, s.product_id, s.node_id, n.id
    ORDER BY sum(s.on_hand - s.reserved) DESC, n.code
"""

MOVES = """
    SELECT m.id, m.at, m.kind, e.code AS entity, e.currency, n.code AS node,
        coalesce(l.code, '') AS lot, m.status, m.quantity, m.value, m.cause_kind, m.cause_id,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS actor
    FROM inventory_stockmove m
    JOIN accounts_entity e ON e.id = m.entity_id
    JOIN inventory_node n ON n.id = m.node_id
    LEFT JOIN inventory_lot l ON l.id = m.lot_id
    LEFT JOIN accounts_user u ON u.id = m.actor_id
    WHERE m.product_id = %(product)s AND m.entity_id = ANY(%(entities)s)
        AND (%(node)s = '' OR n.code = %(node)s)
        AND (%(after)s::bigint IS NULL OR m.id < %(after)s)
    ORDER BY m.id DESC
    LIMIT %(limit)s
"""

KEPT = """
    SELECT r.id, r.demand_kind, r.demand_id, e.code AS entity, n.code AS node, r.quantity,
        r.created_at,
        coalesce((
            SELECT d.demand_label FROM inventory_allocationdecision d
            WHERE d.demand_id = r.demand_id AND d.demand_kind = r.demand_kind
            ORDER BY d.id DESC LIMIT 1
        ), '') AS label,
        coalesce((
            SELECT sh.number FROM inventory_shipmentline l
            JOIN inventory_shipment sh ON sh.id = l.shipment_id
            WHERE l.demand_id = r.demand_id AND l.demand_kind = r.demand_kind
                AND l.stock_id = r.stock_id AND sh.state IN ('planned', 'picked', 'packed')
            ORDER BY sh.id LIMIT 1
        ), '') AS shipment
    FROM inventory_stock s
    JOIN inventory_reservation r ON r.stock_id = s.id AND r.closed_at IS NULL
    JOIN inventory_node n ON n.id = s.node_id
    JOIN accounts_entity e ON e.id = s.entity_id
    WHERE s.product_id = %(product)s AND s.entity_id = ANY(%(entities)s)
    ORDER BY r.id
    LIMIT %(limit)s
"""

NODES = """
    SELECT n.code, n.name FROM inventory_node n
    WHERE EXISTS (
        SELECT FROM inventory_stock s WHERE s.node_id = n.id AND s.entity_id = ANY(%s)
    )
    ORDER BY n.code
"""


@dataclass(frozen=True, slots=True)
class StockRow:
    """One balance in base units; `value` is its share of the average cost, in `currency`."""

    id: int
    product: str
    name: str
    uom: str
    entity: str
    currency: str
    node: str
    node_name: str
    lot: str
    expires_on: date | None
    is_barred: bool
    status: str
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class NodeStock:
    """What nobody has reserved of one product at one open node, in base units; above zero."""

    node_id: int
    node: str
    name: str
    available: Decimal


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One change of one balance, signed, and its value in `currency`."""

    id: int
    at: datetime
    kind: str
    entity: str
    currency: str
    node: str
    lot: str
    status: str
    quantity: Decimal
    value: Decimal
    cause_kind: str
    cause_id: int
    actor: str


@dataclass(frozen=True, slots=True)
class ReservationRow:
    """What is kept for one demand; `shipment` is empty until it stands on one."""

    id: int
    demand_kind: str
    demand_id: int
    entity: str
    node: str
    quantity: Decimal
    created_at: datetime
    label: str
    shipment: str


def stock_rows(
    *,
    entity_ids: Collection[int],
    text: str = "",
    product: str = "",
    node: str = "",
    status: str = "",
    shown: str = "",
    after: tuple[str, int] | None = None,
    limit: int = 100,
) -> list[StockRow]:
    """Return balances by product code. One query.

    `text` begins a code or stands in a name; `shown` is "free", "reserved", "empty" or all; `after`
    is the (product, id) of the last row seen.
    """
    asked = {"text": text, "product": product, "node": node, "status": status, "after": after}
    narrowed = [NARROWED[name] for name, value in asked.items() if value]
    code, last = after or ("", 0)
    params = {
        "entities": sorted(entity_ids),
        **patterns(text),
        "product": product,
        "node": node,
        "status": status,
        "after_code": code,
        "after_id": last,
        "limit": limit,
    }
    statement = STOCK.format(narrowed=" ".join([*narrowed, SHOWN.get(shown, "")]))
    return [StockRow(**row) for row in records(statement, params)]


def patterns(text: str) -> dict[str, str]:
    """Return what a search compares: a code that begins so, a name that holds it. No wildcards."""
    plain = text.replace("\\", "").replace("%", "").replace("_", "\\_")
    return {"starts": f"{plain.upper()}%", "holds": f"%{plain}%"}


def availability(*, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], list[NodeStock]]:
    """Return what is free of each (entity id, product id), the fullest node first. One query.

    A key of which nothing is free is not in the answer.
    """
    found: dict[tuple[int, int], list[NodeStock]] = defaultdict(list)
    wanted = sorted(set(keys))
    params = {"entities": [key[0] for key in wanted], "products": [key[1] for key in wanted]}
    for entity_id, product_id, *rest in rows(FREE, params):
        found[entity_id, product_id].append(NodeStock(*rest))
    return dict(found)


def other_nodes(
    *, product_id: int, entity_id: int, excluding: Collection[int] = ()
) -> list[NodeStock]:
    """Return the open nodes where some of a product is free, the fullest first. One query."""
    free = availability(keys=[(entity_id, product_id)]).get((entity_id, product_id), [])
    return [each for each in free if each.node_id not in excluding]


def moves_of(
    *,
    product_id: int,
    entity_ids: Collection[int],
    node: str = "",
    after: int | None = None,
    limit: int = 100,
) -> list[MoveRow]:
    """Return a product's moves, newest first, `after` an id. One query."""
    params = {
        "product": product_id,
        "entities": sorted(entity_ids),
        "node": node,
        "after": after,
        "limit": limit,
    }
    return [MoveRow(**row) for row in records(MOVES, params)]


def reservations_of(
    *, product_id: int, entity_ids: Collection[int], limit: int = 100
) -> list[ReservationRow]:
    """Return what is kept of a product, the oldest first. One query."""
    params = {"product": product_id, "entities": sorted(entity_ids), "limit": limit}
    return [ReservationRow(**row) for row in records(KEPT, params)]


def nodes_with_stock(*, entity_ids: Collection[int]) -> list[tuple[str, str]]:
    """Return (code, name) of the nodes where these entities own stock."""
    return [(code, name) for code, name in rows(NODES, [sorted(entity_ids)])]

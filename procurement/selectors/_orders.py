"""Purchase orders: the list, one of them, what is still to come."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows

PAGE = 100


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One purchase order in the list. `received` is the share of what was ordered, 0..1."""

    id: int
    number: str
    entity_code: str
    node_code: str
    supplier_code: str
    supplier_name: str
    state: str
    expected_date: date
    total: Decimal
    currency: str
    lines: int
    received: Decimal
    created_at: datetime
    created_by: str


ORDERS = """
    SELECT o.id, o.number, e.code AS entity_code, n.code AS node_code, s.code AS supplier_code,
           s.name AS supplier_name, o.state, o.expected_date, o.total, o.currency,
           o.created_at, coalesce(u.username, '') AS created_by, line.lines, line.received
    FROM procurement_purchaseorder o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_node n ON n.id = o.node_id
    JOIN procurement_supplier s ON s.id = o.supplier_id
    LEFT JOIN accounts_user u ON u.id = o.created_by_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines,
               coalesce(round(sum(l.received) / nullif(sum(l.quantity), 0), 4), 0) AS received
        FROM procurement_purchaseorderline l WHERE l.order_id = o.id
    ) line
    WHERE o.entity_id = ANY(%(entities)s)
      AND (%(states)s::text[] = '{}' OR o.state = ANY(%(states)s))
      AND (%(supplier)s = '' OR s.code = %(supplier)s)
      AND (%(node)s = '' OR n.code = %(node)s)
      AND o.id < %(before)s
    ORDER BY o.id DESC
    LIMIT %(limit)s
"""
OPEN = ["draft", "pending", "approved", "sent", "acknowledged", "partly_received"]
NEWEST = 2**63 - 1


def order_board(
    *,
    entity_ids: Collection[int],
    state: str = "",
    supplier: str = "",
    node: str = "",
    after: str = "",
    limit: int = PAGE,
) -> tuple[list[OrderRow], str]:
    """Return purchase orders, the newest first, and the cursor of what follows (empty: no more).

    `state` "open" is everything that may still bring goods, "" is all. One query.
    """
    asked = {
        "entities": sorted(entity_ids),
        "states": OPEN if state == "open" else [state] if state else [],
        "supplier": supplier,
        "node": node,
        "before": int(after) if after.isdecimal() else NEWEST,
        "limit": limit + 1,
    }
    found = [OrderRow(**row) for row in records(ORDERS, asked)]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else ""


@dataclass(frozen=True, slots=True)
class OrderLineRow:
    """One line of a purchase order. Quantities in base units, money in the order's currency."""

    id: int
    position: int
    product_id: int
    product_code: str
    product_name: str
    uom: str
    quantity: Decimal
    received: Decimal
    outstanding: Decimal
    unit_price: Decimal
    amount: Decimal
    expected_date: date
    proposal_id: int | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One purchase order with its lines and who did what to it.

    With a `ship_to` the supplier sends it straight there, for the order `for_label`.
    """

    id: int
    number: str
    entity_id: int
    entity_code: str
    node_code: str
    node_name: str
    supplier_code: str
    supplier_name: str
    supplier_email: str
    state: str
    currency: str
    total: Decimal
    expected_date: date
    created_at: datetime
    created_by: str
    submitted_at: datetime | None
    submitted_by: str
    approved_at: datetime | None
    approved_by: str
    sent_at: datetime | None
    acknowledged_at: datetime | None
    received_at: datetime | None
    closed_at: datetime | None
    close_reason: str
    for_label: str
    ship_to: Mapping[str, Any] | None
    lines: Sequence[OrderLineRow]

    @property
    def address(self) -> list[str]:
        """Where the supplier sends it straight to, as it is printed; nothing: it comes to us."""
        names = ("name", "address", "postal_code", "city", "region", "country")
        return [str((self.ship_to or {})[name]) for name in names if (self.ship_to or {}).get(name)]


ORDER = """
    SELECT o.id, o.number, o.entity_id, e.code AS entity_code, n.code AS node_code,
           n.name AS node_name, s.code AS supplier_code, s.name AS supplier_name,
           s.email AS supplier_email, o.state, o.currency, o.total, o.expected_date, o.created_at,
           coalesce(c.username, '') AS created_by, o.submitted_at,
           coalesce(b.username, '') AS submitted_by, o.approved_at,
           coalesce(a.username, '') AS approved_by, o.sent_at, o.acknowledged_at, o.received_at,
           o.closed_at, o.close_reason, o.for_label, o.ship_to
    FROM procurement_purchaseorder o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN inventory_node n ON n.id = o.node_id
    JOIN procurement_supplier s ON s.id = o.supplier_id
    LEFT JOIN accounts_user c ON c.id = o.created_by_id
    LEFT JOIN accounts_user b ON b.id = o.submitted_by_id
    LEFT JOIN accounts_user a ON a.id = o.approved_by_id
    WHERE o.number = %(number)s AND o.entity_id = ANY(%(entities)s)
"""
ORDER_LINES = """
    SELECT l.id, l.position, l.product_id, i.code AS product_code, i.name AS product_name,
           i.base_uom AS uom, l.quantity, l.received,
           greatest(l.quantity - l.received, 0) AS outstanding, l.unit_price,
           round(l.quantity * l.unit_price, 4) AS amount, l.expected_date, l.proposal_id
    FROM procurement_purchaseorderline l
    JOIN inventory_product i ON i.id = l.product_id
    WHERE l.order_id = %(order)s
    ORDER BY l.position
"""


def order_page(*, number: str, entity_ids: Collection[int]) -> OrderPage | None:
    """Return one purchase order of these entities, or None. Two queries."""
    found = records(ORDER, {"number": number, "entities": sorted(entity_ids)})
    if not found:
        return None
    lines = [OrderLineRow(**row) for row in records(ORDER_LINES, {"order": found[0]["id"]})]
    ship_to = found[0]["ship_to"]
    told = {"ship_to": json.loads(ship_to) if isinstance(ship_to, str) else ship_to}
    return OrderPage(**found[0] | told, lines=lines)


@dataclass(frozen=True, slots=True)
class Incoming:
    """So much of a product that a purchase order still brings to a node."""

    order_number: str
    line_id: int
    node_id: int
    quantity: Decimal
    expected_date: date
    state: str
    supplier_name: str


INCOMING = """
    SELECT o.number AS order_number, l.id AS line_id, o.node_id,
           l.quantity - l.received AS quantity, l.expected_date, o.state, s.name AS supplier_name
    FROM procurement_purchaseorderline l
    JOIN procurement_purchaseorder o ON o.id = l.order_id
    JOIN procurement_supplier s ON s.id = o.supplier_id
    WHERE l.product_id = %(product)s AND l.quantity > l.received
      AND o.entity_id = ANY(%(entities)s)
      AND (%(node)s::bigint IS NULL OR o.node_id = %(node)s)
      AND o.state = ANY('{sent,acknowledged,partly_received}') AND o.for_id IS NULL
    ORDER BY l.expected_date, l.id
"""


def incoming(
    *, product_id: int, node_id: int | None, entity_id: int | None = None,
    entity_ids: Collection[int] = (),
) -> list[Incoming]:  # fmt: skip
    """Return what sent purchase orders still bring of a product, the first to come first.

    `node_id` None looks at all nodes. In base units. One query.
    """
    entities = sorted({*entity_ids, *([] if entity_id is None else [entity_id])})
    asked = {"product": product_id, "node": node_id, "entities": entities}
    return [Incoming(**row) for row in records(INCOMING, asked)]


COUNTS = """
    SELECT state, count(*) FROM procurement_purchaseorder
    WHERE entity_id = ANY(%(entities)s) AND state = ANY(%(open)s) GROUP BY state
"""


def open_orders_by_state(*, entity_ids: Collection[int]) -> dict[str, int]:
    """Return how many open purchase orders stand in each state."""
    return dict(rows(COUNTS, {"entities": sorted(entity_ids), "open": OPEN}))

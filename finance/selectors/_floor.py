"""Shipments and deliveries as the floor sees them: what to pick, pack, ship and take in."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

from erp.kernel.sql import records, rows

TO_DO = ("planned", "picked", "packed")

# The page is cut before anything is counted for its rows.
BOARD = """
    WITH page AS MATERIALIZED (
        SELECT s.id FROM inventory_shipment s JOIN inventory_node n ON n.id = s.node_id
        WHERE s.entity_id = ANY(%(entities)s) {narrowed}
        ORDER BY {order}
        LIMIT %(limit)s
    )
    SELECT s.id, s.number, s.state, s.source_number AS order_number, n.code AS node,
           n.name AS node_name, e.code AS entity, s.planned_date, s.promised_date, s.shipped_at,
           s.cartons, s.weight, coalesce(c.name, '') AS carrier,
           coalesce(cu.name, s.ship_to->>'name', '') AS customer,
           l.lines, l.units, l.short,
           s.planned_date < (now() AT TIME ZONE n.time_zone)::date
               AND s.state IN ('planned', 'picked', 'packed') AS is_late
    FROM page
    JOIN inventory_shipment s ON s.id = page.id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_carrier c ON c.id = s.carrier_id
    LEFT JOIN orders_order o ON o.id = s.source_id AND s.source_kind = 'orders.order'
    LEFT JOIN orders_customer cu ON cu.id = o.customer_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, coalesce(sum(coalesce(picked, quantity)), 0) AS units,
               coalesce(sum(quantity - picked), 0) AS short
        FROM inventory_shipmentline WHERE shipment_id = s.id
    ) AS l
    ORDER BY {order}
"""

# By number of the shipment or of its order, each by its own index.
NAMED = """
    AND s.id IN (
        SELECT id FROM inventory_shipment WHERE number LIKE %(text)s
        UNION ALL
        SELECT f.id FROM orders_order o
        JOIN inventory_shipment f ON f.source_id = o.id AND f.source_kind = 'orders.order'
        WHERE o.number LIKE %(text)s
    )
"""

COUNTS = """
    SELECT s.state, count(*) FROM inventory_shipment s
    JOIN inventory_node n ON n.id = s.node_id
    WHERE s.entity_id = ANY(%(entities)s) AND s.state IN ('planned', 'picked', 'packed')
      AND (%(node)s = '' OR n.code = %(node)s)
    GROUP BY s.state
"""

NODES = """
    SELECT n.code, n.name FROM inventory_node n
    WHERE n.is_active AND (n.entity_id = ANY(%(entities)s) OR EXISTS (
        SELECT FROM inventory_stock k WHERE k.node_id = n.id AND k.entity_id = ANY(%(entities)s)))
    ORDER BY n.code
"""

HEAD = """
    SELECT s.id, s.number, s.state, s.entity_id, e.code AS entity, e.name AS entity_name,
           e.currency, n.code AS node, n.name AS node_name, s.source_id AS order_id,
           s.source_number AS order_number, s.ship_to, s.planned_date, s.promised_date,
           s.created_at, s.picked_at, s.packed_at, s.shipped_at, s.delivered_at,
           s.tracking_number, s.weight, s.freight_cost, s.failure,
           coalesce(c.name, '') AS carrier, coalesce(cu.name, '') AS customer,
           coalesce(o.customer_po, '') AS customer_po
    FROM inventory_shipment s
    JOIN inventory_node n ON n.id = s.node_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_carrier c ON c.id = s.carrier_id
    LEFT JOIN orders_order o ON o.id = s.source_id AND s.source_kind = 'orders.order'
    LEFT JOIN orders_customer cu ON cu.id = o.customer_id
    WHERE s.entity_id = ANY(%(entities)s) AND s.number = %(number)s
"""

LINES = """
    SELECT l.id, l.demand_id, p.code AS product_code, p.name AS product, p.barcode,
           p.base_uom AS uom, coalesce(lot.code, '') AS lot, s.expires_on, l.quantity, l.picked,
           l.short_reason, l.cost, s.is_serial,
           coalesce(ARRAY(SELECT n.number FROM inventory_serial n WHERE n.line_id = l.id
                          ORDER BY n.number), '{}') AS serials
    FROM inventory_shipmentline l JOIN inventory_product p ON p.id = l.product_id
    JOIN inventory_stock s ON s.id = l.stock_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    WHERE l.shipment_id = %(shipment)s
    ORDER BY p.code, l.id
"""

CARTONS = """
    SELECT number, sscc, weight FROM inventory_carton WHERE shipment_id = %(shipment)s
    ORDER BY number
"""

INCOMING = """
    SELECT o.id, o.number, o.state, s.name AS supplier, n.code AS node, e.code AS entity,
           o.expected_date, o.currency, o.total, l.lines, l.due, o.for_label,
           o.expected_date < (now() AT TIME ZONE n.time_zone)::date AS is_late
    FROM procurement_purchaseorder o
    JOIN procurement_supplier s ON s.id = o.supplier_id
    JOIN inventory_node n ON n.id = o.node_id
    JOIN accounts_entity e ON e.id = o.entity_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, coalesce(sum(greatest(quantity - received, 0)), 0) AS due
        FROM procurement_purchaseorderline WHERE order_id = o.id
    ) AS l
    WHERE o.entity_id = ANY(%(entities)s)
      AND o.state IN ('sent', 'acknowledged', 'partly_received')
      AND (%(node)s = '' OR n.code = %(node)s) {narrowed}
    ORDER BY o.expected_date, o.id
    LIMIT %(limit)s
"""

INCOMING_LINES = """
    SELECT l.id, l.position, p.code AS product_code, p.name AS product, p.barcode,
           p.base_uom AS uom, p.tracking, l.quantity, l.received,
           greatest(l.quantity - l.received, 0) AS due, l.expected_date
    FROM procurement_purchaseorderline l JOIN inventory_product p ON p.id = l.product_id
    WHERE l.order_id = %(order)s
    ORDER BY l.position
"""

RECEIPTS = """
    SELECT r.number, r.received_at,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS by,
           sum(l.quantity) AS units, sum(l.value) AS value
    FROM inventory_receipt r
    JOIN inventory_receiptline l ON l.receipt_id = r.id
    LEFT JOIN accounts_user u ON u.id = r.received_by_id
    WHERE r.source_kind = 'procurement.order' AND r.source_id = %(order)s
    GROUP BY r.id, u.id
    ORDER BY r.id
"""


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """One line of the shipment board. Units are base units, planned or picked."""

    id: int
    number: str
    state: str
    order_number: str
    node: str
    node_name: str
    entity: str
    planned_date: date
    promised_date: date | None
    shipped_at: datetime | None
    cartons: int
    weight: Decimal
    carrier: str
    customer: str
    lines: int
    units: Decimal
    short: Decimal
    is_late: bool


@dataclass(frozen=True, slots=True)
class ShipmentLineRow:
    """One line to pick, in base units; `picked` is None until then.

    `serials` are the numbers of the pieces that were picked for it, or left with it.
    """

    id: int
    demand_id: int
    product_code: str
    product: str
    barcode: str
    uom: str
    lot: str
    expires_on: date | None
    quantity: Decimal
    picked: Decimal | None
    short_reason: str
    cost: Decimal | None
    is_serial: bool = False
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CartonRow:
    """One carton and its weight in kilograms."""

    number: int
    sscc: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class ShipmentPaper:
    """One shipment with everything its page and its papers print."""

    id: int
    number: str
    state: str
    entity_id: int
    entity: str
    entity_name: str
    currency: str
    node: str
    node_name: str
    order_id: int
    order_number: str
    ship_to: Mapping[str, Any]
    planned_date: date
    promised_date: date | None
    created_at: datetime
    picked_at: datetime | None
    packed_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    tracking_number: str
    weight: Decimal
    freight_cost: Decimal
    failure: str
    carrier: str
    customer: str
    customer_po: str
    lines: Sequence[ShipmentLineRow]
    cartons: Sequence[CartonRow]


@dataclass(frozen=True, slots=True)
class IncomingRow:
    """One purchase order that goods are expected of; `due` base units are still to come."""

    id: int
    number: str
    state: str
    supplier: str
    node: str
    entity: str
    expected_date: date
    currency: str
    total: Decimal
    lines: int
    due: Decimal
    for_label: str  # the customer's order that the supplier sends it straight for
    is_late: bool


@dataclass(frozen=True, slots=True)
class IncomingLineRow:
    """One line of it, in base units."""

    id: int
    position: int
    product_code: str
    product: str
    barcode: str
    uom: str
    tracking: str
    quantity: Decimal
    received: Decimal
    due: Decimal
    expected_date: date


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt of it; `value` is in the entity's currency."""

    number: str
    received_at: datetime
    by: str
    units: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class IncomingPage:
    """A purchase order as the dock sees it."""

    head: IncomingRow
    lines: Sequence[IncomingLineRow]
    receipts: Sequence[ReceiptRow]


def shipments(
    *,
    entity_ids: Collection[int],
    state: str = "",
    node: str = "",
    text: str = "",
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> list[ShipmentRow]:
    """Return shipments: open ones the earliest planned first, gone ones the newest first.

    `after` is the (planned date, id) of the last row seen. `text` begins its number or its order's.
    """
    is_open = not state or state in TO_DO
    narrowed = ["AND s.state = %(state)s" if state else f"AND s.state IN {TO_DO}"]
    if node:
        narrowed.append("AND n.code = %(node)s")
    if text:
        narrowed.append(NAMED)
    if after is not None:
        narrowed.append(
            "AND (s.planned_date, s.id) > (%(day)s, %(id)s)" if is_open else "AND s.id < %(id)s"
        )
    statement = BOARD.format(
        narrowed=" ".join(narrowed), order="s.planned_date, s.id" if is_open else "s.id DESC"
    )
    day, last = after or (None, None)
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "node": node,
        "text": f"{text.upper().replace('%', '').replace('_', '')}%",
        "day": day,
        "id": last,
        "limit": limit,
    }
    return [ShipmentRow(**row) for row in records(statement, params)]


def shipment_list(*, entity_ids: Collection[int]) -> "QuerySet[Any]":
    """Return the shipments of the entities as plain rows, for the API to filter and to page."""
    shipments_of_all = apps.get_model("inventory", "Shipment")._default_manager  # noqa: SLF001
    return shipments_of_all.filter(entity_id__in=entity_ids).values(
        "id", "number", "state", "entity__code", "node__code", "source_number", "carrier__code",
        "planned_date", "promised_date", "created_at", "picked_at", "packed_at", "shipped_at",
        "delivered_at", "tracking_number",
    )  # fmt: skip


def shipment_ids_of(*, numbers: Collection[str], entity_ids: Collection[int]) -> dict[str, int]:
    """Return the id of each of these shipments that the entities have."""
    statement = """
        SELECT number, id FROM inventory_shipment
        WHERE number = ANY(%(numbers)s) AND entity_id = ANY(%(entities)s)"""
    return dict(rows(statement, {"numbers": [*numbers], "entities": sorted(entity_ids)}))


def shipments_within(*, shipment_ids: Collection[int], entity_ids: Collection[int]) -> set[int]:
    """Return those of the shipments that the entities have."""
    statement = "SELECT id FROM inventory_shipment WHERE id = ANY(%s) AND entity_id = ANY(%s)"
    return {row[0] for row in rows(statement, [[*shipment_ids], sorted(entity_ids)])}


def shipment_counts(*, entity_ids: Collection[int], node: str = "") -> dict[str, int]:
    """Return how many shipments wait in each state of the floor."""
    return dict(rows(COUNTS, {"entities": sorted(entity_ids), "node": node}))


def floor_nodes(*, entity_ids: Collection[int]) -> list[tuple[str, str]]:
    """Return (code, name) of the nodes that keep stock of the entities."""
    return [(code, name) for code, name in rows(NODES, {"entities": sorted(entity_ids)})]


def shipment_paper(*, number: str, entity_ids: Collection[int]) -> ShipmentPaper | None:
    """Return a shipment by its number, or None. Three queries."""
    found = records(HEAD, {"entities": sorted(entity_ids), "number": number})
    if not found:
        return None
    params = {"shipment": found[0]["id"]}
    return ShipmentPaper(
        **found[0] | {"ship_to": json.loads(found[0]["ship_to"])},
        lines=[ShipmentLineRow(**row) for row in records(LINES, params)],
        cartons=[CartonRow(**row) for row in records(CARTONS, params)],
    )


def incoming_orders(
    *, entity_ids: Collection[int], node: str = "", limit: int = 200
) -> list[IncomingRow]:
    """Return purchase orders that goods are expected of, the earliest first."""
    params = {"entities": sorted(entity_ids), "node": node, "limit": limit}
    return [IncomingRow(**row) for row in records(INCOMING.format(narrowed=""), params)]


def incoming_order(*, number: str, entity_ids: Collection[int]) -> IncomingPage | None:
    """Return such a purchase order with its lines and receipts, or None. Three queries."""
    params = {"entities": sorted(entity_ids), "node": "", "limit": 1, "number": number}
    found = records(INCOMING.format(narrowed="AND o.number = %(number)s"), params)
    if not found:
        return None
    order = {"order": found[0]["id"]}
    return IncomingPage(
        head=IncomingRow(**found[0]),
        lines=[IncomingLineRow(**row) for row in records(INCOMING_LINES, order)],
        receipts=[ReceiptRow(**row) for row in records(RECEIPTS, order)],
    )

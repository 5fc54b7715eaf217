"""One order with all that its page shows."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from inventory.selectors import CandidateRow, candidates_of, dropped_of


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line; quantities in the base unit `uom`, money in the order's currency.

    `places` are the nodes it is reserved at or left from; so much as is `direct` of what waits a
    supplier was told to send straight to the customer. A part of a kit says how many of it are
    in one; the first of them, by `kit_code`, what the kit is.
    """

    id: int
    position: int
    product: str
    name: str
    uom: str
    sold_uom: str
    sold_quantity: Decimal
    quantity: Decimal
    reserved: Decimal
    shipped: Decimal
    invoiced: Decimal
    cancelled: Decimal
    waiting: Decimal
    direct: Decimal
    unit_price: Decimal
    price_source: str
    discount: Decimal
    amount: Decimal
    node: str | None
    disposition: str
    is_agreed: bool
    kit_id: int | None
    per_kit: Decimal | None
    kit_code: str
    kit_name: str
    kits: Decimal | None
    kit_price: Decimal | None
    kit_amount: Decimal | None
    places: str
    first_promised_date: date | None
    promised_date: date | None
    promised_p90_date: date | None = None
    supplies: str = ""
    fresh_days: int | None = None
    replaces: Decimal | None = None
    instead_of: int | None = None

    @property
    def ordered(self) -> Decimal:
        return self.quantity - self.cancelled

    @property
    def secured(self) -> Decimal:
        return self.reserved + self.shipped


@dataclass(frozen=True, slots=True)
class HoldRow:
    """One hold, active or lifted."""

    id: int
    kind: str
    state: str
    owner_role: str
    reason: str
    facts: Mapping[str, Any]
    policy_version: str
    placed_at: datetime
    lifted_at: datetime | None
    lifted_by: str
    lift_reason: str
    is_forced: bool
    valid_until: date | None

    @property
    def dialog(self) -> str:
        """The name of the dialog that lifts it, on the order's page."""
        return f"lift-{self.id}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The last decision of the allocation layer about one line: why it got what it got."""

    line_id: int
    position: int
    product: str
    run_id: int
    at: datetime
    policy_version: str
    asked: Decimal
    given: Decimal
    outcome: str
    candidates: list[CandidateRow]
    flip: str
    dropped: list[str]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order. `lines` are at most the limit asked for; `line_count` counts all."""

    id: int
    number: str
    entity_id: int
    entity: str
    account_id: int
    customer_id: int
    customer: str
    customer_code: str
    tier: str
    state: str
    channel: str
    customer_po: str
    external_ref: str
    revision: int
    currency: str
    requested_date: date
    promised_date: date | None
    first_promised_date: date | None
    ship_to: Mapping[str, str]
    carrier: str | None
    ship_complete: bool
    no_split: bool
    no_substitutes: bool
    class_code: str
    priority: int
    penalty_rate: Decimal
    freight: Decimal
    subtotal: Decimal
    total: Decimal
    created_at: datetime
    created_by_id: int | None
    created_by: str
    submitted_at: datetime | None
    released_at: datetime | None
    shipped_at: datetime | None
    invoiced_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str
    line_count: int
    ordered: Decimal
    reserved: Decimal
    shipped: Decimal
    waiting: Decimal
    lines: list[LineRow]
    holds: list[HoldRow]

    @property
    def is_rewritten_whole(self) -> bool:
        """Test if it is a draft all of whose lines may be written anew together."""
        return self.state == "draft" and not any(line.is_agreed for line in self.lines)

    @property
    def active_holds(self) -> list[HoldRow]:
        return [hold for hold in self.holds if hold.state == "active"]


HEAD = """
    SELECT o.id, o.number, o.entity_id, e.code AS entity, o.account_id, o.customer_id,
           c.name AS customer, c.code AS customer_code, c.tier, o.state, o.channel,
           o.customer_po, o.external_ref, o.revision, o.currency, o.requested_date, o.promised_date,
           sums.first_promised_date, o.ship_to, k.code AS carrier, o.ship_complete, o.no_split,
           o.no_substitutes, o.class_code, o.priority, a.penalty_rate, o.freight, o.subtotal,
           o.total, o.created_at, o.created_by_id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS created_by,
           o.submitted_at, o.released_at, o.shipped_at, o.invoiced_at, o.closed_at,
           o.cancelled_at, o.cancel_reason, sums.line_count, sums.ordered, sums.reserved,
           sums.shipped, sums.waiting
    FROM orders_order o
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    JOIN accounts_entity e ON e.id = o.entity_id
    LEFT JOIN inventory_carrier k ON k.id = o.carrier_id
    LEFT JOIN accounts_user u ON u.id = o.created_by_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS line_count, coalesce(sum(l.quantity - l.cancelled), 0) AS ordered,
               coalesce(sum(l.reserved), 0) AS reserved, coalesce(sum(l.shipped), 0) AS shipped,
               coalesce(sum(l.waiting), 0) AS waiting,
               max(l.first_promised_date) AS first_promised_date
        FROM orders_orderline l WHERE l.order_id = o.id
    ) AS sums
    WHERE o.number = %(number)s AND o.entity_id = ANY(%(entities)s)
"""

LINES = """
    SELECT l.id, l.position, p.code AS product, p.name, p.base_uom AS uom, l.uom AS sold_uom,
           l.uom_quantity AS sold_quantity, l.quantity, l.reserved, l.shipped, l.invoiced,
           l.cancelled, l.waiting, l.direct, l.unit_price, l.price_source, l.discount, l.amount,
           n.code AS node, l.disposition, l.fresh_days, l.replaces,
           original.position AS instead_of,
           coalesce(l.quote_line_id, l.blanket_line_id, l.kit_id) IS NOT NULL AS is_agreed,
           l.kit_id, l.per_kit,
           CASE WHEN l.position = min(l.position) OVER (PARTITION BY l.kit_id)
                THEN coalesce(kp.code, '') ELSE '' END AS kit_code,
           coalesce(kp.name, '') AS kit_name, kit.quantity - kit.cancelled AS kits,
           kit.unit_price AS kit_price, kit.amount AS kit_amount,
           coalesce(place.codes, '') AS places,
           l.first_promised_date, l.promised_date, l.promised_p90_date,
           coalesce((SELECT string_agg(DISTINCT s ->> 'label', ', ')
                     FROM jsonb_array_elements(l.promise_basis -> 'supplies') AS s), '')
               AS supplies
    FROM orders_orderline l
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_node n ON n.id = l.node_id
    LEFT JOIN orders_orderline original ON original.id = l.instead_of_id
    LEFT JOIN orders_kitline kit ON kit.id = l.kit_id
    LEFT JOIN inventory_product kp ON kp.id = kit.product_id
    LEFT JOIN LATERAL (
        SELECT string_agg(DISTINCT node.code, ', ' ORDER BY node.code) AS codes
        FROM (
            SELECT s.node_id
            FROM inventory_reservation r JOIN inventory_stock s ON s.id = r.stock_id
            WHERE r.demand_id = l.id AND r.demand_kind = 'orders.line' AND r.closed_at IS NULL
            UNION ALL
            SELECT h.node_id
            FROM inventory_shipmentline g JOIN inventory_shipment h ON h.id = g.shipment_id
            WHERE g.demand_id = l.id AND g.demand_kind = 'orders.line' AND g.picked > 0
              AND h.shipped_at IS NOT NULL
        ) AS gives
        JOIN inventory_node node ON node.id = gives.node_id
    ) AS place ON true
    WHERE l.order_id = %(order)s
    ORDER BY l.position
    LIMIT %(limit)s
"""

HOLDS = """
    SELECT h.id, h.kind, h.state, h.owner_role, h.reason, h.facts, h.policy_version, h.placed_at,
           h.lifted_at, h.lift_reason, h.is_forced, h.valid_until,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS lifted_by
    FROM orders_hold h LEFT JOIN accounts_user u ON u.id = h.lifted_by_id
    WHERE h.order_id = %(order)s
    ORDER BY h.state, h.id
"""

RECEIPTS = """
    SELECT l.id AS line_id, l.position, p.code AS product, d.run_id, r.at, r.policy_version,
           d.asked, d.given, d.outcome, d.candidates, d.flip, d.dropped
    FROM orders_orderline l
    JOIN inventory_product p ON p.id = l.product_id
    JOIN LATERAL (
        SELECT * FROM inventory_allocationdecision d
        WHERE d.demand_id = l.id AND d.demand_kind = 'orders.line'
        ORDER BY d.id DESC LIMIT 1
    ) AS d ON true
    JOIN inventory_allocationrun r ON r.id = d.run_id
    WHERE l.order_id = %(order)s
    ORDER BY d.outcome = 'full', l.position
    LIMIT %(limit)s
"""


def order_page(
    *, number: str, entity_ids: Collection[int], line_limit: int = 500
) -> OrderPage | None:
    """Return the order of that number if it is one of `entity_ids`'; three queries."""
    if "\0" in number:
        return None
    found = records(HEAD, {"number": number, "entities": sorted(entity_ids)})
    if not found:
        return None
    head = found[0]
    head["ship_to"] = _json(head["ship_to"])
    asked = {"order": head["id"], "limit": line_limit}
    lines = [LineRow(**row) for row in records(LINES, asked)]
    holds = [HoldRow(**row | {"facts": _json(row["facts"])}) for row in records(HOLDS, asked)]
    return OrderPage(**head, lines=lines, holds=holds)


def receipts_of(*, order_id: int, limit: int = 100) -> list[Receipt]:
    """Return the latest decision about each line, those that got less than asked first."""
    found = records(RECEIPTS, {"order": order_id, "limit": limit})
    return [
        Receipt(
            **row
            | {
                "candidates": candidates_of(row["candidates"]),
                "dropped": dropped_of(row["dropped"]),
            }
        )
        for row in found
    ]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value

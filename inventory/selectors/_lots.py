"""Lots: where each came from, where it lies, for whom it is kept and to whom it went."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records

LOTS = """
    SELECT l.id, l.code, p.code AS product, p.name, p.base_uom AS uom, l.supplier_lot,
        l.manufactured_on, l.expires_on, l.blocked_at, l.block_reason, l.expired_at,
        coalesce(sum(s.on_hand), 0) AS on_hand, coalesce(sum(s.reserved), 0) AS reserved
    FROM inventory_lot l
    JOIN inventory_product p ON p.id = l.product_id
    JOIN inventory_stock s ON s.lot_id = l.id AND s.entity_id = ANY(%(entities)s)
    WHERE (%(code)s = '' OR l.code = %(code)s)
        AND (%(product)s = '' OR p.code = %(product)s)
        AND (%(after)s::bigint IS NULL OR l.id > %(after)s)
        AND (%(shown)s <> 'blocked' OR l.blocked_at IS NOT NULL)
        AND (%(shown)s <> 'expired' OR l.expired_at IS NOT NULL)
        AND (%(shown)s <> 'expiring' OR l.expired_at IS NULL AND l.expires_on <= %(until)s::date)
    GROUP BY l.id, p.id
    HAVING %(shown)s NOT IN ('there', 'expiring') OR sum(s.on_hand) > 0
    ORDER BY l.id
    LIMIT %(limit)s
"""

CAME = """
    SELECT r.number AS receipt, r.source_kind, r.source_id, r.received_at AS at, n.code AS node,
        e.code AS entity, rl.quantity
    FROM inventory_receiptline rl
    JOIN inventory_receipt r ON r.id = rl.receipt_id AND r.entity_id = ANY(%(entities)s)
    JOIN inventory_node n ON n.id = r.node_id
    JOIN accounts_entity e ON e.id = r.entity_id
    WHERE rl.lot_id = %(lot)s
    ORDER BY rl.id
    LIMIT 500
"""

LIES = """
    SELECT n.code AS node, e.code AS entity, s.status, s.on_hand, s.reserved
    FROM inventory_stock s
    JOIN inventory_node n ON n.id = s.node_id
    JOIN accounts_entity e ON e.id = s.entity_id
    WHERE s.lot_id = %(lot)s AND s.entity_id = ANY(%(entities)s) AND s.on_hand > 0
    ORDER BY n.code, e.code, s.status
"""

# What is on a shipment is kept as well: it is told once, with the number of the shipment.
GOES = """
    SELECT sh.number AS shipment, sh.state, sh.source_number AS document,
        coalesce(sh.ship_to->>'name', '') AS receiver, coalesce(sh.ship_to->>'city', '') AS city,
        coalesce(sh.ship_to->>'country', '') AS country, sh.shipped_at AS at, n.code AS node,
        e.code AS entity, coalesce(l.picked, l.quantity) AS quantity
    FROM inventory_stock s
    JOIN inventory_shipmentline l ON l.stock_id = s.id
    JOIN inventory_shipment sh ON sh.id = l.shipment_id AND sh.state <> 'void'
    JOIN inventory_node n ON n.id = sh.node_id
    JOIN accounts_entity e ON e.id = sh.entity_id
    WHERE s.lot_id = %(lot)s AND s.entity_id = ANY(%(entities)s)
    ORDER BY l.id
    LIMIT 500
"""


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot, and how much of it some owners have, in base units."""

    id: int
    code: str
    product: str
    name: str
    uom: str
    supplier_lot: str
    manufactured_on: date | None
    expires_on: date | None
    blocked_at: datetime | None
    block_reason: str
    expired_at: datetime | None
    on_hand: Decimal
    reserved: Decimal

    @property
    def state(self) -> str:
        """Return "blocked", "expired" or "good", the gravest first."""
        return "blocked" if self.blocked_at else "expired" if self.expired_at else "good"


@dataclass(frozen=True, slots=True)
class LotReceipt:
    """So much of a lot came in. `source` is what it was ordered on."""

    receipt: str
    source_kind: str
    source_id: int
    at: datetime
    node: str
    entity: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LotBalance:
    """So much of a lot lies at a node."""

    node: str
    entity: str
    status: str
    on_hand: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class LotDelivery:
    """So much of a lot went, or is about to go, to somebody. `at` is null until it left."""

    shipment: str
    state: str
    document: str
    receiver: str
    city: str
    country: str
    at: datetime | None
    node: str
    entity: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LotTrace:
    """All that is known of one lot."""

    lot: LotRow
    received: list[LotReceipt]
    stock: list[LotBalance]
    shipped: list[LotDelivery]


def lots(
    *,
    entity_ids: Collection[int],
    code: str = "",
    product: str = "",
    shown: str = "",
    until: date | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[LotRow]:
    """Return the lots of which these entities have or had some, by id. One query.

    `shown` is "there" (some is on hand), "expiring" (some is, and it is good for no longer than
    `until`), "blocked", "expired" or all.
    """
    params = {
        "entities": sorted(entity_ids),
        "code": code,
        "product": product,
        "shown": shown,
        "until": until,
        "after": after,
        "limit": limit,
    }
    return [LotRow(**row) for row in records(LOTS, params)]


def lot_traces(*, entity_ids: Collection[int], code: str, product: str = "") -> list[LotTrace]:
    """Return the story of every lot of that code, of one product or of all. Three queries each.

    Each lists at most 500 receipts and 500 deliveries.
    """
    scope = sorted(entity_ids)
    traces = []
    for lot in lots(entity_ids=entity_ids, code=code, product=product, limit=20):
        asked = {"lot": lot.id, "entities": scope}
        traces.append(
            LotTrace(
                lot,
                [LotReceipt(**row) for row in records(CAME, asked)],
                [LotBalance(**row) for row in records(LIES, asked)],
                [LotDelivery(**row) for row in records(GOES, asked)],
            )
        )
    return traces

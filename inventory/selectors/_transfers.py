"""Transfers as the screens show them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from erp.kernel.sql import records, rows
from inventory.models import Transfer

OPEN = ("requested", "approved", "picked", "in_transit", "received")

LIST = """
    SELECT t.id, t.number, t.state, e.code AS entity, b.code AS to_entity, o.code AS origin,
        o.name AS origin_name, d.code AS destination, d.name AS destination_name, t.reason,
        t.value, e.currency, t.expected_date, t.requested_at, l.lines, l.quantity,
        coalesce(l.sent, 0) AS sent, coalesce(l.left_over, 0) AS missing
    FROM inventory_transfer t
    JOIN accounts_entity e ON e.id = t.entity_id
    JOIN accounts_entity b ON b.id = t.to_entity_id
    JOIN inventory_node o ON o.id = t.origin_id
    JOIN inventory_node d ON d.id = t.destination_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, sum(l.quantity) AS quantity, sum(p.sent) AS sent,
            sum(p.left_over) AS left_over
        FROM inventory_transferline l
        LEFT JOIN LATERAL (
            SELECT sum(quantity) AS sent,
                sum(quantity - received - damaged - returned - lost) AS left_over
            FROM inventory_transferpiece WHERE line_id = l.id
        ) p ON true
        WHERE l.transfer_id = t.id
    ) l
    WHERE (t.entity_id = ANY(%(entities)s) OR t.to_entity_id = ANY(%(entities)s)) {narrowed}
    ORDER BY t.id DESC
    LIMIT %(limit)s
"""

NARROWED = {
    "open": "AND t.state = ANY(%(open)s)",
    "state": "AND t.state = %(state)s",
    "node": "AND %(node)s IN (o.code, d.code)",
    "text": "AND t.number ILIKE %(text)s",
    "after": "AND t.id < %(after)s",
}

COUNTS = """
    SELECT state, count(*) FROM inventory_transfer
    WHERE (entity_id = ANY(%(entities)s) OR to_entity_id = ANY(%(entities)s))
        AND state = ANY(%(open)s)
    GROUP BY state
"""

HEAD = """
    SELECT t.id, t.number, t.state, t.entity_id, t.to_entity_id, e.code AS entity,
        e.currency, b.code AS to_entity, b.currency AS to_currency, t.origin_id,
        o.code AS origin, o.name AS origin_name, t.destination_id, d.code AS destination,
        d.name AS destination_name, t.reason, t.value, t.expected_date, t.requested_at,
        t.approved_at, t.picked_at, t.shipped_at, t.received_at, t.closed_at, t.cancel_reason,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS requested_by
    FROM inventory_transfer t
    JOIN accounts_entity e ON e.id = t.entity_id
    JOIN accounts_entity b ON b.id = t.to_entity_id
    JOIN inventory_node o ON o.id = t.origin_id
    JOIN inventory_node d ON d.id = t.destination_id
    LEFT JOIN accounts_user u ON u.id = t.requested_by_id
    WHERE t.number = %(number)s
        AND (t.entity_id = ANY(%(entities)s) OR t.to_entity_id = ANY(%(entities)s))
"""

LINES = """
    SELECT l.id, l.position, p.id AS product_id, p.code AS product, p.name, p.base_uom AS uom,
        p.barcode, l.quantity, coalesce(r.quantity, 0) AS reserved,
        p.tracking = 'serial' AS is_serial
    FROM inventory_transferline l
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN LATERAL (
        SELECT sum(quantity) AS quantity FROM inventory_reservation
        WHERE demand_id = l.id AND demand_kind = 'inventory.transferline' AND closed_at IS NULL
    ) r ON true
    WHERE l.transfer_id = %s
    ORDER BY l.position
"""

PIECES = """
    SELECT c.id, c.line_id, coalesce(lot.code, '') AS lot, c.quantity, c.received, c.damaged,
        c.returned, c.lost, c."over" AS over, c.cost, c.price, c.landed,
        c.quantity - c.received - c.damaged - c.returned - c.lost AS missing,
        ARRAY(SELECT n.number FROM inventory_serial n WHERE n.piece_id = c.id ORDER BY n.number)
            AS serials
    FROM inventory_transferpiece c
    JOIN inventory_transferline l ON l.id = c.line_id
    JOIN inventory_stock s ON s.id = c.stock_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    WHERE l.transfer_id = %s
    ORDER BY l.position, c.id
"""

RECEIPTS = """
    SELECT r.at, r.note, p.code AS product, rl.outcome, rl.quantity,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS by
    FROM inventory_transferreceipt r
    LEFT JOIN inventory_transferreceiptline rl ON rl.receipt_id = r.id
    LEFT JOIN inventory_transferpiece c ON c.id = rl.piece_id
    LEFT JOIN inventory_transferline l ON l.id = c.line_id
    LEFT JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN accounts_user u ON u.id = r.by_id
    WHERE r.transfer_id = %s
    ORDER BY r.id, rl.id
"""

AGREED = """
    SELECT t.id, t.entity_id, t.to_entity_id, t.origin_id, t.destination_id,
        array_agg(l.product_id ORDER BY l.position), array_agg(l.quantity ORDER BY l.position)
    FROM inventory_transfer t JOIN inventory_transferline l ON l.transfer_id = t.id
    WHERE t.id = ANY(%s)
    GROUP BY t.id
"""


@dataclass(frozen=True, slots=True)
class TransferRow:
    """One transfer in a list. `value` at average cost in `currency`; `missing` is on its way."""

    id: int
    number: str
    state: str
    entity: str
    to_entity: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    reason: str
    value: Decimal
    currency: str
    expected_date: date
    requested_at: datetime
    lines: int
    quantity: Decimal
    sent: Decimal
    missing: Decimal


@dataclass(frozen=True, slots=True)
class TransferPieceRow:
    """What left for one line out of one stock row (`lot`, or empty), and what became of it.

    `cost` and `price` are in the sender's currency, `landed` in the owner's; None until it left.
    `serials` are the numbers of the pieces that were picked and did not come yet.
    """

    id: int
    line_id: int
    lot: str
    quantity: Decimal
    received: Decimal
    damaged: Decimal
    returned: Decimal
    lost: Decimal
    over: Decimal
    cost: Decimal | None
    price: Decimal | None
    landed: Decimal | None
    missing: Decimal
    serials: Sequence[str]


@dataclass(frozen=True, slots=True)
class TransferLineRow:
    """One line: `quantity` asked for, `reserved` kept at the origin now, in base units."""

    id: int
    position: int
    product_id: int
    product: str
    name: str
    uom: str
    barcode: str
    quantity: Decimal
    reserved: Decimal
    is_serial: bool
    pieces: Sequence[TransferPieceRow]

    @property
    def sent(self) -> Decimal:
        return sum((piece.quantity for piece in self.pieces), Decimal(0))

    @property
    def received(self) -> Decimal:
        return sum((piece.received for piece in self.pieces), Decimal(0))

    @property
    def missing(self) -> Decimal:
        return sum((piece.missing for piece in self.pieces), Decimal(0))


@dataclass(frozen=True, slots=True)
class TransferReceiptRow:
    """One thing that was said of what came."""

    at: datetime
    note: str
    product: str | None
    outcome: str | None
    quantity: Decimal | None
    by: str


@dataclass(frozen=True, slots=True)
class TransferPage:
    """One transfer with its lines and what was said of what came."""

    id: int
    number: str
    state: str
    entity_id: int
    to_entity_id: int
    entity: str
    currency: str
    to_entity: str
    to_currency: str
    origin_id: int
    origin: str
    origin_name: str
    destination_id: int
    destination: str
    destination_name: str
    reason: str
    value: Decimal
    expected_date: date
    requested_at: datetime
    approved_at: datetime | None
    picked_at: datetime | None
    shipped_at: datetime | None
    received_at: datetime | None
    closed_at: datetime | None
    cancel_reason: str
    requested_by: str
    lines: Sequence[TransferLineRow]
    receipts: Sequence[TransferReceiptRow]

    @property
    def is_sale(self) -> bool:
        return self.entity_id != self.to_entity_id

    @property
    def pieces(self) -> list[tuple[TransferLineRow, TransferPieceRow]]:
        return [(line, piece) for line in self.lines for piece in line.pieces]


def transfer_rows(
    *,
    entity_ids: Collection[int],
    state: str = "",
    node: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 100,
) -> list[TransferRow]:
    """Return transfers from or to these entities, the newest first. One query.

    Without a state the open ones; `state` "all" is all of them.
    """
    narrowed = ["open"] if not state else [] if state == "all" else ["state"]
    narrowed += [name for name, asked in (("node", node), ("text", text)) if asked]
    narrowed += ["after"] if after is not None else []
    statement = LIST.format(narrowed=" ".join(NARROWED[name] for name in narrowed))
    params = {
        "entities": sorted(entity_ids),
        "open": list(OPEN),
        "state": state,
        "node": node,
        "text": f"%{text.replace('%', '')}%",
        "after": after,
        "limit": limit,
    }
    return [TransferRow(**row) for row in records(statement, params)]


def transfer_counts(*, entity_ids: Collection[int]) -> dict[str, int]:
    """Return how many open transfers stand at each state. One query."""
    return dict(rows(COUNTS, {"entities": sorted(entity_ids), "open": list(OPEN)}))


def transfer_page(*, number: str, entity_ids: Collection[int]) -> TransferPage | None:
    """Return one transfer from or to these entities, or None. Four queries."""
    params = {"number": number, "entities": sorted(entity_ids)}
    found = records(HEAD, params) if "\0" not in number else []
    if not found:
        return None
    head = found[0]
    pieces = [TransferPieceRow(**row) for row in records(PIECES, [head["id"]])]
    lines = [
        TransferLineRow(**row, pieces=[piece for piece in pieces if piece.line_id == row["id"]])
        for row in records(LINES, [head["id"]])
    ]
    told = [TransferReceiptRow(**row) for row in records(RECEIPTS, [head["id"]])]
    return TransferPage(**head, lines=lines, receipts=told)


def transfer_list(*, entity_ids: Collection[int]) -> "QuerySet[Transfer, Any]":
    """Return transfers from or to these entities as plain rows, for the API to narrow and page."""
    from_or_to = Transfer.objects.filter(entity_id__in=entity_ids) | Transfer.objects.filter(
        to_entity_id__in=entity_ids
    )
    return from_or_to.values(
        "id", "number", "state", "entity__code", "to_entity__code", "origin__code",
        "destination__code", "reason", "value", "entity__currency", "expected_date",
        "requested_at", "shipped_at", "received_at", "closed_at",
    )  # fmt: skip


def transfer_fingerprints(transfer_ids: Collection[int]) -> Mapping[int, str]:
    """Return what an approver agrees to, in short, by id; one that is not there is left out."""
    return {
        row[0]: hashlib.sha256(
            "|".join(
                [*map(str, row[1:5]), *map(str, row[5]), *(str(q.normalize()) for q in row[6])]
            ).encode()
        ).hexdigest()
        for row in rows(AGREED, [list(transfer_ids)])
    }

"""Serial numbers: where each piece is, and all that happened to it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from erp.kernel.sql import records, rows
from inventory.models import SerialMove

SERIAL_STATES = (
    "available", "inspection", "quarantine", "damaged", "picked", "in_transit", "shipped", "gone",
)  # fmt: skip

# A piece is seen by whose it is or ever was; where it lies, by whose it is.
SERIALS = """
    SELECT * FROM (
        SELECT n.id, n.number, p.code AS product, p.name, n.created_at, n.moved_at,
            coalesce(nd.code, '') AS node, coalesce(e.code, '') AS entity,
            coalesce(sh.number, t.number, '') AS document,
            CASE WHEN sh.id IS NOT NULL THEN 'shipment' WHEN t.id IS NOT NULL THEN 'transfer'
                ELSE '' END AS document_kind,
            CASE WHEN n.stock_id IS NULL AND n.line_id IS NULL THEN 'gone'
                WHEN n.stock_id IS NULL THEN 'shipped'
                WHEN s.status = 'in_transit' THEN 'in_transit'
                WHEN n.line_id IS NOT NULL OR n.piece_id IS NOT NULL THEN 'picked'
                ELSE s.status END AS state
        FROM inventory_serial n
        JOIN inventory_product p ON p.id = n.product_id
        LEFT JOIN inventory_stock s ON s.id = n.stock_id
        LEFT JOIN inventory_stock own ON own.id = n.stock_id AND own.entity_id = ANY(%(entities)s)
        LEFT JOIN inventory_node nd ON nd.id = own.node_id
        LEFT JOIN accounts_entity e ON e.id = own.entity_id
        LEFT JOIN inventory_shipmentline l ON l.id = n.line_id
        LEFT JOIN inventory_shipment sh ON sh.id = l.shipment_id
            AND sh.entity_id = ANY(%(entities)s)
        LEFT JOIN inventory_transferpiece tp ON tp.id = n.piece_id
        LEFT JOIN inventory_transferline tl ON tl.id = tp.line_id
        LEFT JOIN inventory_transfer t ON t.id = tl.transfer_id
        WHERE (%(ids)s::bigint[] IS NULL OR n.id = ANY(%(ids)s))
            AND (%(number)s = '' OR n.number = %(number)s)
            AND (%(product)s = '' OR p.code = %(product)s)
            AND (%(node)s = '' OR nd.code = %(node)s)
            AND (%(after)s::bigint IS NULL OR n.id > %(after)s)
            AND EXISTS (
                SELECT FROM inventory_serialmove m
                JOIN inventory_stock k ON k.id IN (m.source_id, m.target_id)
                WHERE m.serial_id = n.id AND k.entity_id = ANY(%(entities)s))
    ) serial
    WHERE %(state)s = '' OR state = %(state)s
    ORDER BY id
    LIMIT %(limit)s
"""

STORY = """
    SELECT m.at, m.kind, coalesce(sn.code, '') AS source, coalesce(s.status, '') AS source_status,
        coalesce(tn.code, '') AS target, coalesce(t.status, '') AS target_status,
        coalesce(sh.number, r.number, tr.number, tp.number, c.number, '') AS document,
        CASE WHEN sh.id IS NOT NULL THEN 'shipment' WHEN r.id IS NOT NULL THEN 'receipt'
            WHEN coalesce(tr.id, tp.id) IS NOT NULL THEN 'transfer'
            WHEN c.id IS NOT NULL THEN 'correction' ELSE '' END AS document_kind,
        coalesce(sh.source_number, '') AS order_number,
        coalesce(sh.ship_to->>'name', a.reason, c.reason, '') AS about,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS by
    FROM inventory_serialmove m
    LEFT JOIN inventory_stock s ON s.id = m.source_id
    LEFT JOIN inventory_node sn ON sn.id = s.node_id
    LEFT JOIN inventory_stock t ON t.id = m.target_id
    LEFT JOIN inventory_node tn ON tn.id = t.node_id
    LEFT JOIN inventory_shipmentline l
        ON l.id = m.cause_id AND m.cause_kind = 'inventory.shipmentline'
    LEFT JOIN inventory_shipment sh ON sh.id = l.shipment_id
    LEFT JOIN inventory_receiptline rl
        ON rl.id = m.cause_id AND m.cause_kind = 'inventory.receiptline'
    LEFT JOIN inventory_receipt r ON r.id = rl.receipt_id
    LEFT JOIN inventory_adjustment a
        ON a.id = m.cause_id AND m.cause_kind = 'inventory.adjustment'
    LEFT JOIN inventory_correctionline cl
        ON cl.id = m.cause_id AND m.cause_kind = 'inventory.correctionline'
    LEFT JOIN inventory_correction c ON c.id = cl.correction_id
    LEFT JOIN inventory_transferreceiptline trl
        ON trl.id = m.cause_id AND m.cause_kind = 'inventory.transferreceiptline'
    LEFT JOIN inventory_transferreceipt trr ON trr.id = trl.receipt_id
    LEFT JOIN inventory_transfer tr ON tr.id = trr.transfer_id
    LEFT JOIN inventory_transferpiece pc
        ON pc.id = m.cause_id AND m.cause_kind = 'inventory.transferpiece'
    LEFT JOIN inventory_transferline tl ON tl.id = pc.line_id
        OR tl.id = m.cause_id AND m.cause_kind = 'inventory.transferline'
    LEFT JOIN inventory_transfer tp ON tp.id = tl.transfer_id
    LEFT JOIN accounts_user u ON u.id = m.actor_id
    WHERE m.serial_id = %(serial)s
        AND (s.entity_id = ANY(%(entities)s) OR t.entity_id = ANY(%(entities)s))
    ORDER BY m.id DESC
    LIMIT 500
"""


# What may be picked for each line, one more than is told.
LYING = """
    SELECT due.line_id, ARRAY(
        SELECT n.number FROM inventory_serial n
        WHERE n.stock_id = due.stock_id AND n.line_id IS NULL AND n.piece_id IS NULL
        ORDER BY n.number LIMIT %(limit)s + 1)
    FROM (
        SELECT l.id AS line_id, l.stock_id FROM inventory_shipmentline l
        WHERE l.shipment_id = %(shipment)s::bigint
        UNION ALL
        SELECT l.id, r.stock_id FROM inventory_transferline l
        JOIN inventory_reservation r ON r.demand_kind = 'inventory.transferline'
            AND r.demand_id = l.id AND r.closed_at IS NULL
        WHERE l.transfer_id = %(transfer)s::bigint
    ) due
    JOIN inventory_stock s ON s.id = due.stock_id AND s.is_serial
"""
TOLD_MAX = 500


@dataclass(frozen=True, slots=True)
class SerialRow:
    """One piece. `node` and `entity` are empty once it is not theirs; `document` has it.

    `state` is the status in which it lies, or "picked", "in_transit", "shipped", or "gone": written
    off.
    """

    id: int
    number: str
    product: str
    name: str
    created_at: datetime
    moved_at: datetime
    node: str
    entity: str
    document: str
    document_kind: str
    state: str


@dataclass(frozen=True, slots=True)
class SerialStepRow:
    """One thing that happened to a piece; `about` is the receiver, or why.

    `document_kind` is "shipment", "receipt", "transfer", "correction" or nothing.
    """

    at: datetime
    kind: str
    source: str
    source_status: str
    target: str
    target_status: str
    document: str
    document_kind: str
    order_number: str
    about: str
    by: str

    @property
    def what(self) -> str:
        """What happened, in words."""
        return str(SerialMove.Kind(self.kind).label)

    @property
    def stays(self) -> bool:
        """Test if it lay after as it lay before."""
        return (self.source, self.source_status) == (self.target, self.target_status)


@dataclass(frozen=True, slots=True)
class SerialTrace:
    """All that is known of one piece, the newest first."""

    serial: SerialRow
    steps: list[SerialStepRow]


def serials(
    *,
    entity_ids: Collection[int],
    number: str = "",
    product: str = "",
    node: str = "",
    state: str = "",
    ids: Collection[int] | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[SerialRow]:
    """Return the pieces that these entities have or had, by id, or those of `ids`. One query."""
    params = {
        "ids": None if ids is None else list(ids),
        "entities": sorted(entity_ids),
        "number": number,
        "product": product,
        "node": node,
        "state": state,
        "after": after,
        "limit": limit if ids is None else len(ids),
    }
    return [SerialRow(**row) for row in records(SERIALS, params)]


def pieces_to_pick(
    *, shipment_id: int | None = None, transfer_id: int | None = None
) -> dict[int, list[str]]:
    """Return, by line, the numbers that lie where it is picked, taken by nobody. One query.

    Lines where more than five hundred lie are left out: nobody looks through them.
    """
    params = {"shipment": shipment_id, "transfer": transfer_id, "limit": TOLD_MAX}
    return {
        line_id: numbers for line_id, numbers in rows(LYING, params) if len(numbers) <= TOLD_MAX
    }


def serial_traces(
    *, entity_ids: Collection[int], number: str, product: str = ""
) -> list[SerialTrace]:
    """Return the life of every piece of that number, of one product or of all. At most twenty."""
    scope = sorted(entity_ids)
    found = serials(entity_ids=scope, number=number, product=product, limit=20)
    return [
        SerialTrace(
            each,
            [
                SerialStepRow(**row)
                for row in records(STORY, {"serial": each.id, "entities": scope})
            ],
        )
        for each in found
    ]

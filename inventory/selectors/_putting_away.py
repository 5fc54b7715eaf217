"""What is to be put away and where to, and which pick faces are to be filled up."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows
from inventory.rules.binning import Face, Spot, brought_down, placed, put_order, room_of

# What stands on the floor and was not picked, and what lies in bins for receiving.
WAITING = """
    WITH staged AS (
        SELECT l.stock_id, sum(l.picked) AS quantity
        FROM inventory_shipment sh JOIN inventory_shipmentline l ON l.shipment_id = sh.id
        JOIN inventory_node n ON n.id = sh.node_id AND n.code = %(node)s
        WHERE sh.state IN ('picked', 'packed')
        GROUP BY l.stock_id
    ), moving AS (
        SELECT p.stock_id, sum(p.quantity) AS quantity
        FROM inventory_transfer t
        JOIN inventory_node n ON n.id = t.origin_id AND n.code = %(node)s
        JOIN inventory_transferline tl ON tl.transfer_id = t.id
        JOIN inventory_transferpiece p ON p.line_id = tl.id
        WHERE t.state = 'picked'
        GROUP BY p.stock_id
    ), waiting AS (
        SELECT s.id AS stock_id, 0 AS source_id, '' AS source,
            s.on_hand - s.binned - coalesce(staged.quantity, 0) - coalesce(moving.quantity, 0)
                AS quantity
        FROM inventory_node n
        JOIN inventory_stock s ON s.node_id = n.id
        LEFT JOIN staged ON staged.stock_id = s.id
        LEFT JOIN moving ON moving.stock_id = s.id
        WHERE n.code = %(node)s AND s.on_hand > s.binned AND s.status <> 'in_transit'
            AND EXISTS (SELECT FROM inventory_bin b WHERE b.node_id = n.id)
        UNION ALL
        SELECT l.stock_id, b.id, b.code, l.quantity
        FROM inventory_node n
        JOIN inventory_bin b ON b.node_id = n.id AND b.kind = 'receiving'
        JOIN inventory_binstock l ON l.bin_id = b.id
        WHERE n.code = %(node)s
    )
    SELECT s.id AS stock_id, s.node_id, s.product_id, waiting.source_id, waiting.source,
        p.code AS product, p.name, p.base_uom AS uom, p.barcode, e.code AS entity, s.status,
        coalesce(lot.code, '') AS lot, s.expires_on, waiting.quantity
    FROM waiting
    JOIN inventory_stock s ON s.id = waiting.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    WHERE waiting.quantity > 0 AND s.entity_id = ANY(%(entities)s)
        AND (%(product)s = '' OR p.code = %(product)s OR p.barcode = %(product)s)
    ORDER BY waiting.source = '', p.code, s.id, waiting.source
    LIMIT %(limit)s
"""

# Bins that are at home to the products or hold some of them, and some that hold nothing.
SPOTS = """
    WITH level AS (
        SELECT b.id, b.code, b.kind, b.sequence, coalesce(b.product_id, 0) AS home, b.capacity,
            (SELECT coalesce(sum(l.quantity), 0) FROM inventory_binstock l WHERE l.bin_id = b.id)
                AS level
        FROM inventory_bin b
        WHERE b.node_id = %(node)s AND b.is_active AND (
            b.product_id = ANY(%(products)s) OR EXISTS (
                SELECT FROM inventory_binstock l JOIN inventory_stock s ON s.id = l.stock_id
                WHERE l.bin_id = b.id AND s.product_id = ANY(%(products)s)
            )
        )
    ), empty AS (
        SELECT b.id, b.code, b.kind, b.sequence, 0 AS home, b.capacity, 0::numeric AS level,
            row_number() OVER (PARTITION BY b.kind ORDER BY b.sequence, b.code) AS place
        FROM inventory_bin b
        WHERE b.node_id = %(node)s AND b.is_active AND b.kind IN ('reserve', 'quarantine')
            AND NOT EXISTS (SELECT FROM inventory_binstock l WHERE l.bin_id = b.id)
    )
    SELECT id, code, kind, sequence, home, capacity, level FROM level
    UNION ALL
    SELECT id, code, kind, sequence, home, capacity, level FROM empty WHERE place <= %(empties)s
"""

HOLDERS = """
    SELECT l.bin_id, l.stock_id, s.product_id
    FROM inventory_stock s JOIN inventory_binstock l ON l.stock_id = s.id
    WHERE s.node_id = %(node)s AND s.product_id = ANY(%(products)s)
"""

LOW = """
    SELECT b.id, b.node_id, b.code, b.sequence, b.minimum, b.capacity, p.id AS product_id,
        p.code AS product, p.name, p.base_uom AS uom, l.level
    FROM inventory_bin b
    JOIN inventory_node n ON n.id = b.node_id
    JOIN inventory_product p ON p.id = b.product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS level FROM inventory_binstock WHERE bin_id = b.id
    ) l
    WHERE n.code = %(node)s AND b.is_active AND b.minimum > 0 AND l.level < b.minimum AND EXISTS (
        SELECT FROM inventory_stock o WHERE o.node_id = n.id AND o.entity_id = ANY(%(entities)s)
    )
    ORDER BY b.sequence, b.code
    LIMIT %(limit)s
"""

# The first to expire comes down first; what is barred or expired stays where it is.
RESERVES = """
    SELECT s.product_id, l.id, l.stock_id, b.id AS bin_id, b.code, coalesce(lot.code, '') AS lot,
        s.expires_on, e.code AS entity, l.quantity
    FROM inventory_binstock l
    JOIN inventory_bin b ON b.id = l.bin_id AND b.kind = 'reserve'
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    WHERE s.node_id = %(node)s AND s.product_id = ANY(%(products)s) AND s.status = 'available'
        AND s.entity_id = ANY(%(entities)s) AND NOT s.is_barred
        AND coalesce(s.expires_on >= %(today)s, true)
    ORDER BY s.product_id, s.expires_on NULLS LAST, b.sequence, b.code, l.id
"""


@dataclass(frozen=True, slots=True)
class PutAwayRow:
    """Goods that stand unput at a node, and where to put them: bin id, code and base units.

    `rest` fits nowhere that is known. `source` is the bin for receiving, empty for the floor.
    """

    stock_id: int
    node_id: int
    product_id: int
    source_id: int
    source: str
    product: str
    name: str
    uom: str
    barcode: str
    entity: str
    status: str
    lot: str
    expires_on: date | None
    quantity: Decimal
    parts: Sequence[tuple[int, str, Decimal]] = ()
    rest: Decimal = Decimal(0)

    @property
    def key(self) -> str:
        return f"{self.stock_id}-{self.source_id}"


@dataclass(frozen=True, slots=True)
class BroughtDown:
    """So much of one balance to bring down out of one reserve."""

    stock_id: int
    bin_id: int
    bin: str
    lot: str
    expires_on: date | None
    entity: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LowFace:
    """A pick face in which less lies than its minimum, and what to bring down to it."""

    bin_id: int
    bin: str
    product: str
    name: str
    uom: str
    level: Decimal
    minimum: Decimal
    capacity: Decimal | None
    wanted: Decimal
    parts: Sequence[BroughtDown]

    @property
    def found(self) -> Decimal:
        return sum((each.quantity for each in self.parts), Decimal(0))


def to_put_away(
    *, node: str, entity_ids: Collection[int], product: str = "", limit: int = 200
) -> list[PutAwayRow]:
    """Return what stands unput at a node, each with the bins to put it into. Three queries.

    What is proposed for one leaves that much less room for the next.
    """
    params = {
        "node": node, "entities": sorted(entity_ids), "product": product, "limit": limit,
    }  # fmt: skip
    found = [] if "\0" in node + product else records(WAITING, params)
    if not found:
        return []
    where: dict[str, Any] = {
        "node": found[0]["node_id"],
        "products": sorted({row["product_id"] for row in found}),
        "empties": limit,
    }
    return _proposed(found, rows(SPOTS, where), rows(HOLDERS, where))


def _proposed(
    found: Sequence[Mapping[str, Any]],
    bins: Sequence[tuple[Any, ...]],
    holders: Sequence[tuple[int, int, int]],
) -> list[PutAwayRow]:
    spots = {
        bin_id: Spot(bin_id, code, kind, sequence, home, level == 0)
        for bin_id, code, kind, sequence, home, _, level in bins
    }
    room = room_of({row[0]: row[5] for row in bins}, {row[0]: row[6] for row in bins})
    same, of_product = defaultdict(set), defaultdict(set)
    for bin_id, stock_id, product_id in holders:
        same[stock_id].add(bin_id)
        of_product[product_id].add(bin_id)
    proposed = []
    for row in found:
        order = put_order(
            row["product_id"],
            list(spots.values()),
            is_available=row["status"] == "available",
            with_same=same[row["stock_id"]],
            with_product=of_product[row["product_id"]],
        )
        parts = placed(row["quantity"], order, room)
        for bin_id, _ in parts:
            spots[bin_id] = spots[bin_id]._replace(is_empty=False)
            same[row["stock_id"]].add(bin_id)
            of_product[row["product_id"]].add(bin_id)
        rest = row["quantity"] - sum((part for _, part in parts), Decimal(0))
        told = [(bin_id, spots[bin_id].code, part) for bin_id, part in parts]
        proposed.append(PutAwayRow(**row, parts=told, rest=rest))
    return proposed


def low_faces(
    *, node: str, entity_ids: Collection[int], today: date, limit: int = 200
) -> list[LowFace]:
    """Return pick faces below their minimum, as one walks, with what to bring down. Two queries.

    Of the reserves the first to expire comes first; what one face is told is not told to another.
    """
    params = {"node": node, "entities": sorted(entity_ids), "limit": limit, "today": today}
    found = [] if "\0" in node else records(LOW, params)
    if not found:
        return []
    params["node"] = found[0]["node_id"]
    params["products"] = sorted({row["product_id"] for row in found})
    reserves = {row["id"]: row for row in records(RESERVES, params)}
    left = {key: row["quantity"] for key, row in reserves.items()}
    low = []
    for row in found:
        face = Face(row["id"], row["level"], row["minimum"], row["capacity"])
        keys = [key for key, each in reserves.items() if each["product_id"] == row["product_id"]]
        parts = [
            BroughtDown(
                reserves[key]["stock_id"],
                reserves[key]["bin_id"],
                reserves[key]["code"],
                reserves[key]["lot"],
                reserves[key]["expires_on"],
                reserves[key]["entity"],
                part,
            )
            for key, part in brought_down(face, keys, left)
        ]
        low.append(
            LowFace(
                face.bin_id,
                row["code"],
                row["product"],
                row["name"],
                row["uom"],
                face.level,
                face.minimum,
                face.capacity,
                face.lacks,
                parts,
            )
        )
    return low

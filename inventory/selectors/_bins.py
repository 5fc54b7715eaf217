"""Bins as the screens show them: what lies where, what happened there."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records, rows
from inventory.rules.binning import Holding, Parts, in_pick_order, taken

# A bin is seen by its node's company and by those who own something at the node.
SEEN = """
    (n.entity_id = ANY(%(entities)s) OR EXISTS (
        SELECT FROM inventory_stock o WHERE o.node_id = n.id AND o.entity_id = ANY(%(entities)s)
    ))
"""

BIN = f"""
    SELECT b.id, b.node_id, n.entity_id, n.code AS node, n.name AS node_name, b.code, b.kind,
        b.sequence, b.capacity, b.minimum, coalesce(p.code, '') AS product, b.is_active, l.level,
        l.goods
    FROM inventory_bin b
    JOIN inventory_node n ON n.id = b.node_id
    LEFT JOIN inventory_product p ON p.id = b.product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(l.quantity), 0) AS level, count(*) AS goods
        FROM inventory_binstock l JOIN inventory_stock s ON s.id = l.stock_id
        WHERE l.bin_id = b.id AND s.entity_id = ANY(%(entities)s)
    ) l
    WHERE {SEEN}
"""  # noqa: S608  no value is put in

LIST = f"""
    {BIN} {{narrowed}}
    ORDER BY b.node_id, b.sequence, b.code
    LIMIT %(limit)s
"""

NARROWED = {
    "node": "AND n.code = %(node)s",
    "kind": "AND b.kind = %(kind)s",
    "text": "AND starts_with(upper(b.code), upper(%(text)s))",
    "after": "AND (b.node_id, b.sequence, b.code)"
    " > (%(after_node)s, %(after_sequence)s, %(after_code)s)",
    "empty": "AND l.goods = 0",
    "filled": "AND l.goods > 0",
}

CONTENTS = """
    SELECT l.stock_id, b.id AS bin_id, b.code AS bin, b.kind, n.code AS node, p.code AS product,
        p.name, p.base_uom AS uom, e.code AS entity, s.status, coalesce(lot.code, '') AS lot,
        s.expires_on, l.quantity
    FROM inventory_binstock l
    JOIN inventory_bin b ON b.id = l.bin_id
    JOIN inventory_node n ON n.id = b.node_id
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    WHERE s.entity_id = ANY(%(entities)s) AND {narrowed}
    ORDER BY n.code, b.sequence, b.code, p.code, l.id
    LIMIT 500
"""

MOVES = """
    SELECT m.id, m.at, m.kind, n.code AS node, p.code AS product, p.base_uom AS uom,
        e.code AS entity, coalesce(lot.code, '') AS lot, s.status, coalesce(f.code, '') AS source,
        coalesce(t.code, '') AS target, m.quantity, m.cause_kind, m.cause_id,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS actor
    FROM inventory_binmove m
    JOIN inventory_stock s ON s.id = m.stock_id
    JOIN inventory_node n ON n.id = s.node_id
    JOIN inventory_product p ON p.id = s.product_id
    JOIN accounts_entity e ON e.id = s.entity_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    LEFT JOIN inventory_bin f ON f.id = m.source_id
    LEFT JOIN inventory_bin t ON t.id = m.target_id
    LEFT JOIN accounts_user u ON u.id = m.actor_id
    WHERE s.entity_id = ANY(%(entities)s) AND (m.source_id = %(bin)s OR m.target_id = %(bin)s)
    ORDER BY m.id DESC
    LIMIT %(limit)s
"""

NODES = f"""
    SELECT n.code, n.name FROM inventory_node n
    WHERE EXISTS (SELECT FROM inventory_bin b WHERE b.node_id = n.id) AND {SEEN}
    ORDER BY n.code
"""  # noqa: S608  no value is put in

PICKED_FROM = """
    SELECT l.id, l.stock_id, l.quantity, b.id, b.code, b.kind, b.sequence, bs.quantity
    FROM inventory_shipmentline l
    JOIN inventory_binstock bs ON bs.stock_id = l.stock_id
    JOIN inventory_bin b ON b.id = bs.bin_id
    WHERE l.shipment_id = %s
    ORDER BY l.id, b.sequence, b.code
"""


@dataclass(frozen=True, slots=True)
class BinRow:
    """One bin in a list; `level` is base units of what the caller's companies have in it."""

    id: int
    node_id: int
    entity_id: int
    node: str
    node_name: str
    code: str
    kind: str
    sequence: int
    capacity: Decimal | None
    minimum: Decimal
    product: str
    is_active: bool
    level: Decimal
    goods: int

    @property
    def cursor(self) -> str:
        return f"{self.node_id}.{self.sequence}.{self.code}"

    @property
    def is_low(self) -> bool:
        """Say whether it is a pick face that should be filled up."""
        return self.level < self.minimum


@dataclass(frozen=True, slots=True)
class BinContent:
    """So much of one balance in one bin."""

    stock_id: int
    bin_id: int
    bin: str
    kind: str
    node: str
    product: str
    name: str
    uom: str
    entity: str
    status: str
    lot: str
    expires_on: date | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BinMoveRow:
    """One move into or out of a bin; an empty `source` or `target` is the floor."""

    id: int
    at: datetime
    kind: str
    node: str
    product: str
    uom: str
    entity: str
    lot: str
    status: str
    source: str
    target: str
    quantity: Decimal
    cause_kind: str
    cause_id: int
    actor: str


@dataclass(frozen=True, slots=True)
class BinPage:
    """One bin, what lies in it and what last happened there."""

    head: BinRow
    contents: Sequence[BinContent]
    moves: Sequence[BinMoveRow]


@dataclass(frozen=True, slots=True)
class PickPlace:
    """Where a line is picked: the proposed parts, and every bin that holds its goods."""

    parts: Sequence[tuple[str, Decimal]]
    bins: Sequence[tuple[int, str, Decimal]]
    path: tuple[int, str]


def bins(
    *,
    entity_ids: Collection[int],
    node: str = "",
    kind: str = "",
    text: str = "",
    shown: str = "",
    after: str = "",
    limit: int = 100,
) -> list[BinRow]:
    """Return bins in the order one walks past them. `after` is a row's cursor. One query."""
    params: dict[str, object] = {
        "entities": sorted(entity_ids), "node": node, "kind": kind, "text": text,
    }  # fmt: skip
    wanted = [NARROWED[name] for name in ("node", "kind", "text") if params[name]]
    if shown in {"empty", "filled"}:
        wanted.append(NARROWED[shown])
    place = _after(after)
    if place:
        wanted.append(NARROWED["after"])
    params |= {"limit": limit} | place
    if any("\0" in str(value) for value in (node, kind, text, after)):
        return []
    return [BinRow(**row) for row in records(LIST.format(narrowed=" ".join(wanted)), params)]


def bin_page(*, node: str, code: str, entity_ids: Collection[int]) -> BinPage | None:
    """Return one bin with at most 500 contents and the last 50 moves, or None. Three queries."""
    if "\0" in node or "\0" in code:
        return None
    params: dict[str, object] = {
        "entities": sorted(entity_ids), "node": node, "code": code,
    }  # fmt: skip
    statement = f"{BIN} AND n.code = %(node)s AND b.code = %(code)s"
    found = [BinRow(**row) for row in records(statement, params)]
    if not found:
        return None
    (head,) = found
    params |= {"bin": head.id, "limit": 50}
    inside = CONTENTS.format(narrowed="l.bin_id = %(bin)s")
    return BinPage(
        head,
        [BinContent(**row) for row in records(inside, params)],
        [BinMoveRow(**row) for row in records(MOVES, params)],
    )


def bins_of_product(*, product_id: int, entity_ids: Collection[int]) -> list[BinContent]:
    """Return where goods of a product lie within nodes, at most 500. One query."""
    params = {"entities": sorted(entity_ids), "product": product_id}
    statement = CONTENTS.format(narrowed="s.product_id = %(product)s")
    return [BinContent(**row) for row in records(statement, params)]


def nodes_with_bins(*, entity_ids: Collection[int]) -> list[tuple[str, str]]:
    """Return code and name of the nodes that keep bins. One query."""
    return [(row[0], row[1]) for row in rows(NODES, {"entities": sorted(entity_ids)})]


def pick_places(shipment_id: int) -> Mapping[int, PickPlace]:
    """Return by line where a shipment is picked; lines whose goods lie in no bin are left out.

    Lines of one balance are proposed what the ones before them leave. One query.
    """
    lines: dict[int, tuple[int, Decimal]] = {}
    held: dict[int, dict[int, Holding]] = defaultdict(dict)
    for line_id, stock_id, quantity, *holding in rows(PICKED_FROM, [shipment_id]):
        lines[line_id] = (stock_id, quantity)
        held[stock_id][holding[0]] = Holding(*holding)
    places = {}
    for line_id, (stock_id, quantity) in lines.items():
        there = held[stock_id]
        ordered = in_pick_order([*there.values()])
        parts: Parts = taken(ordered, quantity)
        first = there[parts[0][0]] if parts else ordered[0]
        places[line_id] = PickPlace(
            [(there[bin_id].code, part) for bin_id, part in parts],
            [(each.bin_id, each.code, each.quantity) for each in ordered],
            (first.sequence, first.code),
        )
        for bin_id, part in parts:
            there[bin_id] = there[bin_id]._replace(quantity=there[bin_id].quantity - part)
    return places


def bin_ids(named: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the ids of bins by node and code; one that is not there is left out. One query."""
    known = [(node_id, code) for node_id, code in named if "\0" not in code]
    statement = """
        SELECT b.node_id, b.code, b.id
        FROM unnest(%(nodes)s::bigint[], %(codes)s::text[]) AS k (node_id, code)
        JOIN inventory_bin b ON b.node_id = k.node_id AND b.code = k.code
    """
    params = {"nodes": [node for node, _ in known], "codes": [code for _, code in known]}
    return {(row[0], row[1]): row[2] for row in rows(statement, params)}


def bins_at(*, node: str, codes: Collection[str]) -> dict[str, int]:
    """Return the ids of a node's bins by code; one that is not there is left out. One query."""
    known = [code for code in codes if "\0" not in code]
    statement = """
        SELECT b.code, b.id FROM inventory_bin b JOIN inventory_node n ON n.id = b.node_id
        WHERE n.code = %s AND b.code = ANY(%s)
    """
    return dict(rows(statement, [node, known])) if known else {}


def _after(cursor: str) -> dict[str, object]:
    node, _, rest = cursor.partition(".")
    sequence, _, code = rest.partition(".")
    numbers = (node, sequence)
    if not code or not all(n.isascii() and n.isdecimal() and len(n) < 19 for n in numbers):  # noqa: PLR2004
        return {}
    return {"after_node": int(node), "after_sequence": int(sequence), "after_code": code}

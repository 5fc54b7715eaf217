"""Cycle counts as the screens show them: blind to who counts, open to who reviews."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.kernel.invariants import Invariant
from erp.kernel.sql import records, rows

OPEN = ["open", "recount", "review", "approved"]

LIST = """
    SELECT c.id, c.number, c.state, e.code AS entity, e.currency, n.code AS node,
        n.name AS node_name, c.cause, c.variance, c.planned_at, l.lines, l.counted, l.again
    FROM inventory_count c
    JOIN accounts_entity e ON e.id = c.entity_id
    JOIN inventory_node n ON n.id = c.node_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS lines, count(counted) AS counted,
            count(*) FILTER (WHERE is_again AND counted IS NULL) AS again
        FROM inventory_countline WHERE count_id = c.id
    ) l
    WHERE c.entity_id = ANY(%(entities)s)
        AND (%(state)s = 'all' OR c.state = ANY(%(states)s))
        AND (%(after)s::bigint IS NULL OR c.id < %(after)s)
    ORDER BY c.id DESC
    LIMIT %(limit)s
"""

HEAD = """
    SELECT c.id, c.number, c.state, c.entity_id, e.code AS entity, e.currency, c.node_id,
        n.code AS node, n.name AS node_name, c.cause, c.variance, c.planned_at, c.submitted_at,
        c.approved_at, c.posted_at, c.cancel_reason
    FROM inventory_count c
    JOIN accounts_entity e ON e.id = c.entity_id
    JOIN inventory_node n ON n.id = c.node_id
    WHERE c.number = %(number)s AND c.entity_id = ANY(%(entities)s)
"""

LINES = """
    SELECT l.id, l.position, p.code AS product, p.name, p.barcode, p.base_uom AS uom, s.status,
        coalesce(lot.code, '') AS lot, l.class_code, l.is_again, l.earlier, l.counted, l.expected,
        s.is_serial, l.serials, l.missing, l.found, l.counted_at,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
            AS counted_by,
        round((l.counted - l.expected) * coalesce(c.value / nullif(c.quantity, 0), 0), 2) AS value,
        coalesce((
            SELECT jsonb_object_agg(n.number, jsonb_build_array(
                CASE WHEN n.stock_id = s.id THEN 'here'
                    WHEN n.stock_id IS NOT NULL THEN 'elsewhere'
                    WHEN n.line_id IS NOT NULL THEN 'shipped' ELSE 'gone' END,
                CASE WHEN k.id <> s.id
                    THEN nd.code || ' (' || replace(k.status, '_', ' ') || ')' ELSE '' END,
                CASE WHEN n.stock_id IS NULL THEN coalesce(sh.number, '') ELSE '' END))
            FROM jsonb_array_elements_text(l.found) AS f (number)
            JOIN inventory_serial n ON n.product_id = s.product_id AND n.number = f.number
            LEFT JOIN inventory_stock k ON k.id = n.stock_id AND k.entity_id = s.entity_id
            LEFT JOIN inventory_node nd ON nd.id = k.node_id
            LEFT JOIN inventory_shipmentline shl ON shl.id = n.line_id
            LEFT JOIN inventory_shipment sh ON sh.id = shl.shipment_id
                AND sh.entity_id = s.entity_id
        ), '{}') AS known
    FROM inventory_countline l
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_lot lot ON lot.id = s.lot_id
    LEFT JOIN inventory_productcost c
        ON c.product_id = s.product_id AND c.entity_id = s.entity_id
    LEFT JOIN accounts_user u ON u.id = l.counted_by_id
    WHERE l.count_id = %s
    ORDER BY l.position
"""

# Where the goods of lines lie, without how much; and what was counted there.
PARTS = """
    SELECT l.id, b.id, b.code, b.sequence, cb.counted, cb.expected
    FROM inventory_countline l
    JOIN LATERAL (
        SELECT bin_id FROM inventory_binstock WHERE stock_id = l.stock_id
        UNION SELECT bin_id FROM inventory_countbin WHERE line_id = l.id
    ) place ON true
    LEFT JOIN inventory_bin b ON b.id = place.bin_id
    LEFT JOIN inventory_countbin cb ON cb.line_id = l.id
        AND cb.bin_id IS NOT DISTINCT FROM place.bin_id
    WHERE l.count_id = %s
    ORDER BY l.id, b.sequence, b.code
"""

AGREED = """
    SELECT l.count_id, array_agg(l.stock_id ORDER BY l.position),
        array_agg(coalesce(l.counted - l.expected, 0) ORDER BY l.position),
        coalesce(array_agg(concat(l.missing, l.found) ORDER BY l.position)
            FILTER (WHERE l.missing <> '[]' OR l.found <> '[]'), '{}')
    FROM inventory_countline l WHERE l.count_id = ANY(%s)
    GROUP BY l.count_id
"""

COUNTS = [
    Invariant(
        "inventory.posted_counts_have_their_corrections",
        "A posted count corrected exactly what it found, and no other count corrected anything",
        """
        SELECT k.number, k.state, l.difference, a.quantity
        FROM inventory_count k
        LEFT JOIN (
            SELECT count_id, sum(counted - expected) AS difference,
                sum(CASE WHEN missing = '[]' AND found = '[]' THEN (counted <> expected)::int
                    ELSE (missing <> '[]')::int + (found <> '[]')::int END) AS lines
            FROM inventory_countline GROUP BY count_id
        ) l ON l.count_id = k.id
        LEFT JOIN (
            SELECT reason, sum(quantity) AS quantity, count(*) AS lines
            FROM inventory_adjustment WHERE starts_with(reason, 'Counted in CC-') GROUP BY reason
        ) a ON a.reason = 'Counted in ' || k.number
        WHERE CASE WHEN k.state = 'posted'
            THEN (coalesce(a.quantity, 0), coalesce(a.lines, 0))
                <> (coalesce(l.difference, 0), coalesce(l.lines, 0))
            ELSE a.lines IS NOT NULL END
        """,
    ),
    Invariant(
        "inventory.balances_stand_on_one_open_count",
        "No balance is being counted on two sheets at once",
        """
        SELECT l.stock_id, count(*) FROM inventory_countline l
        JOIN inventory_count k ON k.id = l.count_id
        WHERE k.state IN ('open', 'recount', 'review', 'approved')
        GROUP BY l.stock_id HAVING count(*) > 1
        """,
    ),
]


@dataclass(frozen=True, slots=True)
class CountRow:
    """One sheet in a list; `again` lines are to be counted a second time."""

    id: int
    number: str
    state: str
    entity: str
    currency: str
    node: str
    node_name: str
    cause: str
    variance: Decimal
    planned_at: datetime
    lines: int
    counted: int
    again: int


@dataclass(frozen=True, slots=True)
class CountPart:
    """Where some of a line lies, or was found; without a bin, elsewhere at the node.

    `expected` is for reviewers only.
    """

    bin_id: int | None
    bin: str
    sequence: int
    counted: Decimal | None
    expected: Decimal | None


@dataclass(frozen=True, slots=True)
class CountedPiece:
    """A piece that was found and not expected, and what the books say of it now.

    `state` is new (nobody knows the number), elsewhere, shipped, gone (written off) or here: posted
    or put right since. `lies_at` is where and `document` on what it left, in the same company.
    """

    number: str
    state: str
    lies_at: str
    document: str


@dataclass(frozen=True, slots=True)
class CountLineRow:
    """One line with what was found and, for reviewers only, what was expected.

    `serials` were scanned; `missing` and `found` differ from the books, for reviewers only too.
    `value` is the difference at average cost, signed. The counter's page leaves both out.
    """

    id: int
    position: int
    product: str
    name: str
    barcode: str
    uom: str
    status: str
    lot: str
    class_code: str
    is_again: bool
    earlier: Decimal | None
    counted: Decimal | None
    expected: Decimal | None
    is_serial: bool
    serials: Sequence[str]
    missing: Sequence[str]
    found: Sequence[CountedPiece]
    counted_at: datetime | None
    counted_by: str
    value: Decimal | None
    parts: Sequence[CountPart] = ()

    @property
    def difference(self) -> Decimal | None:
        if self.counted is None or self.expected is None:
            return None
        return self.counted - self.expected


@dataclass(frozen=True, slots=True)
class CountPage:
    """One sheet with its lines."""

    id: int
    number: str
    state: str
    entity_id: int
    entity: str
    currency: str
    node_id: int
    node: str
    node_name: str
    cause: str
    variance: Decimal
    planned_at: datetime
    submitted_at: datetime | None
    approved_at: datetime | None
    posted_at: datetime | None
    cancel_reason: str
    lines: Sequence[CountLineRow]

    @property
    def to_count(self) -> list[CountLineRow]:
        """Return the lines that somebody is to count now."""
        if self.state == "recount":
            return [line for line in self.lines if line.is_again]
        return list(self.lines) if self.state == "open" else []

    @property
    def misplaced(self) -> int:
        """Return how many found pieces stand elsewhere by the books and are not missed there."""
        if self.state == "posted":
            return 0
        missed = {(line.product, number) for line in self.lines for number in line.missing}
        return sum(
            piece.state == "elsewhere" and (line.product, piece.number) not in missed
            for line in self.lines
            for piece in line.found
        )


def count_rows(
    *,
    entity_ids: Collection[int],
    state: str = "",
    after: int | None = None,
    limit: int = 100,
) -> list[CountRow]:
    """Return sheets, the newest first; without a state the open ones, "all": all. One query."""
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "states": [state] if state else OPEN,
        "after": after,
        "limit": limit,
    }
    return [CountRow(**row) for row in records(LIST, params)]


def count_page(*, number: str, entity_ids: Collection[int]) -> CountPage | None:
    """Return one sheet of these entities, or None. Three queries."""
    params = {"number": number, "entities": sorted(entity_ids)}
    found = records(HEAD, params) if "\0" not in number else []
    if not found:
        return None
    parts: dict[int, list[CountPart]] = defaultdict(list)
    for line_id, bin_id, code, sequence, counted, expected in rows(PARTS, [found[0]["id"]]):
        parts[line_id].append(CountPart(bin_id, code or "", sequence or 0, counted, expected))
    lines = [
        CountLineRow(**_named(row), parts=parts.get(row["id"], ()))
        for row in records(LINES, [found[0]["id"]])
    ]
    return CountPage(**found[0], lines=lines)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    known = json.loads(row.pop("known"))
    missing, found = json.loads(row["missing"]), json.loads(row["found"])
    pieces = [CountedPiece(number, *known.get(number, ("new", "", ""))) for number in found]
    return row | {"serials": json.loads(row["serials"]), "missing": missing, "found": pieces}


def count_fingerprints(count_ids: Collection[int]) -> Mapping[int, str]:
    """Return what an approver agrees to, in short, by id: the balances and what they differ by."""
    return {
        count_id: hashlib.sha256(
            "|".join(
                [*map(str, stocks), *(str(each.normalize()) for each in found), *pieces]
            ).encode()
        ).hexdigest()
        for count_id, stocks, found, pieces in rows(AGREED, [list(count_ids)])
    }

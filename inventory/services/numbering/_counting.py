"""Compares the pieces that were counted with those that the books expect."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from erp.kernel.sql import rows
from inventory.services.numbering._carrying import BadSerial

# What was picked is off the shelf; what moved after the count says nothing about it.
EXPECTED = """
    SELECT stock_id, number FROM inventory_serial
    WHERE stock_id = ANY(%(stocks)s) AND line_id IS NULL AND piece_id IS NULL
        AND moved_at <= %(at)s
    ORDER BY stock_id, id
"""

KNOWN = """
    SELECT wanted.stock_id, wanted.number
    FROM unnest(%(stocks)s::bigint[], %(numbers)s::text[]) AS wanted (stock_id, number)
    JOIN inventory_stock s ON s.id = wanted.stock_id
    JOIN inventory_serial n ON n.product_id = s.product_id AND n.number = wanted.number
    WHERE n.stock_id = wanted.stock_id OR n.moved_at > %(at)s
"""

# What was handled here since, or left since, tells more than the count: it was put right.
STILL = """
    SELECT wanted.stock_id, wanted.number, coalesce(n.stock_id, 0), p.code,
        coalesce(n.stock_id = wanted.stock_id AND n.line_id IS NULL AND n.piece_id IS NULL
            AND n.moved_at <= wanted.at, false),
        n.moved_at > wanted.at AND EXISTS (
            SELECT FROM inventory_serialmove m
            WHERE m.serial_id = n.id AND m.at > wanted.at
                AND (m.kind = 'shipment' OR wanted.stock_id IN (m.source_id, m.target_id))),
        CASE WHEN k.entity_id = s.entity_id
            THEN 'at ' || nd.code || ' (' || replace(k.status, '_', ' ') || ')'
            ELSE 'in another company''s stock' END
    FROM unnest(%(stocks)s::bigint[], %(numbers)s::text[], %(moments)s::timestamptz[])
        AS wanted (stock_id, number, at)
    JOIN inventory_stock s ON s.id = wanted.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_serial n ON n.product_id = s.product_id AND n.number = wanted.number
    LEFT JOIN inventory_stock k ON k.id = n.stock_id
    LEFT JOIN inventory_node nd ON nd.id = k.node_id
"""


class Differing(NamedTuple):
    """Which pieces of one balance were not found, and which were and should not be there."""

    missing: list[str]
    found: list[str]

    @property
    def difference(self) -> int:
        return len(self.found) - len(self.missing)


NOTHING = Differing([], [])


class _Lying(NamedTuple):
    stock_id: int
    product: str
    is_free: bool
    is_settled: bool
    place: str


def compare_serials(counted: Mapping[int, Sequence[str]], *, at: datetime) -> dict[int, Differing]:
    """Return by balance how the pieces that were counted at `at` differ from the books.

    What was picked or moved since is neither missing nor found. What lies elsewhere by the books is
    found: whoever posts it is told. Two statements.
    """
    expected: dict[int, list[str]] = {stock_id: [] for stock_id in counted}
    for stock_id, number in rows(EXPECTED, {"stocks": list(counted), "at": at}):
        expected[stock_id].append(number)
    params = _pairs(counted) | {"at": at}
    known = {(stock_id, number) for stock_id, number in rows(KNOWN, params)}
    differing = {}
    for stock_id, numbers in counted.items():
        seen = set(numbers)
        missing = [number for number in expected[stock_id] if number not in seen]
        found = [number for number in numbers if (stock_id, number) not in known]
        differing[stock_id] = Differing(missing, found)
    return differing


def still_differing(
    counted: Mapping[int, Differing], *, at: Mapping[int, datetime]
) -> dict[int, Differing]:
    """Return what of these differences is still one: not what was taken or turned up since.

    `at` says when each balance was counted. A piece that was handled there since, or that left, is
    as the books say. One statement.

    Raises:
        BadSerial: a piece that was found lies elsewhere by the books, and was not missed there.
    """
    named = {stock_id: [*each.missing, *each.found] for stock_id, each in counted.items()}
    params = _pairs(named)
    moments = [at[stock_id] for stock_id, numbers in named.items() for _ in numbers]
    found = rows(STILL, params | {"moments": moments})
    there = {(row[0], row[1]): _Lying(*row[2:]) for row in found}
    left = {
        stock_id: Differing([n for n in each.missing if there[stock_id, n].is_free], [])
        for stock_id, each in counted.items()
    }
    for stock_id, each in counted.items():
        for number in each.found:
            lying = there[stock_id, number]
            if lying.stock_id == stock_id or lying.is_settled:
                continue
            if lying.stock_id and number not in left.get(lying.stock_id, NOTHING).missing:
                sentence = f"lies {lying.place} by the books: move it here, or count it there"
                raise BadSerial(lying.product, number, sentence)
            left[stock_id].found.append(number)
    return left


def _pairs(numbers: Mapping[int, Sequence[str]]) -> dict[str, object]:
    pairs = [(stock_id, number) for stock_id, each in numbers.items() for number in each]
    return {"stocks": [pair[0] for pair in pairs], "numbers": [pair[1] for pair in pairs]}

"""What a count found, line by line, against what the books expected."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from erp.kernel.sql import records
from inventory.models import Count
from inventory.services._posting import Key

PIECES_SHOWN = 4

FOUND = """
    SELECT l.id AS line_id, s.entity_id, s.node_id, s.product_id, s.lot_id, s.status,
        p.code AS product, l.class_code, l.counted, l.expected, l.earlier, l.counted_by_id,
        coalesce(c.value / nullif(c.quantity, 0), 0) AS unit, s.id AS stock_id,
        s.is_serial, l.missing, l.found
    FROM inventory_countline l
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    LEFT JOIN inventory_productcost c
        ON c.product_id = s.product_id AND c.entity_id = s.entity_id
    WHERE l.count_id = %s
    ORDER BY l.position
"""


@dataclass(frozen=True, slots=True)
class Found:
    """One counted line; `unit` is the average cost of a base unit, unrounded.

    `missing` and `found` are the pieces by which it differs, where it is kept by serial number.
    """

    line_id: int
    entity_id: int
    node_id: int
    product_id: int
    lot_id: int | None
    status: str
    product: str
    class_code: str
    counted: Decimal | None
    expected: Decimal | None
    earlier: Decimal | None
    counted_by_id: int | None
    unit: Decimal
    stock_id: int = 0
    is_serial: bool = False
    missing: Sequence[str] = ()
    found: Sequence[str] = ()

    @property
    def difference(self) -> Decimal:
        return (self.counted or Decimal(0)) - (self.expected or Decimal(0))

    @property
    def pieces(self) -> Decimal:
        """Return how many base units are wrong, one way or the other."""
        if self.is_serial:
            return Decimal(len(self.missing) + len(self.found))
        return abs(self.difference)

    @property
    def said(self) -> str:
        """Return what an approver reads: so much of what, and which pieces."""
        names = [f"-{number}" for number in self.missing] + [f"+{number}" for number in self.found]
        more = f" and {len(names) - PIECES_SHOWN} more" if len(names) > PIECES_SHOWN else ""
        named = f" ({', '.join(names[:PIECES_SHOWN])}{more})" if names else ""
        return f"{self.difference.normalize():+f} {self.product}{named}"

    @property
    def parts(self) -> list[tuple[Decimal, Sequence[str]]]:
        """Return what is corrected, signed, found before missing, and which pieces it is."""
        if not self.is_serial:
            return [(self.difference, ())] if self.difference else []
        ways = [(len(self.found), self.found), (-len(self.missing), self.missing)]
        return [(Decimal(pieces), numbers) for pieces, numbers in ways if pieces]

    @property
    def key(self) -> Key:
        return Key(self.entity_id, self.node_id, self.product_id, self.status, self.lot_id or 0)

    @property
    def value(self) -> Decimal:
        return round(self.pieces * self.unit, 2)


def found_on(count: Count) -> list[Found]:
    """Return the lines of a count in their order. One query."""
    return [
        Found(**row | {"missing": json.loads(row["missing"]), "found": json.loads(row["found"])})
        for row in records(FOUND, [count.pk])
    ]

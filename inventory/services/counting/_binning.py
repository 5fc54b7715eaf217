"""What was counted in which bin."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.models import Bin, Count, CountBin
from inventory.rules import countable

# What a bin held at a moment: what it holds now, without what was moved since.
HELD_AT = """
    SELECT l.id, b.bin_id, sum(b.quantity)
    FROM inventory_countline l
    JOIN (
        SELECT stock_id, bin_id, quantity FROM inventory_binstock
        UNION ALL SELECT stock_id, source_id, quantity FROM inventory_binmove
        WHERE at > %(at)s AND source_id IS NOT NULL
        UNION ALL SELECT stock_id, target_id, -quantity FROM inventory_binmove
        WHERE at > %(at)s AND target_id IS NOT NULL
    ) AS b (stock_id, bin_id, quantity) ON b.stock_id = l.stock_id
    WHERE l.id = ANY(%(lines)s)
    GROUP BY l.id, b.bin_id
"""

SUITS = """
    SELECT l.id, b.id, b.code
    FROM unnest(%(lines)s::bigint[], %(bins)s::bigint[]) AS k (line_id, bin_id)
    JOIN inventory_countline l ON l.id = k.line_id
    JOIN inventory_stock s ON s.id = l.stock_id
    JOIN inventory_bin b ON b.id = k.bin_id AND b.node_id = s.node_id
    WHERE (b.kind <> 'pick_face' OR s.status = 'available')
        AND (b.kind <> 'quarantine' OR s.status <> 'available')
"""


class BadCount(DomainError):
    """A line cannot have been counted like that; `line_id` says which, 0 the whole sheet."""

    code: ClassVar[str] = "bad_count"

    def __init__(self, line_id: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line_id = line_id


@dataclass(frozen=True, slots=True)
class Counted:
    """So many base units were found of one line.

    `bins` says in which bins (None: elsewhere at the node), and sums to `quantity`. `serials` are
    the numbers of the pieces, one for each, where the product is kept by them.
    """

    line_id: int
    quantity: Decimal
    bins: Sequence[tuple[int | None, Decimal]] = ()
    serials: Sequence[str] = ()


def refuse_strange_bins(count: Count, counted: Sequence[Counted]) -> None:
    """Refuse parts that are not the whole, and bins in which such goods do not lie.

    No statement where nobody counted by bin; else one.
    """
    named = [
        (each.line_id, bin_id) for each in counted for bin_id, _ in each.bins if bin_id is not None
    ]
    for each in counted:
        parts = [quantity for _, quantity in each.bins]
        if len({bin_id for bin_id, _ in each.bins}) < len(parts):
            raise BadCount(each.line_id, "A bin is named twice.")
        if not all(countable(part) and part >= 0 for part in parts):
            raise BadCount(each.line_id, "Count zero or more, in thousandths.")
        if parts and sum(parts) != each.quantity:
            raise BadCount(each.line_id, "What was counted in bins is not what was counted.")
    if not named:
        return
    params = {"lines": [line for line, _ in named], "bins": [bin_id for _, bin_id in named]}
    fitting = {(row[0], row[1]) for row in rows(SUITS, params)}
    for line_id, bin_id in named:
        if (line_id, bin_id) not in fitting:
            code = Bin.objects.filter(pk=bin_id).values_list("code", flat=True).first()
            raise BadCount(line_id, f"Such goods do not lie in {code or 'that bin'}.")


def keep_bins(counted: Sequence[Counted], expected: Mapping[int, Decimal], at: datetime) -> None:
    """Keep what was counted in which bin, with what each was said to hold at `at`.

    What was said of a line before is replaced. A bin that nobody named was found empty: the parts
    are all there is of it. The balances are locked.
    """
    lines = [each.line_id for each in counted]
    CountBin.objects.filter(line_id__in=lines).delete()
    by_bin = [each for each in counted if each.bins]
    if not by_bin:
        return
    held: dict[int, dict[int, Decimal]] = defaultdict(dict)
    for line_id, bin_id, quantity in rows(HELD_AT, {"lines": lines, "at": at}):
        held[line_id][bin_id] = quantity
    parts = []
    for each in by_bin:
        there = held[each.line_id]
        floor = expected[each.line_id] - sum(there.values(), Decimal(0))
        parts += [
            CountBin(
                line_id=each.line_id,
                bin_id=bin_id,
                counted=quantity,
                expected=floor if bin_id is None else there.get(bin_id, Decimal(0)),
            )
            for bin_id, quantity in each.bins
        ]
        said = {bin_id for bin_id, _ in each.bins}
        parts += [
            CountBin(line_id=each.line_id, bin_id=bin_id, counted=Decimal(0), expected=quantity)
            for bin_id, quantity in there.items()
            if quantity and bin_id not in said
        ]
    CountBin.objects.bulk_create(parts)


def differences_of(count: Count) -> dict[int, list[tuple[int, Decimal]]]:
    """Return by line which bins differ by how much, signed. One query."""
    found: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    parts = CountBin.objects.filter(line__count=count, bin__isnull=False).order_by("pk")
    for part in parts:
        if part.counted != part.expected and part.bin_id is not None:
            found[part.line_id].append((part.bin_id, part.counted - part.expected))
    return found

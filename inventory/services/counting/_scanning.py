"""Counts by scanning: which pieces are missing, which were found, and what of it is posted."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from erp.kernel.sql import rows
from inventory.models import Count, CountLine
from inventory.services.counting._binning import Counted
from inventory.services.numbering._carrying import (
    BadSerial,
    SerialsNeeded,
    check_numbers,
    refuse_numbers,
)
from inventory.services.numbering._counting import Differing, compare_serials, still_differing

NUMBERED = """
    SELECT s.id, p.code, s.product_id
    FROM inventory_stock s JOIN inventory_product p ON p.id = s.product_id
    WHERE s.id = ANY(%s) AND s.is_serial
"""


class Numbered(Protocol):
    """A counted line and the pieces by which it differs."""

    @property
    def stock_id(self) -> int: ...
    @property
    def missing(self) -> Collection[str]: ...
    @property
    def found(self) -> Collection[str]: ...


class _Kept(NamedTuple):
    product: str
    product_id: int


def compare_scanned(
    answers: Sequence[tuple[CountLine, Counted]], *, others: Sequence[CountLine], at: datetime
) -> None:
    """Note on lines that are kept by serial number which pieces differ. Saves nothing.

    `others` are the lines of the sheet that are not answered now: a piece lies on one.

    Raises:
        SerialsNeeded: other than one number is named for each piece.
        BadSerial: one is none or named twice on the sheet, or the product is not kept by them.
    """
    if not answers:
        return
    before = {line.stock_id: line.serials for line in others if line.serials}
    stocks = [*(line.stock_id for line, _ in answers), *before]
    numbered = {row[0]: _Kept(*row[1:]) for row in rows(NUMBERED, [stocks])}
    pieces: dict[int, list[str]] = {}
    for line, each in answers:
        numbers = [number.strip() for number in each.serials]
        if line.stock_id not in numbered:
            if numbers:
                refuse_numbers(line.stock.product_id, numbers)
            continue
        if len(numbers) != each.quantity:
            raise SerialsNeeded(numbered[line.stock_id].product, each.quantity, len(numbers))
        check_numbers(numbered[line.stock_id].product, numbers)
        pieces[line.stock_id] = line.serials = numbers
    _refuse_two_places(numbered, before | pieces)
    differing = compare_serials(pieces, at=at) if pieces else {}
    for line, each in answers:
        if line.stock_id in differing:
            differs = differing[line.stock_id]
            line.missing, line.found = differs.missing, differs.found
            line.expected = each.quantity - differs.difference


def _refuse_two_places(numbered: Mapping[int, _Kept], pieces: Mapping[int, Sequence[str]]) -> None:
    seen: set[tuple[int, str]] = set()
    for stock_id, numbers in pieces.items():
        kept = numbered[stock_id]
        for number in numbers:
            if (kept.product_id, number) in seen:
                raise BadSerial(kept.product, number, "is scanned on another line of this sheet")
            seen.add((kept.product_id, number))


def settle_scanned(count: Count, lines: Collection[Numbered]) -> Mapping[int, Differing]:
    """Leave alone the pieces that were taken or turned up since; return by balance what is left.

    The balances are locked.

    Raises:
        BadSerial: a piece that was found lies elsewhere by the books.
    """
    differing = {
        line.stock_id: Differing([*line.missing], [*line.found])
        for line in lines
        if line.missing or line.found
    }
    if not differing:
        return {}
    changed = list(count.lines.filter(stock_id__in=differing).order_by("pk"))
    at = {line.stock_id: line.counted_at for line in changed if line.counted_at}
    left = still_differing(differing, at=at)
    for line in changed:
        still = left[line.stock_id]
        line.missing, line.found = still.missing, still.found
        line.expected = (line.counted or Decimal(0)) - still.difference
    CountLine.objects.bulk_update(changed, ["missing", "found", "expected"])
    return left

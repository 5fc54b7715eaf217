"""Rows of a grid as they were typed, each cell with what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.http import QueryDict
from django.utils.translation import gettext as _

DIGITS_MAX = 40


@dataclass
class GridRow:
    """One row: its cells by column, and what is wrong with some of them."""

    cells: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def number(self, column: str) -> Decimal | None:
        """Read a cell; empty is none, and what is no number is noted beside it."""
        text = self.cells.get(column, "")
        if not text:
            return None
        try:
            number = Decimal(text) if len(text) <= DIGITS_MAX else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or "E" in text.upper():
            self.errors[column] = _("Write a number such as 12.5.")
            return None
        return number


def typed_rows(data: QueryDict, columns: Sequence[str], limit: int) -> list[GridRow]:
    """Return the rows in which something was typed, at most `limit`."""
    lists = [data.getlist(name)[: limit * 2] for name in columns]
    height = max((len(cells) for cells in lists), default=0)
    padded = [cells + [""] * (height - len(cells)) for cells in lists]
    found = [
        GridRow(dict(zip(columns, (cell.strip() for cell in row), strict=True)))
        for row in zip(*padded, strict=True)
    ]
    return [row for row in found if any(row.cells.values())][:limit]


def refuse_rows(rows: Sequence[GridRow], name: str, message: str, known: Sequence[str]) -> bool:
    """Put a refusal of `lines[2].price` beside its cell; false if it names no row."""
    place, _dot, column = name.partition("].")
    index = place.removeprefix("lines[")
    if place == name or not index.isdecimal() or int(index) >= len(rows):
        return False
    rows[int(index)].errors[column if column in known else known[0]] = message
    return True

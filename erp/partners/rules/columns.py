"""The columns of each kind of import, and how a cell becomes a value."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

Value = str | Decimal | date | bool | None
DATE_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%Y")
NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
YES, NO = {"1", "true", "yes", "y", "x"}, {"0", "false", "no", "n", ""}


BIN_KINDS = {"pick_face", "reserve", "receiving", "quarantine"}


class BadCell(ValueError):
    """A cell is not what its column asks for; the message is a sentence fit to show."""


def text(cell: str) -> str:
    if "\x00" in cell:
        raise BadCell("contains a zero character.")
    return cell


def number(cell: str) -> Decimal:
    if not cell or not NUMBER.fullmatch(cell):
        raise BadCell(f"“{cell}” is not a number.")
    try:
        value = Decimal(cell.replace(",", ""))
    except InvalidOperation as error:
        raise BadCell(f"“{cell}” is not a number.") from error
    if not value.is_finite() or abs(value) >= Decimal(10) ** 12:
        raise BadCell(f"“{cell}” is out of range.")
    return value


def not_negative(cell: str) -> Decimal:
    value = number(cell)
    if value < 0:
        raise BadCell("must not be negative.")
    return value


def above_zero(cell: str) -> Decimal:
    value = number(cell)
    if value <= 0:
        raise BadCell("must be above zero.")
    return value


def share(cell: str) -> Decimal:
    value = number(cell).quantize(Decimal("0.000001"))
    if not 0 <= value <= 1:
        raise BadCell("must be between 0 and 1 (0.05 is five per cent).")
    return value


def bin_kind(cell: str) -> str:
    value = cell.strip().lower().replace(" ", "_")
    if value not in BIN_KINDS:
        raise BadCell("must be pick_face, reserve, receiving or quarantine.")
    return value


def day(cell: str) -> date:
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(cell, form).date()  # noqa: DTZ007  a date has no zone
        except ValueError:
            continue
    raise BadCell(f"“{cell}” is not a date such as 2026-11-22.")


def flag(cell: str) -> bool:
    if cell.lower() in YES:
        return True
    if cell.lower() in NO:
        return False
    raise BadCell(f"“{cell}” is neither yes nor no.")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an import: how its cells are read, and whether it must be filled.

    `size` is the longest text that fits; `example` fills the template that people download.
    """

    name: str
    read: Callable[[str], Value]
    required: bool = False
    size: int = 0
    example: str = ""

    def value(self, cell: str | None) -> Value:
        """Return the cell's value; None when it is empty and need not be filled.

        Raises:
            BadCell: it is empty and required, too long, or not readable.
        """
        if cell is None or cell == "":
            if self.required:
                raise BadCell("is missing.")
            return None
        if self.size and len(cell) > self.size:
            raise BadCell(f"is longer than {self.size} characters.")
        return self.read(cell)


def read_cells(
    columns: tuple[Column, ...], cells: Mapping[str, str | None]
) -> tuple[dict[str, Value], list[tuple[str, str]]]:
    """Return the values by column name, and a (column, sentence) for each cell that is wrong."""
    values: dict[str, Value] = {}
    wrong: list[tuple[str, str]] = []
    for column in columns:
        try:
            values[column.name] = column.value(cells.get(column.name))
        except BadCell as error:
            wrong.append((column.name, f"{column.name} {error}"))
    return values, wrong


def _address() -> tuple[Column, ...]:
    return (
        Column("address", text, size=200, example="12 Dock Road"),
        Column("city", text, size=100, example="Philadelphia"),
        Column("region", text, size=100, example="PA"),
        Column("postal_code", text, size=20, example="19103"),
        Column("country", text, size=60, example="US"),
    )


KINDS: dict[str, tuple[Column, ...]] = {
    "products": (
        Column("code", text, required=True, size=40, example="HX-220"),
        Column("name", text, required=True, size=200, example="Surgical gown L"),
        Column("category", text, size=100, example="Apparel"),
        Column("base_uom", text, size=10, example="EA"),
        Column("weight", not_negative, example="0.35"),
        Column("barcode", text, size=20, example=""),
        Column("pack_note", text, size=100, example="case of 12"),
        Column("is_blocked", flag, example="0"),
        Column("is_discontinued", flag, example="0"),
        Column("export_code", text, size=20, example=""),
        Column("hazmat_class", text, size=10, example=""),
        Column("licence_required", flag, example="0"),
        Column("controlled_share", not_negative, example="1"),
        Column("order_min", not_negative, example="0"),
        Column("order_multiple", not_negative, example="0"),
    ),
    "customers": (
        Column("code", text, required=True, size=40, example="HALDEN"),
        Column("name", text, required=True, size=200, example="Halden Medical"),
        Column("tier", text, size=1, example="A"),
        *_address(),
        Column("contact", text, size=120),
        Column("email", text, size=254),
        Column("phone", text, size=40),
        Column("tax_id", text, size=40),
        Column("credit_limit", not_negative, example="200000"),
        Column("terms_days", not_negative, example="30"),
        Column("penalty_rate", share, example="0.02"),
    ),
    "suppliers": (
        Column("code", text, required=True, size=40, example="ARVO"),
        Column("name", text, required=True, size=200, example="Arvo Plastics"),
        *_address(),
        Column("contact", text, size=120),
        Column("email", text, size=254),
        Column("phone", text, size=40),
    ),
    "carriers": (
        Column("code", text, required=True, size=20, example="SWIFT"),
        Column("name", text, required=True, size=200, example="Swift Parcel"),
        Column("phone", text, size=40),
        Column("base_rate", not_negative, example="9.50"),
        Column("rate_per_kg", not_negative, example="0.80"),
        Column("transit_days", not_negative, example="2"),
    ),
    "prices": (
        Column("product", text, required=True, size=40, example="HX-220"),
        Column("customer", text, size=40, example=""),
        Column("group", text, size=40, example=""),
        Column("price_list", text, size=40, example=""),
        Column("uom", text, size=10, example=""),
        Column("currency", text, size=3, example=""),
        Column("min_quantity", not_negative, example="0"),
        Column("unit_price", not_negative, required=True, example="23.84"),
        Column("valid_from", day, required=True, example="2026-01-01"),
        Column("valid_until", day, example=""),
    ),
    "offers": (
        Column("product", text, required=True, size=40, example="HX-220"),
        Column("supplier", text, required=True, size=40, example="ARVO"),
        Column("unit_price", not_negative, required=True, example="14.10"),
        Column("moq", not_negative, example="12"),
        Column("multiple", above_zero, example="12"),
        Column("lead_time_days", not_negative, example="10"),
    ),
    "replenishment": (
        Column("product", text, required=True, size=40, example="HX-220"),
        Column("node", text, required=True, size=20, example="DC-NORTH"),
        Column("reorder_point", not_negative, required=True, example="100"),
        Column("order_up_to", above_zero, example="400"),
    ),
    "bins": (
        Column("node", text, required=True, size=20, example="DC-NORTH"),
        Column("code", text, required=True, size=20, example="A-01-1"),
        Column("kind", bin_kind, example="pick_face"),
        Column("sequence", not_negative, example="10"),
        Column("capacity", above_zero, example="40"),
        Column("product", text, size=40, example="HX-220"),
        Column("minimum", not_negative, example="10"),
    ),
    "stock": (
        Column("product", text, required=True, size=40, example="HX-220"),
        Column("node", text, required=True, size=20, example="DC-NORTH"),
        Column("quantity", not_negative, required=True, example="250"),
        Column("unit_value", not_negative, required=True, example="14.10"),
    ),
    "orders": (
        Column("order_ref", text, required=True, size=60, example="WEB-1001"),
        Column("customer", text, required=True, size=40, example="HALDEN"),
        Column("customer_po", text, size=60, example="77120-B"),
        Column("requested_date", day, required=True, example="2026-11-30"),
        Column("product", text, required=True, size=40, example="HX-220"),
        Column("quantity", above_zero, required=True, example="24"),
        Column("uom", text, size=10, example="EA"),
        Column("unit_price", not_negative, example=""),
        Column("discount", share, example="0"),
        Column("freight", not_negative, example="0"),
        Column("carrier", text, size=20, example=""),
        Column("ship_to_name", text, size=200),
        *(Column(f"ship_to_{c.name}", c.read, size=c.size) for c in _address()),
        Column("ordered_on", day, example=""),
        Column("shipped_on", day, example=""),
    ),
}

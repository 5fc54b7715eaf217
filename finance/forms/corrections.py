"""What people type about corrections of stock."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._serials import NumbersForm, SerialsField, count_numbers
from inventory.selectors import NodeToMove

LINES_MAX = 100
STATUSES = [
    ("available", _("Available")),
    ("quarantine", _("Quarantine")),
    ("inspection", _("Inspection")),
    ("damaged", _("Damaged")),
]
FindProducts = Callable[[Collection[str]], Mapping[str, int]]
FindSerial = Callable[[Collection[str]], Collection[str]]
FindLots = Callable[[Collection[tuple[int, str]]], Mapping[tuple[int, str], int]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """So many pieces of a product that are to be named in a field of their own."""

    product: str
    is_found: bool
    quantity: Decimal
    field: str


class CorrectionForm(NumbersForm):
    """What is found, written off or set aside at one node, and why.

    What is kept by serial number is named: one field for what is found of a product, one for what
    is written off or set aside.
    """

    node = forms.ChoiceField(label=_("Node"))
    status = forms.ChoiceField(label=_("Lies as"), choices=STATUSES)
    to_status = forms.ChoiceField(
        label=_("Becomes"),
        choices=[("", _("Found or written off")), *STATUSES],
        required=False,
    )
    products = forms.CharField(
        label=_("Products and quantities"),
        help_text=_("One a line: code, blank, base units. A lot after @. Minus writes off."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "placeholder": "A-100 -3"}),
        max_length=8_000,
    )
    reason = forms.CharField(label=_("Why"), max_length=180)

    def __init__(
        self,
        nodes: Sequence[NodeToMove],
        find: FindProducts,
        find_lots: FindLots,
        find_serial: FindSerial,
        data: Any = None,
    ) -> None:
        super().__init__(data)
        self.places = {f"{n.entity_id}.{n.node_id}": n for n in nodes if n.is_own}
        self.find, self.find_lots = find, find_lots
        choices = [("", _("Choose a node")), *((key, n.label) for key, n in self.places.items())]
        self.fields["node"].choices = choices  # type: ignore[attr-defined]
        self.pieces = _pieces((data or {}).get("products", ""), find_serial, find)
        for each in self.pieces:
            label = now_("Serial numbers") if not each.is_found else now_("Serial numbers found")
            self.fields[each.field] = SerialsField(label=label)

    def piece_rows(self) -> Iterator[tuple[Pieces, forms.BoundField]]:
        """Return what is to be named, each with its field."""
        for each in self.pieces:
            yield each, self[each.field]

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers."""
        return [(each.product, each.field) for each in self.pieces]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for each in self.pieces:
            count_numbers(self, each.field, each.quantity)
        return given

    def lines(self) -> list[tuple[int, int | None, Decimal, list[str]]]:
        """Return (product id, lot id, signed base units, serial numbers) of each line."""
        left = {each.field: list(self.cleaned_data[each.field]) for each in self.pieces}
        said = []
        for product_id, lot_id, quantity in self.cleaned_data["products"]:
            numbers = left.get(_field(product_id, is_found=quantity > 0), [])
            own = int(abs(quantity))
            said.append((product_id, lot_id, quantity, numbers[:own]))
            del numbers[:own]
        return said

    def clean_products(self) -> list[tuple[int, int | None, Decimal]]:
        """Return (product id, lot id, signed base units) of each line."""
        named = [_line(row) for row in _rows(self.cleaned_data["products"])]
        if len(named) > LINES_MAX:
            raise forms.ValidationError(now_("That is more than 100 lines."))
        known = self.find({code for code, _lot, _quantity in named})
        for code, _lot, _quantity in named:
            if code not in known:
                raise forms.ValidationError(now_("There is no product %(c)s.") % {"c": code[:40]})
        wanted = {(known[code], lot) for code, lot, _quantity in named if lot}
        lots = self.find_lots(wanted) if wanted else {}
        for code, lot, _quantity in named:
            if lot and (known[code], lot) not in lots:
                said = now_("There is no lot %(lot)s of %(code)s.")
                raise forms.ValidationError(said % {"lot": lot[:40], "code": code[:40]})
        return [
            (known[code], lots[known[code], lot] if lot else None, quantity)
            for code, lot, quantity in named
        ]

    def place(self) -> NodeToMove:
        """Return the node that was chosen."""
        return self.places[self.cleaned_data["node"]]


def _rows(text: str) -> list[str]:
    return [row.strip() for row in text.splitlines() if row.strip()]


def _field(product_id: int, *, is_found: bool) -> str:
    return f"serials_{product_id}" if is_found else f"serials_{product_id}_off"


def _pieces(text: str, find_serial: FindSerial, find: FindProducts) -> list[Pieces]:
    """Return what of it is kept by serial number; lines that make no sense are left to `clean`."""
    quantities: dict[tuple[str, bool], Decimal] = {}
    for row in _rows(text)[:LINES_MAX]:
        try:
            code, _lot, quantity = _line(row)
        except forms.ValidationError:
            continue
        key = (code, quantity > 0)
        quantities[key] = quantities.get(key, Decimal(0)) + abs(quantity)
    own = find_serial({code for code, _found in quantities}) if quantities else set()
    ids = find(own) if own else {}
    return [
        Pieces(code, is_found, quantity, _field(ids[code], is_found=is_found))
        for (code, is_found), quantity in quantities.items()
        if code in own
    ]


def _line(row: str) -> tuple[str, str, Decimal]:
    goods, _blank, text = row.replace("\t", " ").rpartition(" ")
    code, _at, lot = goods.partition("@")
    try:
        quantity = Decimal(text.replace(",", "."))
    except InvalidOperation:
        quantity = Decimal(0)
    if not code.strip() or not quantity.is_finite() or not quantity:
        said = now_("“%(row)s”: write a code, a blank and how many base units.")
        raise forms.ValidationError(said % {"row": row[:40]})
    return code.strip(), lot.strip(), quantity

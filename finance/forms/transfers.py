"""What people type about transfers."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._floor_and_money import REASONS, QuantityField
from finance.forms._serials import NumbersForm, SerialsField, count_numbers
from inventory.selectors import NodeToMove, TransferLineRow, TransferPieceRow

LINES_MAX = 100
EXPLAINED = ("lost", "returned", "over")
Finder = Callable[[Collection[str]], Mapping[str, int]]


class TransferForm(forms.Form):
    """Which goods are to go from where to where, and why."""

    origin = forms.ChoiceField(label=_("From"))
    destination = forms.ChoiceField(label=_("To"))
    products = forms.CharField(
        label=_("Products and quantities"),
        help_text=_("One a line: the code, a blank, how many base units."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        max_length=8_000,
    )
    reason = forms.CharField(label=_("Why"), max_length=300)

    def __init__(
        self, nodes: Sequence[NodeToMove], find: Finder, data: Any = None, initial: Any = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.nodes = {f"{n.entity_id}.{n.node_id}": n for n in nodes}
        self.find = find
        owned = [(key, n.label) for key, n in self.nodes.items() if n.is_own]
        everywhere = [(key, n.label) for key, n in self.nodes.items()]
        self.fields["origin"].choices = [("", _("Choose a node")), *owned]  # type: ignore[attr-defined]
        self.fields["destination"].choices = [("", _("Choose a node")), *everywhere]  # type: ignore[attr-defined]

    def clean_products(self) -> list[tuple[str, Decimal]]:
        wanted: dict[str, Decimal] = {}
        for row in filter(str.strip, self.cleaned_data["products"].splitlines()):
            code, _blank, text = row.strip().replace("\t", " ").rpartition(" ")
            try:
                quantity = Decimal(text.replace(",", "."))
            except InvalidOperation:
                quantity = Decimal(0)
            if not code or not quantity.is_finite() or quantity <= 0:
                said = now_("“%(row)s”: write a code, a blank and a quantity above zero.")
                raise forms.ValidationError(said % {"row": row.strip()[:40]})
            wanted[code.strip()] = wanted.get(code.strip(), Decimal(0)) + quantity
        if len(wanted) > LINES_MAX:
            raise forms.ValidationError(now_("That is more than 100 products."))
        known = self.find(wanted)
        for code in wanted:
            if code not in known:
                raise forms.ValidationError(now_("There is no product %(c)s.") % {"c": code[:40]})
        self.found = [(known[code], quantity) for code, quantity in wanted.items()]
        return list(wanted.items())

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        origin, target = self.nodes[given["origin"]], self.nodes[given["destination"]]
        return given | {
            "entity": origin.entity_id,
            "to_entity": target.entity_id,
            "origin": origin.node_id,
            "destination": target.node_id,
            "lines": self.found,
        }


@dataclass(frozen=True, slots=True)
class TransferPickRow:
    """One line to pick with its fields; `numbers` where it is kept by serial number.

    `lying` are the pieces that may be taken.
    """

    line: TransferLineRow
    found: forms.BoundField
    reason: forms.BoundField
    numbers: Sequence[forms.BoundField]
    lying: Sequence[str] | None


class TransferPickForm(NumbersForm):
    """For each line how much of what is kept was found, which pieces, and why it was less."""

    def __init__(
        self,
        lines: Sequence[TransferLineRow],
        data: Any = None,
        lying: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(data)
        self.lying = lying or {}
        self.lines = [line for line in lines if line.reserved]
        for line in self.lines:
            self.fields[f"found_{line.id}"] = QuantityField(
                label=now_("Found"), max_value=line.reserved, initial=line.reserved.normalize()
            )
            self.fields[f"reason_{line.id}"] = forms.ChoiceField(
                label=now_("Why less"), choices=REASONS, required=False
            )
            if line.is_serial:
                of = f"found_{line.id}"
                self.fields[f"serials_{line.id}"] = SerialsField(of, label=now_("Serial numbers"))
                self.fields[f"missing_{line.id}"] = SerialsField(
                    of,
                    rest=True,
                    required=False,
                    label=now_("Serial numbers that are missing or damaged"),
                )

    def rows(self) -> Iterator[TransferPickRow]:
        for line in self.lines:
            names = (f"serials_{line.id}", f"missing_{line.id}") if line.is_serial else ()
            yield TransferPickRow(
                line,
                self[f"found_{line.id}"],
                self[f"reason_{line.id}"],
                [self[name] for name in names],
                self.lying.get(line.id),
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line in self.lines:
            found = given.get(f"found_{line.id}")
            if found is not None and found < line.reserved and not given.get(f"reason_{line.id}"):
                self.add_error(f"reason_{line.id}", now_("Say why less was found."))
            if line.is_serial and found is not None:
                count_numbers(self, f"serials_{line.id}", found)
                if given.get(f"missing_{line.id}"):
                    count_numbers(self, f"missing_{line.id}", line.reserved - found)
        return given

    def shorts(self) -> list[tuple[int, Decimal, str]]:
        """Return (line id, found, reason) of the lines of which less was found."""
        given = self.cleaned_data
        return [
            (line.id, given[f"found_{line.id}"], given[f"reason_{line.id}"])
            for line in self.lines
            if given[f"found_{line.id}"] < line.reserved
        ]

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers, those that were found first."""
        own = [line for line in self.lines if line.is_serial]
        return [(line.product, f"{w}_{line.id}") for w in ("serials", "missing") for line in own]

    def numbers(self, what: str) -> dict[int, list[str]]:
        """Return, by line id, the numbers of the pieces: "serials" were found, or "missing"."""
        own = [line.id for line in self.lines if line.is_serial]
        return {line_id: self.cleaned_data[f"{what}_{line_id}"] for line_id in own}


@dataclass(frozen=True, slots=True)
class TransferPieceFields:
    """One piece on its way with its fields; `numbers` where it is kept by serial number."""

    line: TransferLineRow
    piece: TransferPieceRow
    counts: Sequence[forms.BoundField]
    numbers: Sequence[forms.BoundField]


class TransferReceiveForm(NumbersForm):
    """For each piece how much came whole, damaged or over; settling, also lost or gone back.

    Of a product that is kept by serial number it says which. They need not be named where all that
    is still to come has one outcome.
    """

    said = forms.CharField(
        label=_("What happened"),
        help_text=_("Needed where something was lost, went back or came over."),
        required=False,
        max_length=300,
    )
    is_last = forms.BooleanField(label=_("Nothing more comes"), required=False)

    def __init__(
        self,
        pieces: Sequence[tuple[TransferLineRow, TransferPieceRow]],
        data: Any = None,
        *,
        settling: bool,
    ) -> None:
        super().__init__(data)
        self.pieces = pieces
        self.outcomes = (
            ["received", "damaged", "returned", "lost"]
            if settling
            else ["received", "damaged", "over"]
        )
        labels = {
            "received": now_("Came") if not settling else now_("Found after all"),
            "damaged": now_("Damaged"),
            "returned": now_("Never left"),
            "lost": now_("Lost"),
            "over": now_("Over"),
        }
        for line, piece in pieces:
            for outcome in self.outcomes:
                whole = outcome == "received" and not settling
                self.fields[f"{outcome}_{piece.id}"] = QuantityField(
                    label=labels[outcome],
                    required=False,
                    initial=(piece.missing.normalize() or None) if whole else None,
                )
                if line.is_serial:
                    said = now_("Serial numbers: %(what)s") % {"what": labels[outcome].lower()}
                    help_text = now_("Empty: all that are still to come.") if whole else ""
                    field = SerialsField(
                        f"{outcome}_{piece.id}",
                        required=not whole,
                        label=said,
                        help_text=help_text,
                    )
                    if outcome == "over":
                        field.widget.attrs["data-any"] = ""
                    self.fields[f"serials_{outcome}_{piece.id}"] = field

    def rows(self) -> Iterator[TransferPieceFields]:
        for line, piece in self.pieces:
            if piece.missing or "over" in self.outcomes:
                yield TransferPieceFields(
                    line,
                    piece,
                    [self[f"{outcome}_{piece.id}"] for outcome in self.outcomes],
                    [
                        self[f"serials_{outcome}_{piece.id}"]
                        for outcome in self.outcomes
                        if line.is_serial
                    ],
                )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line, piece in self.pieces:
            parts = [given.get(f"{o}_{piece.id}") or 0 for o in self.outcomes if o != "over"]
            if sum(parts) > piece.missing:
                said = now_("%(code)s: only %(left)s can still come. Enter the rest as over.")
                values = {"code": line.product, "left": f"{piece.missing.normalize():f}"}
                self.add_error(f"received_{piece.id}", said % values)
            if line.is_serial:
                self._count(piece, given)
        if self.errors:
            return given
        named = {outcome for _piece, outcome, _quantity, _numbers in self._came(given)}
        if not named and not given.get("is_last"):
            raise forms.ValidationError(now_("Say what came: every line is empty or zero."))
        if named & set(EXPLAINED) and not given.get("said", "").strip():
            self.add_error("said", now_("Say what happened."))
        return given

    def _count(self, piece: TransferPieceRow, given: Mapping[str, Any]) -> None:
        for outcome in self.outcomes:
            quantity = given.get(f"{outcome}_{piece.id}") or Decimal(0)
            name = f"serials_{outcome}_{piece.id}"
            if given.get(name) or outcome == "over" or quantity != piece.missing:
                count_numbers(self, name, quantity)

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers."""
        return [
            (line.product, f"serials_{outcome}_{piece.id}")
            for line, piece in self.pieces
            for outcome in self.outcomes
            if line.is_serial
        ]

    def came(self) -> list[tuple[int, str, Decimal, list[str]]]:
        """Return (piece id, outcome, quantity, serial numbers) of all that was said."""
        return self._came(self.cleaned_data)

    def _came(self, given: Mapping[str, Any]) -> list[tuple[int, str, Decimal, list[str]]]:
        return [
            (
                piece.id,
                outcome,
                given[f"{outcome}_{piece.id}"],
                given.get(f"serials_{outcome}_{piece.id}") or [],
            )
            for _line, piece in self.pieces
            for outcome in self.outcomes
            if given.get(f"{outcome}_{piece.id}")
        ]

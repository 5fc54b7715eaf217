"""What people type about transfers."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._floor_and_money import REASONS, QuantityField
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


class TransferPickForm(forms.Form):
    """For each line how much of what is kept was found, and why it was less."""

    def __init__(self, lines: Sequence[TransferLineRow], data: Any = None) -> None:
        super().__init__(data)
        self.lines = [line for line in lines if line.reserved]
        for line in self.lines:
            self.fields[f"found_{line.id}"] = QuantityField(
                label=now_("Found"), max_value=line.reserved, initial=line.reserved.normalize()
            )
            self.fields[f"reason_{line.id}"] = forms.ChoiceField(
                label=now_("Why less"), choices=REASONS, required=False
            )

    def rows(self) -> Iterator[tuple[TransferLineRow, forms.BoundField, forms.BoundField]]:
        for line in self.lines:
            yield line, self[f"found_{line.id}"], self[f"reason_{line.id}"]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line in self.lines:
            found = given.get(f"found_{line.id}")
            if found is not None and found < line.reserved and not given.get(f"reason_{line.id}"):
                self.add_error(f"reason_{line.id}", now_("Say why less was found."))
        return given

    def shorts(self) -> list[tuple[int, Decimal, str]]:
        """Return (line id, found, reason) of the lines of which less was found."""
        given = self.cleaned_data
        return [
            (line.id, given[f"found_{line.id}"], given[f"reason_{line.id}"])
            for line in self.lines
            if given[f"found_{line.id}"] < line.reserved
        ]


class TransferReceiveForm(forms.Form):
    """For each piece how much came whole, damaged or over; settling, also lost or gone back."""

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
        for _line, piece in pieces:
            for outcome in self.outcomes:
                whole = outcome == "received" and not settling
                field = QuantityField(
                    label=labels[outcome],
                    required=False,
                    initial=(piece.missing.normalize() or None) if whole else None,
                )
                self.fields[f"{outcome}_{piece.id}"] = field

    def rows(
        self,
    ) -> Iterator[tuple[TransferLineRow, TransferPieceRow, list[forms.BoundField]]]:
        for line, piece in self.pieces:
            if piece.missing or "over" in self.outcomes:
                yield line, piece, [self[f"{outcome}_{piece.id}"] for outcome in self.outcomes]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line, piece in self.pieces:
            parts = [given.get(f"{o}_{piece.id}") or 0 for o in self.outcomes if o != "over"]
            if sum(parts) > piece.missing:
                said = now_("%(code)s: only %(left)s can still come. Enter the rest as over.")
                values = {"code": line.product, "left": f"{piece.missing.normalize():f}"}
                self.add_error(f"received_{piece.id}", said % values)
        if self.errors:
            return given
        named = {outcome for _piece, outcome, _quantity in self._came(given)}
        if not named and not given.get("is_last"):
            raise forms.ValidationError(now_("Say what came: every line is empty or zero."))
        if named & set(EXPLAINED) and not given.get("said", "").strip():
            self.add_error("said", now_("Say what happened."))
        return given

    def came(self) -> list[tuple[int, str, Decimal]]:
        """Return (piece id, outcome, quantity) of all that was said."""
        return self._came(self.cleaned_data)

    def _came(self, given: Mapping[str, Any]) -> list[tuple[int, str, Decimal]]:
        return [
            (piece.id, outcome, given[f"{outcome}_{piece.id}"])
            for _line, piece in self.pieces
            for outcome in self.outcomes
            if given.get(f"{outcome}_{piece.id}")
        ]

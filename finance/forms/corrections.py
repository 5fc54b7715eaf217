"""What people type about corrections of stock."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from inventory.selectors import NodeToMove

LINES_MAX = 100
STATUSES = [
    ("available", _("Available")),
    ("quarantine", _("Quarantine")),
    ("inspection", _("Inspection")),
    ("damaged", _("Damaged")),
]
FindProducts = Callable[[Collection[str]], Mapping[str, int]]
FindLots = Callable[[Collection[tuple[int, str]]], Mapping[tuple[int, str], int]]


class CorrectionForm(forms.Form):
    """What is found, written off or set aside at one node, and why."""

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
        data: Any = None,
    ) -> None:
        super().__init__(data)
        self.places = {f"{n.entity_id}.{n.node_id}": n for n in nodes if n.is_own}
        self.find, self.find_lots = find, find_lots
        choices = [("", _("Choose a node")), *((key, n.label) for key, n in self.places.items())]
        self.fields["node"].choices = choices  # type: ignore[attr-defined]

    def clean_products(self) -> list[tuple[int, int | None, Decimal]]:
        """Return (product id, lot id, signed base units) of each line."""
        named = [
            _line(row.strip()) for row in self.cleaned_data["products"].splitlines() if row.strip()
        ]
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

"""What people type about cycle counts."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._floor_and_money import QuantityField
from inventory.selectors import CountLineRow, NodeToMove


class PlanCountForm(forms.Form):
    """Where to count, and how much at once."""

    node = forms.ChoiceField(label=_("Node"))
    lines = forms.IntegerField(label=_("Lines"), min_value=1, max_value=500, initial=25)

    def __init__(self, nodes: Sequence[NodeToMove], data: Any = None) -> None:
        super().__init__(data)
        self.places = {f"{n.entity_id}.{n.node_id}": n for n in nodes if n.is_own}
        choices = [(key, n.label) for key, n in self.places.items()]
        self.fields["node"].choices = choices  # type: ignore[attr-defined]

    def place(self) -> NodeToMove:
        """Return the node that was chosen."""
        return self.places[self.cleaned_data["node"]]


class CountForm(forms.Form):
    """For each line how much lies there. An empty one is not counted yet."""

    def __init__(self, lines: Sequence[CountLineRow], data: Any = None) -> None:
        super().__init__(data)
        self.lines = lines
        for line in lines:
            field = QuantityField(
                label=now_("Counted"),
                required=False,
                initial=None if line.counted is None else line.counted.normalize(),
            )
            self.fields[f"counted_{line.id}"] = field

    def rows(self) -> Iterator[tuple[CountLineRow, forms.BoundField]]:
        for line in self.lines:
            yield line, self[f"counted_{line.id}"]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if "keep" not in self.data and not self.errors:
            for line in self.lines:
                if given.get(f"counted_{line.id}") is None:
                    said = now_("Count it, and write 0 where nothing lies there.")
                    self.add_error(f"counted_{line.id}", said)
        return given

    def counted(self) -> list[tuple[int, Decimal]]:
        """Return (line id, quantity) of what was counted."""
        given = self.cleaned_data
        return [
            (line.id, given[f"counted_{line.id}"])
            for line in self.lines
            if given[f"counted_{line.id}"] is not None
        ]

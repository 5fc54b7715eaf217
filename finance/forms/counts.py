"""What people type about cycle counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._floor_and_money import QuantityField
from finance.forms._serials import NumbersForm, SerialsField, count_numbers
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


@dataclass(frozen=True, slots=True)
class CountBox:
    """One figure to type: of a line, in one bin, or (`is_elsewhere`) in none of them.

    `numbers` is the field of the serial numbers of its line, where it has any.
    """

    line: CountLineRow
    name: str
    path: tuple[int, str]
    bin_id: int | None = None
    bin: str = ""
    is_elsewhere: bool = False
    numbers: str = ""

    @property
    def follows(self) -> bool:
        """Test if the figure is how many numbers were scanned."""
        return bool(self.numbers) and self.bin_id is None and not self.is_elsewhere


LAST = 2**32


class CountForm(NumbersForm):
    """For each line how much lies there, bin by bin where there are bins, in walking order.

    An empty one is not counted yet; elsewhere it is nothing. Where serial numbers are scanned and
    there are no bins, the figure is how many they are.
    """

    def __init__(self, lines: Sequence[CountLineRow], data: Any = None) -> None:
        super().__init__(data)
        self.boxes = sorted(
            (box for line in lines for box in _boxes(line)),
            key=lambda box: (*box.path, box.line.position, box.is_elsewhere),
        )
        for box in self.boxes:
            counted = _counted_before(box)
            self.fields[box.name] = QuantityField(
                label=now_("Counted"),
                required=False,
                initial=None if counted is None else counted.normalize(),
            )
            if box.follows:
                self.fields[box.name].widget.attrs["readonly"] = True
            if box.numbers and box.numbers not in self.fields:
                self.fields[box.numbers] = SerialsField(
                    label=now_("Serial numbers"), initial="\n".join(box.line.serials)
                )

    def rows(self) -> Iterator[tuple[CountBox, forms.BoundField, forms.BoundField | None]]:
        """Return each figure with its field; the first of a line with its serial numbers too."""
        shown: set[str] = set()
        for box in self.boxes:
            is_first = bool(box.numbers) and box.numbers not in shown
            shown.add(box.numbers)
            yield box, self[box.name], self[box.numbers] if is_first else None

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for box in self.boxes:
            if box.follows and given.get(box.name) is None and given.get(box.numbers):
                given[box.name] = Decimal(len(given[box.numbers]))
        for line_id, whole, _parts, numbers in [] if self.errors else self.counted():
            field = f"serials_{line_id}"
            if field in self.fields:
                count_numbers(self, field, whole)
            if twice := [number for number, times in Counter(numbers).items() if times > 1]:
                said = now_("%(number)s is named twice.") % {"number": twice[0]}
                self.add_error(field, said)
        if "keep" not in self.data and not self.errors:
            for box in self.boxes:
                if given.get(box.name) is None and not box.is_elsewhere:
                    said = (
                        now_("Scan its pieces, or press None where nothing lies there.")
                        if box.follows
                        else now_("Count it, and write 0 where nothing lies there.")
                    )
                    self.add_error(box.name, said)
        return given

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers."""
        boxes = {box.numbers: box.line.product for box in self.boxes if box.numbers}
        return [(product, name) for name, product in boxes.items()]

    def counted(self) -> list[tuple[int, Decimal, list[tuple[int | None, Decimal]], list[str]]]:
        """Return (line id, quantity, by bin, numbers) of lines of which every bin was counted."""
        boxes: dict[int, list[CountBox]] = {}
        for box in self.boxes:
            boxes.setdefault(box.line.id, []).append(box)
        said = []
        for line_id, of_line in boxes.items():
            figures = [(box, self.cleaned_data.get(box.name)) for box in of_line]
            if any(figure is None and not box.is_elsewhere for box, figure in figures):
                continue
            parts = [(box.bin_id, figure or Decimal(0)) for box, figure in figures]
            whole = sum((part for _, part in parts), Decimal(0))
            numbers = self.cleaned_data.get(f"serials_{line_id}", [])
            said.append((line_id, whole, parts if len(of_line) > 1 else [], numbers))
        return said


def _boxes(line: CountLineRow) -> list[CountBox]:
    name = f"counted_{line.id}"
    places = [part for part in line.parts if part.bin_id is not None]
    numbers = f"serials_{line.id}" if line.is_serial else ""
    if not places:
        return [CountBox(line, name, (LAST, ""), numbers=numbers)]
    return [
        *(
            CountBox(
                line,
                f"{name}_{part.bin_id}",
                (part.sequence, part.bin),
                part.bin_id,
                part.bin,
                numbers=numbers,
            )
            for part in places
        ),
        CountBox(line, f"{name}_0", (LAST, ""), is_elsewhere=True, numbers=numbers),
    ]


def _counted_before(box: CountBox) -> Decimal | None:
    if box.bin_id is None and not box.is_elsewhere:
        return box.line.counted
    if box.line.counted is None:
        return None
    return next((part.counted for part in box.line.parts if part.bin_id == box.bin_id), None)

"""What people type about shipments, deliveries and money."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from finance.forms._serials import NumbersForm, SerialsField, count_numbers
from finance.selectors import IncomingLineRow, OpenInvoice, ShipmentLineRow
from finance.services import LotOnGoods
from inventory.selectors import PickPlace
from inventory.services.numbering import SerialPick

REASONS = [
    ("", _("Choose why")),
    ("not_found", _("Not found")),
    ("mismatch", _("Wrong count")),
    ("damaged", _("Damaged")),
    ("expired", _("Expired")),
    ("mislocated", _("In another place")),
]
CARTONS_MAX = 99
FLOOR = "floor"


class QuantityField(forms.DecimalField):
    """Base units, to a thousandth; what a phone's number pad can type."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_digits": 15, "decimal_places": 3, "min_value": Decimal(0)}
        super().__init__(**defaults | kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "step": "any"}


@dataclass(frozen=True, slots=True)
class PickRow:
    """One line to pick with its fields, and where it lies; `lying`: which pieces may be taken."""

    line: ShipmentLineRow
    found: forms.BoundField
    reason: forms.BoundField
    bin: forms.BoundField | None
    place: PickPlace | None
    numbers: Sequence[forms.BoundField]
    lying: Sequence[str] | None

    @property
    def codes(self) -> str:
        return "|".join(each[1] for each in self.place.bins) if self.place else ""

    @property
    def proposed(self) -> str:
        return "|".join(each[0] for each in self.place.parts) if self.place else ""


class PickForm(NumbersForm):
    """For each line of a shipment how much was found, in which bin, and why it was less.

    Lines stand in the order in which one walks past their bins; those in no bin come last.
    """

    def __init__(
        self,
        lines: Sequence[ShipmentLineRow],
        data: Any = None,
        places: Mapping[int, PickPlace] | None = None,
        lying: Mapping[int, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(data)
        self.lying = lying or {}
        self.places = places or {}
        last = (2**32, "")
        paths = {line_id: place.path for line_id, place in self.places.items()}
        self.lines = sorted(lines, key=lambda line: paths.get(line.id, last))
        for line in lines:
            self.fields[f"found_{line.id}"] = QuantityField(
                label=now_("Found"), max_value=line.quantity, initial=line.quantity.normalize()
            )
            self.fields[f"reason_{line.id}"] = forms.ChoiceField(
                label=now_("Why less"), choices=REASONS, required=False
            )
            if line.id in self.places:
                self.fields[f"bin_{line.id}"] = forms.ChoiceField(
                    label=now_("Out of"), choices=_bin_choices(self.places[line.id]), required=False
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

    def rows(self) -> Iterator[PickRow]:
        for line in self.lines:
            yield PickRow(
                line,
                self[f"found_{line.id}"],
                self[f"reason_{line.id}"],
                self[f"bin_{line.id}"] if line.id in self.places else None,
                self.places.get(line.id),
                [
                    self[name]
                    for name in (f"serials_{line.id}", f"missing_{line.id}")
                    if name in self.fields
                ],
                self.lying.get(line.id),
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line in self.lines:
            found = given.get(f"found_{line.id}")
            if found is not None and found < line.quantity and not given.get(f"reason_{line.id}"):
                self.add_error(f"reason_{line.id}", now_("Say why less was found."))
            if line.is_serial and found is not None:
                count_numbers(self, f"serials_{line.id}", found)
                if given.get(f"missing_{line.id}"):
                    count_numbers(self, f"missing_{line.id}", line.quantity - found)
        return given

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers, those that were found first."""
        own = [line for line in self.lines if line.is_serial]
        return [
            (line.product_code, f"{what}_{line.id}")
            for what in ("serials", "missing")
            for line in own
        ]

    def serials(self) -> list[SerialPick]:
        """Return the pieces that were picked, line by line."""
        given = self.cleaned_data
        return [
            SerialPick(
                line_id=line.id,
                numbers=given[f"serials_{line.id}"],
                missing=given[f"missing_{line.id}"],
            )
            for line in self.lines
            if line.is_serial
        ]

    def shorts(self) -> list[tuple[int, Decimal, str]]:
        """Return (line id, found, reason) of the lines of which less was found."""
        return [
            (line.id, self.cleaned_data[f"found_{line.id}"], self.cleaned_data[f"reason_{line.id}"])
            for line in self.lines
            if self.cleaned_data[f"found_{line.id}"] < line.quantity
        ]

    def bins(self) -> list[tuple[int, int | None, Decimal, bool]]:
        """Return (line id, bin id or None for the floor, found, nothing more is there).

        Lines that were taken out of the bins that were proposed are left out.
        """
        said = []
        for line in self.lines:
            chosen = self.cleaned_data.get(f"bin_{line.id}")
            if chosen:
                found = self.cleaned_data[f"found_{line.id}"]
                is_empty = self.cleaned_data[f"reason_{line.id}"] == "not_found"
                bin_id = None if chosen == FLOOR else int(chosen)
                said.append((line.id, bin_id, found, is_empty and found < line.quantity))
        return said


def _bin_choices(place: PickPlace) -> list[tuple[str, str]]:
    proposed = " · ".join(f"{code} {part.normalize():f}" for code, part in place.parts)
    return [
        ("", now_("as proposed: %(bins)s") % {"bins": proposed or now_("not put away")}),
        *((str(bin_id), f"{code} · {held.normalize():f}") for bin_id, code, held in place.bins),
        (FLOOR, now_("not put away")),
    ]


class PackForm(forms.Form):
    """The weights of the cartons."""

    weights = forms.CharField(
        label=_("Carton weights (kg)"),
        help_text=_("One for each carton, with blanks between: 4.2 3.8. Empty: one carton."),
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_weights(self) -> list[Decimal]:
        words = self.cleaned_data["weights"].replace(";", " ").split()
        if len(words) > CARTONS_MAX:
            raise forms.ValidationError(now_("That is more than 99 cartons."))
        weights = []
        for word in words:
            try:
                weight = Decimal(word.replace(",", "."))
            except InvalidOperation:
                weight = Decimal(0)
            if not weight.is_finite() or weight <= 0:
                said = now_("“%(word)s” is not a weight. Write for example 4.2 3.8.")
                raise forms.ValidationError(said % {"word": word[:20]})
            weights.append(weight)
        return weights


class ReceiveForm(NumbersForm):
    """For each line of a purchase order how much came."""

    def __init__(
        self, lines: Sequence[IncomingLineRow], data: Any = None, *, is_direct: bool = False
    ) -> None:
        super().__init__(data)
        self.lines = lines
        if is_direct:
            self.fields["tracking"] = forms.CharField(
                label=now_("Tracking number"), required=False, max_length=60
            )
        for line in lines:
            self.fields[f"came_{line.id}"] = QuantityField(
                label=now_("Came"), required=False, initial=line.due.normalize() or None
            )
            if line.tracking == "lot":
                self.fields[f"lot_{line.id}"] = forms.CharField(
                    label=now_("Lot"), required=False, max_length=40
                )
                self.fields[f"expires_{line.id}"] = forms.DateField(
                    label=now_("Good until"),
                    required=False,
                    widget=forms.DateInput(attrs={"type": "date"}),
                )
            if line.tracking == "serial":
                self.fields[f"serials_{line.id}"] = SerialsField(
                    f"came_{line.id}", label=now_("Serial numbers")
                )

    def rows(self) -> Iterator[tuple[IncomingLineRow, forms.BoundField, list[forms.BoundField]]]:
        """Return each line with its field, and those of its lot or serial numbers."""
        for line in self.lines:
            names = (f"lot_{line.id}", f"expires_{line.id}", f"serials_{line.id}")
            yield (
                line,
                self[f"came_{line.id}"],
                [self[name] for name in names if name in self.fields],
            )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        for line in self.lines:
            came = given.get(f"came_{line.id}")
            if came and line.tracking == "lot" and not given.get(f"lot_{line.id}"):
                self.add_error(f"lot_{line.id}", now_("It is kept by lot: say which came."))
            if came and line.tracking == "serial":
                count_numbers(self, f"serials_{line.id}", came)
            if came is not None and came > line.due:
                said = now_(
                    "Only %(due)s is still due. Take that in, and keep the rest apart until"
                    " purchasing has decided."
                )
                self.add_error(f"came_{line.id}", said % {"due": f"{line.due.normalize():f}"})
        if not self.errors and not any(given.get(f"came_{line.id}") for line in self.lines):
            raise forms.ValidationError(now_("Say what came: every line is empty or zero."))
        return given

    def came(self) -> list[tuple[int, Decimal]]:
        """Return (line id, quantity) of what came."""
        return [
            (line.id, self.cleaned_data[f"came_{line.id}"])
            for line in self.lines
            if self.cleaned_data[f"came_{line.id}"]
        ]

    def number_fields(self) -> list[tuple[str, str]]:
        """Return (product, field) of the serial numbers."""
        own = [line for line in self.lines if line.tracking == "serial"]
        return [(line.product_code, f"serials_{line.id}") for line in own]

    def serials(self) -> dict[int, list[str]]:
        """Return, by line id, the numbers of the pieces that came."""
        given = self.cleaned_data
        return {
            line.id: given[f"serials_{line.id}"]
            for line in self.lines
            if line.tracking == "serial" and given[f"came_{line.id}"]
        }

    def lots(self) -> dict[int, LotOnGoods]:
        """Return, by line id, the lots of what came."""
        given = self.cleaned_data
        return {
            line.id: LotOnGoods(code=given[name], expires_on=given[f"expires_{line.id}"])
            for line in self.lines
            if given.get(name := f"lot_{line.id}") and given[f"came_{line.id}"]
        }


class AmountField(forms.DecimalField):
    """Money in whole cents, above zero."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "max_digits": 14, "decimal_places": 2, "min_value": Decimal("0.01"),
        }  # fmt: skip
        super().__init__(**defaults | kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "step": "any"}


class PaymentForm(forms.Form):
    """Cash that came in from a customer."""

    entity = forms.ChoiceField(label=_("Entity"))
    customer = forms.CharField(
        label=_("Customer"),
        help_text=_("Its code."),
        max_length=40,
        widget=forms.TextInput(attrs={"list": "customers", "autocomplete": "off"}),
    )
    amount = AmountField(label=_("Amount"))
    reference = forms.CharField(
        label=_("Reference"),
        help_text=_("The bank's or the check's. The same one again is the same payment."),
        max_length=100,
    )
    received_date = forms.DateField(
        label=_("Received"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, entities: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity"].choices = entities  # type: ignore[attr-defined]


class AllocationForm(forms.Form):
    """How much goes on each open invoice; all empty means the oldest due first."""

    def __init__(self, invoices: Sequence[OpenInvoice], data: Any = None) -> None:
        super().__init__(data)
        self.invoices = invoices
        for each in invoices:
            pay = AmountField(label=now_("Pay"), required=False, max_value=each.open)
            pay.widget.attrs["size"] = "8"
            pay.widget.attrs["aria-label"] = now_("Pay %(number)s") % {"number": each.number}
            self.fields[f"on_{each.number}"] = pay

    def rows(self) -> Iterator[tuple[OpenInvoice, forms.BoundField]]:
        for each in self.invoices:
            yield each, self[f"on_{each.number}"]

    def allocations(self) -> list[tuple[str, Decimal]] | None:
        """Return (invoice number, amount) of those that were named, or None."""
        named = [
            (each.number, self.cleaned_data[f"on_{each.number}"])
            for each in self.invoices
            if self.cleaned_data[f"on_{each.number}"]
        ]
        return named or None

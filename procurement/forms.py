"""What people type about purchasing."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from procurement.selectors import Choice, ids_of
from procurement.services import PurchaseLine

ROWS = 8
ROWS_MAX = 200


class OrderForm(forms.Form):
    """A purchase order: from whom, for where, and its lines as rows of three fields."""

    entity = forms.ChoiceField(label=_("Entity"))
    supplier = forms.CharField(
        label=_("Supplier"),
        max_length=40,
        widget=forms.TextInput(attrs={"list": "suppliers", "autocomplete": "off"}),
    )
    node = forms.ChoiceField(label=_("For node"))

    def __init__(
        self,
        *args: Any,
        entities: Sequence[Choice],
        nodes: Sequence[Choice],
        rows: Sequence[Mapping[str, Any]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.choice("entity").choices = [(str(each.id), each.label) for each in entities]
        self.choice("node").choices = [(str(each.id), each.label) for each in nodes]
        self.rows = self._typed() if self.is_bound else [dict(row) for row in rows]
        self.rows += [{} for _ in range(max(ROWS - len(self.rows), 1))]

    def choice(self, name: str) -> forms.ChoiceField:
        """Return a field of fixed choices."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def clean_supplier(self) -> int:
        """Return the supplier's id."""
        code = self.cleaned_data["supplier"].strip()
        found = ids_of("supplier", [code])
        if code not in found:
            raise forms.ValidationError(_("There is no such supplier."))
        return found[code]

    def clean(self) -> dict[str, Any]:
        """Read the rows that somebody typed into."""
        cleaned = super().clean() or {}
        typed = [row for row in self.rows if any(row.values())]
        if not typed:
            self.add_error(None, _("Order at least one product."))
        known = ids_of("product", [row["product"] for row in typed])
        lines = []
        for row in typed:
            if row["product"] not in known:
                row["error"] = _("There is no such product.")
            elif (quantity := _number(row["quantity"])) is None:
                row["error"] = _("Write a quantity such as 12 or 12.5.")
            elif row["price"] and _number(row["price"]) is None:
                row["error"] = _("Write a price such as 4.25.")
            else:
                price = _number(row["price"]) if row["price"] else None
                lines.append(PurchaseLine(known[row["product"]], quantity, price))
        for row in typed:
            if row.get("error"):
                self.add_error(None, f"{row['product'] or '?'}: {row['error']}")
        cleaned["lines"] = lines
        return cleaned

    def _typed(self) -> list[dict[str, Any]]:
        names = ("product", "quantity", "price")
        columns = [self.data.getlist(name)[:ROWS_MAX] for name in names]  # type: ignore[attr-defined]
        return [
            {name: text.strip() for name, text in zip(names, row, strict=True)}
            for row in zip(*columns, strict=False)
        ]


class DecisionForm(forms.Form):
    """Why something is refused, closed or called off."""

    reason = forms.CharField(max_length=200, label=_("Reason"))


class DatesForm(forms.Form):
    """When the supplier says that each line will come; one field a line."""

    def __init__(self, *args: Any, lines: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for line in lines:
            self.fields[f"line-{line.id}"] = forms.DateField(
                label=f"{line.position} · {line.product_code}",
                initial=line.expected_date,
                widget=forms.DateInput(attrs={"type": "date"}),
            )

    def dates(self) -> dict[int, Any]:
        """Return the changed dates by line id."""
        return {
            int(name.removeprefix("line-")): self.cleaned_data[name] for name in self.changed_data
        }


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

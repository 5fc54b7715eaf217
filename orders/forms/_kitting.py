"""A kit as it is typed: what it is sold as, what it is made of, on which days."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from orders.forms._grid import GridRow, typed_rows
from orders.selectors import KitPage, product_ids
from orders.services.kitting import KitPart

COLUMNS = ("part", "quantity")
ROWS_MAX, BLANK_ROWS = 50, 3


class KitHeadForm(forms.Form):
    """Which product is the kit, and from when until when it is sold as one."""

    product = forms.CharField(label=_("Sold as"), max_length=40)
    valid_from = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    valid_until = forms.DateField(
        label=_("Through"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: with no end."),
    )
    is_active = forms.BooleanField(label=_("Sold as a kit"), required=False)

    def clean_product(self) -> int:
        """Turn the code into the product's id."""
        code = str(self.cleaned_data["product"])
        found = product_ids(codes=[code]).get(code.upper())
        if found is None:
            raise forms.ValidationError(now_("There is no such product."))
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        values = super().clean() or {}
        since, until = values.get("valid_from"), values.get("valid_until")
        if since and until and until < since:
            self.add_error("valid_until", now_("It ends before it begins."))
        return values


class KitEntry:
    """One kit being written: the head and its parts."""

    def __init__(self, data: QueryDict | None = None, *, kit: KitPage | None = None) -> None:
        initial = {"is_active": True} if kit is None else kit.head()
        self.head = KitHeadForm(data, initial=initial)
        if data is not None:
            self.rows = typed_rows(data, COLUMNS, ROWS_MAX + 1)
        else:
            parts = kit.parts if kit else []
            self.rows = [
                GridRow({"part": each.product, "quantity": f"{each.quantity.normalize():f}"})
                for each in parts
            ]

    @property
    def blanks(self) -> range:
        """The empty rows that follow, at least one."""
        return range(max(1, BLANK_ROWS - len(self.rows)))

    def parts(self) -> Sequence[KitPart]:
        """Return the parts that were typed; what is wrong is noted beside its cell."""
        known = product_ids(codes={row.cells["part"] for row in self.rows})
        found = []
        for row in self.rows:
            product_id = known.get(row.cells["part"].upper())
            if product_id is None:
                row.errors["part"] = now_("There is no such product.")
            quantity = row.number("quantity")
            if quantity is None and "quantity" not in row.errors:
                row.errors["quantity"] = now_("How many?")
            found.append(KitPart(product_id or 0, quantity or Decimal(0)))
        return found

    @property
    def is_sound(self) -> bool:
        return self.head.is_valid() and not any(row.errors for row in self.rows)

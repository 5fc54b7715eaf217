"""What people type to keep stock for a customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.kernel.quantity import QUANTITY_MAX
from orders.models import Quote
from orders.selectors import ids_by_code, product_ids
from orders.services.reserving import SetAsideDraft


class SetAsideForm(forms.Form):
    """So many base units for a customer through a day, at one node or any."""

    entity = forms.ChoiceField(label=gettext_lazy("Owner"))
    product = forms.CharField(label=gettext_lazy("Product"), max_length=40)
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"),
        min_value=0,
        max_value=QUANTITY_MAX,
        decimal_places=3,
        max_digits=15,
    )
    node = forms.CharField(label=gettext_lazy("Node"), max_length=20, required=False)
    customer = forms.CharField(label=gettext_lazy("Customer"), max_length=40)
    quote = forms.CharField(label=gettext_lazy("For quote"), max_length=30, required=False)
    until = forms.DateField(
        label=gettext_lazy("Through"), widget=forms.DateInput(attrs={"type": "date"})
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=300, required=False)

    def __init__(self, *args: Any, owners: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity"] = forms.ChoiceField(
            label=_("Owner"), choices=[(str(pk), code) for pk, code in owners]
        )

    def clean(self) -> dict[str, Any]:
        """Find what is named by code."""
        data = super().clean() or {}
        if "quantity" in data and not data["quantity"]:
            self.add_error("quantity", _("Ask for more than nothing."))
        for kind, needed in (("product", True), ("customer", True), ("node", False)):
            code = data.get(kind, "")
            if kind == "product":
                found = product_ids(codes=[code]).get(code.upper())
            else:
                found = ids_by_code(kind, [code]).get(code) if code else None
            if kind in data and found is None and (needed or code):
                self.add_error(kind, _("There is nothing of that code."))
            data[f"{kind}_id"] = found
        number = data.get("quote", "")
        quote = Quote.objects.filter(number=number).first() if number else None
        if number and quote is None:
            self.add_error("quote", _("There is nothing of that code."))
        data["quote_id"] = quote.pk if quote else None
        return data

    def draft(self, *, until: datetime) -> SetAsideDraft:
        """Return what was typed."""
        typed = self.cleaned_data
        return SetAsideDraft(
            entity_id=int(typed["entity"]),
            customer_id=typed["customer_id"],
            product_id=typed["product_id"],
            quantity=typed["quantity"],
            until=until,
            node_id=typed["node_id"],
            quote_id=typed["quote_id"],
            note=typed["note"],
        )

"""What people type about stock."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.kernel.quantity import QUANTITY_MAX
from inventory.models import Node, Product


class FinderForm(forms.Form):
    """So much of a product, for one owner, at one node or any, by a day or as soon as possible."""

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
    date = forms.DateField(
        label=gettext_lazy("Wanted by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, owners: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity"] = forms.ChoiceField(
            label=_("Owner"), choices=[(str(pk), code) for pk, code in owners]
        )

    def clean(self) -> dict[str, Any]:
        """Find the product and the node by their codes."""
        data = super().clean() or {}
        product = Product.objects.filter(code=data.get("product", "")).first()
        if "product" in data and product is None:
            self.add_error("product", _("There is no such product."))
        if "quantity" in data and not data["quantity"]:
            self.add_error("quantity", _("Ask for more than nothing."))
        node = Node.objects.filter(code=data.get("node") or "").first()
        if data.get("node") and node is None:
            self.add_error("node", _("There is no such node."))
        data["product_id"] = product.pk if product else None
        data["uom"] = product.base_uom if product else ""
        data["node_id"] = node.pk if node else None
        return data

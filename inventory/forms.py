"""What people type about stock."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.kernel.quantity import QUANTITY_MAX
from inventory.models import Bin, Node, Product, Substitute
from inventory.services.binning import BinDraft
from inventory.services.promising import CalendarDraft, DayDraft
from inventory.services.substituting import SubstituteDraft

DAYS_TEXT_MAX, FOLLOWERS_MAX = 200_000, 1_000
WEEK = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"), gettext_lazy("Friday"), gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)  # fmt: skip
KINDS = {
    "nodes": gettext_lazy("Nodes"),
    "carriers": gettext_lazy("Carriers"),
    "customers": gettext_lazy("Customers"),
    "suppliers": gettext_lazy("Suppliers"),
}


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


class CalendarForm(forms.Form):
    """A calendar as people write it: exceptional days one to a line, `+` before a day worked."""

    code = forms.CharField(label=gettext_lazy("Code"), max_length=20)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200)
    country = forms.CharField(
        label=gettext_lazy("Country"),
        max_length=2,
        required=False,
        help_text=gettext_lazy("Its public holidays are free. Two letters."),
    )
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Works on"),
        choices=[(str(place), name) for place, name in enumerate(WEEK)],
        widget=forms.CheckboxSelectMultiple,
    )
    cutoff = forms.TimeField(
        label=gettext_lazy("Cut-off"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text=gettext_lazy("Local time; empty leaves the node's own."),
    )
    days = forms.CharField(
        label=gettext_lazy("Other days"),
        required=False,
        max_length=DAYS_TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": "2026-12-24 Christmas Eve"}),
        help_text=gettext_lazy("One a line: the day, then its name. A plus before it: worked."),
    )

    @staticmethod
    def shown(known: Mapping[str, Any]) -> dict[str, Any]:
        """Return a calendar as it would be typed."""
        week = [str(place) for place, worked in enumerate(known["weekdays"]) if worked == "1"]
        lines = [
            f"{'+' if day['is_working'] else ''}{day['date']} {day['name']}".strip()
            for day in known["days"]
        ]
        return {**known, "weekdays": week, "days": "\n".join(lines)}

    def clean_days(self) -> list[DayDraft]:
        """Read the exceptional days."""
        found = []
        for number, line in enumerate(self.cleaned_data["days"].splitlines(), start=1):
            text = line.strip()
            if not text:
                continue
            day, _blank, name = text.removeprefix("+").strip().partition(" ")
            try:
                on = date.fromisoformat(day)
            except ValueError:
                said = _("Line %(n)d does not begin with a day such as 2026-12-24.")
                raise forms.ValidationError(said % {"n": number}) from None
            draft = DayDraft(day=on, is_working=text.startswith("+"), name=name.strip()[:100])
            found.append(draft)
        return found

    def draft(self) -> CalendarDraft:
        """Return what was typed."""
        typed = self.cleaned_data
        return CalendarDraft(
            code=typed["code"],
            name=typed["name"],
            country=typed["country"].upper(),
            weekdays="".join("1" if str(n) in typed["weekdays"] else "0" for n in range(len(WEEK))),
            cutoff=typed["cutoff"],
            days=typed["days"],
        )


class FollowersForm(forms.Form):
    """Who is to follow a calendar, or no more: one kind, by codes."""

    kind = forms.ChoiceField(label=gettext_lazy("Who"))
    codes = forms.CharField(
        label=gettext_lazy("Codes"),
        max_length=DAYS_TEXT_MAX,
        help_text=gettext_lazy("With blanks or commas between them."),
    )

    def __init__(self, *args: Any, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = forms.ChoiceField(
            label=_("Who"), choices=[(kind, KINDS.get(kind, kind)) for kind in kinds]
        )

    def clean_codes(self) -> list[str]:
        """Return the codes, each once."""
        text = self.cleaned_data["codes"].replace(",", " ").replace("\0", " ")
        codes = list(dict.fromkeys(text.split()))
        if len(codes) > FOLLOWERS_MAX:
            raise forms.ValidationError(_("At most a thousand at once."))
        return codes


class BinForm(forms.Form):
    """A bin as it should be. A new one says where and how it is called."""

    node = forms.ChoiceField(label=gettext_lazy("Node"))
    code = forms.CharField(label=gettext_lazy("Code"), max_length=20)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=Bin.Kind.choices)
    sequence = forms.IntegerField(
        label=gettext_lazy("Place on the way"), min_value=0, max_value=2**31 - 1, initial=0
    )
    capacity = forms.DecimalField(
        label=gettext_lazy("Holds (base units)"), required=False, decimal_places=3, max_digits=15
    )
    product = forms.CharField(label=gettext_lazy("Home of product"), max_length=40, required=False)
    minimum = forms.DecimalField(
        label=gettext_lazy("Filled up below"), required=False, decimal_places=3, max_digits=15
    )
    is_active = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)

    def __init__(self, *args: Any, nodes: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(pk), label) for pk, label in nodes]
        self.fields["node"] = forms.ChoiceField(label=_("Node"), choices=choices)

    def clean(self) -> dict[str, Any]:
        """Find the product by its code."""
        data = super().clean() or {}
        code = data.get("product") or ""
        found = Product.objects.filter(code=code).first() if code else None
        if code and found is None:
            self.add_error("product", _("There is no such product."))
        data["product_id"] = found.pk if found else None
        return data

    def draft(self) -> BinDraft:
        """Return the bin that was typed."""
        data = self.cleaned_data
        return BinDraft(
            node_id=int(data["node"]),
            code=data["code"].strip(),
            kind=data["kind"],
            sequence=data["sequence"],
            capacity=data["capacity"],
            product_id=data["product_id"],
            minimum=data["minimum"] or Decimal(0),
            is_active=data["is_active"],
        )


class SubstituteForm(forms.Form):
    """A pair as people write it: what may go out for what, in which ratio and on what terms."""

    product = forms.CharField(label=gettext_lazy("Ordered"), max_length=40)
    other = forms.CharField(label=gettext_lazy("May go out instead"), max_length=40)
    units = forms.IntegerField(label=gettext_lazy("For so many of it"), min_value=1)
    per = forms.IntegerField(label=gettext_lazy("So many of the other"), min_value=1)
    rank = forms.IntegerField(label=gettext_lazy("Rank"), min_value=0, initial=1)
    consent = forms.ChoiceField(label=gettext_lazy("Consent"), choices=Substitute.Consent.choices)
    price_rule = forms.ChoiceField(
        label=gettext_lazy("Price"), choices=Substitute.PriceRule.choices
    )
    valid_from = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Through"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200, required=False)

    @property
    def pair(self) -> str:
        """How the pair is called."""
        return f"{self.draft().product.upper()} → {self.draft().other.upper()}"

    def draft(self) -> SubstituteDraft:
        """Return what was typed."""
        return SubstituteDraft(**self.cleaned_data)

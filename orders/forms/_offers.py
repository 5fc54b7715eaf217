"""What people type about price lists, customer groups and promotions."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from erp.accounts.models import Entity
from orders.models import Promotion
from orders.selectors import GroupLine, ListLine, PromotionLine, ids_by_code, product_ids
from orders.services import GroupRow, PriceListRow, PromotionRow

MEMBERS_MAX = 1_000
HUNDRED = Decimal(100)
NEEDS = {
    "percent": ("percent",),
    "amount": ("amount",),
    "free": ("buy_quantity", "free_quantity"),
}


def _day(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs={"type": "date"}), **more)


def _quantity(label: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, required=False, min_value=Decimal(0), max_digits=15, decimal_places=3
    )


def _codes(label: Any, help_text: Any) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})
    return forms.CharField(
        label=label, required=False, widget=area, help_text=help_text, max_length=60_000
    )


class Coded(forms.Form):
    """A form in which records are named by their codes; `ids` holds what they mean."""

    reason = forms.CharField(label=_("Why"), max_length=200, required=False)

    def __init__(self, *args: Any, entity_ids: Collection[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ids: dict[str, int | None] = {}
        chooser: Any = self.fields.get("entity")
        if chooser is not None:
            chooser.queryset = Entity.objects.filter(pk__in=entity_ids).order_by("code")

    def one(self, field: str, kind: str) -> int | None:
        """Return the id of the code in a field; what is not there is said beside it."""
        code = self.cleaned_data.get(field, "")
        if not code:
            return None
        is_product = kind == "product"
        found = product_ids(codes=[code]) if is_product else ids_by_code(kind, [code])
        known = found.get(code.upper() if is_product else code)
        if known is None:
            self.add_error(field, now_("There is nothing of that code."))
        return known

    def many(self, field: str, kind: str) -> list[int]:
        """Return the ids of the codes in a field, in their order, each once."""
        codes = list(dict.fromkeys(self.cleaned_data.get(field, "").replace(",", " ").split()))
        if len(codes) > MEMBERS_MAX:
            self.add_error(field, now_("At most a thousand at once."))
            return []
        known = ids_by_code(kind, codes)
        missing = [code for code in codes if code not in known]
        if missing:
            said = now_("There is nothing of the code %(code)s.") % {"code": missing[0][:40]}
            self.add_error(field, said)
        return [known[code] for code in codes if code in known]


class PriceListForm(Coded):
    """A named list of one company, and who buys by it."""

    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Company"), to_field_name="code", empty_label=None
    )
    code = forms.CharField(label=_("Code"), max_length=40)
    name = forms.CharField(label=_("Name"), max_length=200)
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)
    customers = _codes(
        _("Customers who buy by it"), _("Their codes, in turn of preference; one a line.")
    )
    groups = _codes(_("Groups that buy by it"), _("Asked after a customer's own lists."))
    field_order = ("entity", "code", "name", "currency", "is_active", "customers", "groups")

    def clean(self) -> dict[str, Any]:
        """Turn codes into ids."""
        values = super().clean() or {}
        self.held: tuple[Sequence[int], Sequence[int]] = (
            self.many("customers", "customer"),
            self.many("groups", "group"),
        )
        return values

    def row(self) -> PriceListRow:
        """Return the list that was typed."""
        values = self.cleaned_data
        return PriceListRow(
            entity_id=values["entity"].pk,
            code=values["code"],
            name=values["name"],
            currency=values["currency"].upper() or values["entity"].currency,
            is_active=values["is_active"],
            customers=self.held[0],
            groups=self.held[1],
        )

    @staticmethod
    def shown(line: ListLine) -> dict[str, Any]:
        return {
            "entity": line.entity,
            "code": line.code,
            "name": line.name,
            "currency": line.currency,
            "is_active": line.is_active,
            "customers": "\n".join(line.customers),
            "groups": "\n".join(line.groups),
        }


class GroupForm(Coded):
    """A customer group: what it stands below, and who is in it."""

    code = forms.CharField(label=_("Code"), max_length=40)
    name = forms.CharField(label=_("Name"), max_length=200)
    parent = forms.CharField(
        label=_("Below"),
        max_length=40,
        required=False,
        help_text=_("The code of another group: its terms hold here too."),
    )
    members = _codes(_("Members"), _("Their codes, one a line; a customer is in one group."))
    field_order = ("code", "name", "parent", "members")

    def clean(self) -> dict[str, Any]:
        """Turn codes into ids."""
        values = super().clean() or {}
        self.parent_id = self.one("parent", "group")
        self.member_ids = self.many("members", "customer")
        return values

    def row(self, elsewhere: Sequence[int]) -> GroupRow:
        """Return the group that was typed; members whom the person does not see stay."""
        return GroupRow(
            code=self.cleaned_data["code"],
            name=self.cleaned_data["name"],
            parent_id=self.parent_id,
            members=sorted({*self.member_ids, *elsewhere}),
        )

    @staticmethod
    def shown(line: GroupLine) -> dict[str, Any]:
        return {
            "code": line.code,
            "name": line.name,
            "parent": line.parent,
            "members": "\n".join(line.members),
        }


class PromotionForm(Coded):
    """Something off for a while: for what, for whom, and how much."""

    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Company"), to_field_name="code", empty_label=None
    )
    code = forms.CharField(label=_("Code"), max_length=40)
    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Gives"), choices=Promotion.Kind.choices)
    percent = forms.DecimalField(
        label=_("Per cent off"),
        required=False,
        min_value=Decimal(0),
        max_value=HUNDRED,
        max_digits=7,
        decimal_places=4,
    )
    amount = forms.DecimalField(
        label=_("Off a base unit"),
        required=False,
        min_value=Decimal(0),
        max_digits=19,
        decimal_places=4,
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
    buy_quantity = _quantity(_("For each bought"))
    free_quantity = _quantity(_("So many free"))
    free_product = forms.CharField(
        label=_("Free product"), max_length=40, required=False, help_text=_("Empty: the same.")
    )
    product = forms.CharField(label=_("Product"), max_length=40, required=False)
    category = forms.CharField(label=_("Category"), max_length=100, required=False)
    customer = forms.CharField(label=_("Customer"), max_length=40, required=False)
    group = forms.CharField(label=_("Customer group"), max_length=40, required=False)
    min_quantity = _quantity(_("From quantity"))
    stack = forms.CharField(
        label=_("Adds up with"),
        max_length=20,
        required=False,
        help_text=_("Promotions of the same word add up; empty: it stands alone."),
    )
    valid_from = _day(_("From"))
    valid_until = _day(
        _("Until"), required=False, help_text=_("The first day without it; empty: no end.")
    )

    def clean(self) -> dict[str, Any]:
        """Refuse what gives nothing or ends before it begins; turn codes into ids."""
        values = super().clean() or {}
        since, until = values.get("valid_from"), values.get("valid_until")
        if since and until and until <= since:
            self.add_error("valid_until", now_("It ends before it begins."))
        for name in NEEDS.get(values.get("kind", ""), ()):
            if name not in self.errors and not values.get(name):
                self.add_error(name, now_("Say how much."))
        for name in ("product", "customer", "group", "free_product"):
            kind = "product" if name == "free_product" else name
            self.ids[f"{name}_id"] = self.one(name, kind)
        return values

    def row(self) -> PromotionRow:
        """Return the promotion that was typed; what its kind does not give is nothing."""
        values = self.cleaned_data
        given = set(NEEDS[values["kind"]])

        def number(name: str) -> Decimal:
            return Decimal(values[name]) if name in given and values[name] else Decimal(0)

        ids: dict[str, Any] = self.ids
        if values["kind"] != Promotion.Kind.FREE:
            ids = ids | {"free_product_id": None}
        is_amount = values["kind"] == Promotion.Kind.AMOUNT
        return PromotionRow(
            entity_id=values["entity"].pk,
            code=values["code"],
            name=values["name"],
            kind=values["kind"],
            valid_from=values["valid_from"],
            valid_until=values["valid_until"],
            category=values["category"],
            min_quantity=values["min_quantity"] or Decimal(0),
            percent=number("percent") / HUNDRED,
            amount=number("amount"),
            currency=(values["currency"].upper() or values["entity"].currency) if is_amount else "",
            buy_quantity=number("buy_quantity"),
            free_quantity=number("free_quantity"),
            stack=values["stack"],
            **ids,
        )

    @staticmethod
    def shown(line: PromotionLine) -> dict[str, Any]:
        plain: dict[str, Any] = {
            name: getattr(line, name)
            for name in ("entity", "code", "name", "kind", "currency", "free_product", "product",
                         "category", "customer", "group", "stack", "valid_from", "valid_until")
        }  # fmt: skip
        for name in ("amount", "buy_quantity", "free_quantity", "min_quantity"):
            value: Decimal = getattr(line, name)
            plain[name] = f"{value.normalize():f}" if value else ""
        percent = line.percent * HUNDRED
        return plain | {"percent": f"{percent.normalize():f}" if percent else ""}


def ended(line: PromotionLine, *, on: date) -> PromotionRow:
    """Return a promotion as it is when it ends today; one that has not begun is taken off."""
    has_begun = line.valid_from < on
    return PromotionRow(
        entity_id=line.entity_id,
        product_id=line.product_id,
        customer_id=line.customer_id,
        group_id=line.group_id,
        free_product_id=line.free_product_id,
        code=line.code,
        name=line.name,
        kind=line.kind,
        valid_from=line.valid_from,
        valid_until=on if has_begun else line.valid_until,
        category=line.category,
        min_quantity=line.min_quantity,
        percent=line.percent,
        amount=line.amount,
        currency=line.currency,
        buy_quantity=line.buy_quantity,
        free_quantity=line.free_quantity,
        stack=line.stack,
        is_active=has_begun,
    )

"""What people type about orders and customers."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from erp.accounts.models import Entity
from orders.forms._serving import codes
from orders.models import Customer
from orders.rules import COLUMNS, TypedLine, read_lines
from orders.selectors import ids_by_code, product_ids, ship_to_of
from orders.services import LineDraft, OrderDraft, PriceRow

BLANK_ROWS = 6
GRID_MAX = 400  # what a browser still sends as fields
NOBODY = 0  # no row has it: the service names the field


class HeadForm(forms.Form):
    """Who orders, for when and where to."""

    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Company"), to_field_name="code", empty_label=None
    )
    customer = forms.CharField(label=_("Customer code"), max_length=40)
    customer_po = forms.CharField(label=_("Their order number"), max_length=60, required=False)
    requested_date = forms.DateField(
        label=_("Wanted by"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    ship_to = forms.CharField(
        label=_("Ship to"),
        max_length=40,
        required=False,
        help_text=_("One of their address codes; empty for their own address."),
    )
    freight = forms.DecimalField(
        label=_("Freight"), required=False, min_value=Decimal(0), max_digits=17, decimal_places=2
    )
    ship_complete = forms.BooleanField(label=_("Ship complete"), required=False)
    no_split = forms.BooleanField(label=_("From one place only"), required=False)
    no_substitutes = forms.BooleanField(label=_("No substitutes"), required=False)
    max_nodes = forms.IntegerField(
        label=_("From at most so many places"), min_value=1, max_value=1_000, required=False
    )
    min_shelf_days = forms.IntegerField(
        label=_("Keeps so many days"), min_value=0, max_value=3_650, required=False
    )
    nodes = forms.CharField(
        label=_("Only from"),
        max_length=2_000,
        required=False,
        help_text=_("Codes of nodes, separated by commas."),
    )
    client_key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args: Any, entity_ids: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser: Any = self.fields["entity"]
        chooser.queryset = Entity.objects.filter(pk__in=entity_ids).order_by("code")
        self.fields["client_key"].initial = uuid.uuid4().hex
        self.fields["customer"].widget.attrs |= {
            "autocomplete": "off",
            "role": "combobox",
            "aria-expanded": "false",
            "aria-autocomplete": "list",
        }
        self.fields["ship_to"].widget.attrs["list"] = "ship-tos"


@dataclass
class Row:
    """One row of the grid: what was typed, and what is wrong with each cell."""

    line: TypedLine
    errors: dict[str, str] = field(default_factory=dict)


class Entry:
    """One order being written: the head, the rows, and what was pasted or uploaded."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        entity_ids: Collection[int],
        upload: str = "",
        initial: Mapping[str, Any] | None = None,
        lines: Sequence[TypedLine] = (),
    ) -> None:
        self.head = HeadForm(data, entity_ids=entity_ids, initial=initial)
        self.pasted = "" if data is None else data.get("pasted", "")
        typed = list(lines) if data is None else _typed(data)
        more = read_lines(self.pasted) + read_lines(upload)
        if typed or more:
            fits = len(typed) + len(more) <= GRID_MAX
            self.rows = [Row(line) for line in typed + (more if fits else [])]
            self.rest = [] if fits else [Row(line) for line in more]
            self.pasted = "" if fits else "\n".join(_as_text(line) for line in more)
        else:
            self.rows, self.rest = [], []

    @property
    def blanks(self) -> range:
        """The empty rows that follow, at least one."""
        return range(max(1, BLANK_ROWS - len(self.rows)))

    @property
    def filled(self) -> list[Row]:
        return [row for row in (*self.rows, *self.rest) if not row.line.is_blank]

    @property
    def problems(self) -> list[str]:
        """What is wrong with rows that the grid does not show."""
        first = len(self.rows)
        return [
            f"{now_('Line')} {first + index}: {text}"
            for index, row in enumerate(self.rest, 1)
            for text in row.errors.values()
        ]

    def draft(self) -> OrderDraft | None:
        """Return the draft that was typed; none when something cannot be understood."""
        is_sound = self.head.is_valid()
        code = self.head.cleaned_data.get("customer", "")
        customer_id = ids_by_code("customer", [code]).get(code, NOBODY)
        lines = self.lines(customer_id)
        if not is_sound or any(row.errors for row in self.filled):
            return None
        values = self.head.cleaned_data
        address = self._address(customer_id)
        if self.head.errors:
            return None
        return OrderDraft(
            entity_id=values["entity"].pk,
            customer_id=customer_id,
            lines=lines,
            channel="page",
            customer_po=values["customer_po"],
            requested_date=values["requested_date"],
            ship_to=address,
            client_key=values["client_key"] or None,
            freight=values["freight"] or Decimal(0),
            ship_complete=values["ship_complete"] or None,
            no_split=values["no_split"] or None,
            no_substitutes=values["no_substitutes"] or None,
            serving={
                "max_nodes": values["max_nodes"],
                "min_shelf_days": values["min_shelf_days"],
                "nodes": codes(values["nodes"]),
            },
        )

    def refuse(self, errors: Sequence[Mapping[str, str]]) -> None:
        """Put what the service refused beside the field that it names."""
        rows = self.filled
        for error in errors:
            place, _dot, name = error["field"].partition("].")
            if place.startswith("lines["):
                index = int(place.removeprefix("lines["))
                rows[index].errors[name or "product"] = error["message"]
            elif error["field"] in self.head.fields:
                self.head.add_error(error["field"], error["message"])
            else:
                self.head.add_error(None, error["message"])

    def lines(self, customer_id: int) -> list[LineDraft]:
        """Return the rows as lines; products by our code, else by the customer's own number."""
        rows = self.filled
        known = product_ids(codes={row.line.product for row in rows}, customer_id=customer_id)
        return [
            LineDraft(
                product_id=known.get(row.line.product.upper(), NOBODY),
                quantity=_number(row, "quantity") or Decimal(0),
                uom=row.line.uom.upper(),
                unit_price=_number(row, "price"),
                discount=(_number(row, "discount") or Decimal(0)) / 100,
            )
            for row in rows
        ]

    def _address(self, customer_id: int) -> dict[str, str]:
        code = self.head.cleaned_data["ship_to"]
        found = ship_to_of(customer_id=customer_id, code=code) if code else {}
        if found is None:
            self.head.add_error("ship_to", now_("The customer has no such address."))
        return found or {}


class MassForm(forms.Form):
    """A change of many prices by a percentage."""

    percent = forms.DecimalField(
        label=_("By %"), min_value=Decimal(-99), max_value=Decimal(900), max_digits=7,
        decimal_places=3,
    )  # fmt: skip
    starts = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)


class PriceForm(forms.Form):
    """A price from a day on: of a contract, of a list, or of the company's own list."""

    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Company"), to_field_name="code", empty_label=None
    )
    product = forms.CharField(label=_("Product"), max_length=40)
    customer = forms.CharField(label=_("Customer"), max_length=40, required=False)
    group = forms.CharField(label=_("Customer group"), max_length=40, required=False)
    price_list = forms.CharField(
        label=_("Price list"),
        max_length=40,
        required=False,
        help_text=_("All three empty: the company's own list."),
    )
    min_quantity = forms.DecimalField(
        label=_("From quantity"), min_value=Decimal(0), max_digits=15, decimal_places=3, initial=0
    )
    uom = forms.CharField(
        label=_("Sold in"), max_length=10, required=False, help_text=_("Empty: in any unit.")
    )
    unit_price = forms.DecimalField(
        label=_("Price of a base unit"), min_value=Decimal(0), max_digits=19, decimal_places=4
    )
    currency = forms.CharField(label=_("Currency"), max_length=3, required=False)
    valid_from = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    valid_to = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("The first day without it; empty: until the next price."),
    )
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=40, required=False)

    def __init__(self, *args: Any, entity_ids: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser: Any = self.fields["entity"]
        chooser.queryset = Entity.objects.filter(pk__in=entity_ids).order_by("code")
        self.ids: dict[str, int | None] = {}

    def clean(self) -> dict[str, Any]:
        """Turn codes into ids; what is not there is said beside its field."""
        values = super().clean() or {}
        for name in ("product", "customer", "group", "price_list"):
            code = values.get(name, "")
            is_product = name == "product"
            found = product_ids(codes=[code]) if is_product else ids_by_code(name, [code])
            self.ids[f"{name}_id"] = found.get(code.upper() if is_product else code)
            if code and self.ids[f"{name}_id"] is None:
                self.add_error(name, now_("There is nothing of that code."))
        return values

    def row(self) -> PriceRow:
        """Return the price that was typed."""
        values = self.cleaned_data
        ids: dict[str, Any] = self.ids
        return PriceRow(
            entity_id=values["entity"].pk,
            currency=values["currency"].upper() or values["entity"].currency,
            unit_price=values["unit_price"],
            valid_from=values["valid_from"],
            valid_until=values["valid_to"],
            min_quantity=values["min_quantity"],
            uom=values["uom"].upper(),
            seen=values["seen"],
            **ids,
        )


class CustomerForm(forms.Form):
    """A new customer, with an account in one company."""

    code = forms.CharField(label=_("Code"), max_length=40)
    name = forms.CharField(label=_("Name"), max_length=200)
    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Account with"), to_field_name="code", empty_label=None
    )
    tier = forms.ChoiceField(label=_("Tier"), choices=Customer.Tier.choices, initial="C")
    terms_days = forms.IntegerField(
        label=_("Days to pay"), min_value=0, max_value=3_650, initial=30
    )
    contact = forms.CharField(label=_("Contact"), max_length=120, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    region = forms.CharField(label=_("Region"), max_length=100, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    country = forms.CharField(label=_("Country"), max_length=60, required=False)
    tax_id = forms.CharField(label=_("Tax number"), max_length=40, required=False)

    def __init__(self, *args: Any, entity_ids: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser: Any = self.fields["entity"]
        chooser.queryset = Entity.objects.filter(pk__in=entity_ids).order_by("code")

    def clean_code(self) -> str:
        """Refuse a code that is taken: this form adds, it does not change."""
        code = str(self.cleaned_data["code"])
        if ids_by_code("customer", [code]):
            raise forms.ValidationError(now_("There is a customer of that code."))
        return code


def _typed(data: QueryDict) -> list[TypedLine]:
    columns = [data.getlist(name) for name in COLUMNS]
    height = max((len(column) for column in columns), default=0)
    padded = [column + [""] * (height - len(column)) for column in columns]
    lines = [TypedLine(*(cell.strip() for cell in row)) for row in zip(*padded, strict=True)]
    return [line for line in lines if not line.is_blank]


def _number(row: Row, name: str) -> Decimal | None:
    """Read a cell; what is no number is noted beside it."""
    text = getattr(row.line, name)
    if not text:
        if name == "quantity":
            row.errors[name] = now_("How many?")
        return None
    try:
        number = Decimal(text) if len(text) <= 40 else None  # noqa: PLR2004
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or "E" in text.upper():
        row.errors[name] = now_("Write a number such as 12.5.")
        return None
    return number


def _as_text(line: TypedLine) -> str:
    return "\t".join(getattr(line, name) for name in COLUMNS).rstrip("\t")

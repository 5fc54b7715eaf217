"""A blanket order as it is typed: who commits, from when until when, and to what."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from erp.accounts.models import Entity
from orders.forms._grid import GridRow, refuse_rows, typed_rows
from orders.selectors import ids_by_code, product_ids, ship_to_of
from orders.services.agreeing import BlanketDraft, BlanketLineDraft

COLUMNS = ("product", "quantity", "value", "price", "tolerance")
ROWS_MAX, BLANK_ROWS = 200, 4
NOBODY = 0  # no row has it: the service names the field


class BlanketHeadForm(forms.Form):
    """Who commits and for how long."""

    entity = forms.ModelChoiceField(
        Entity.objects.none(), label=_("Company"), to_field_name="code", empty_label=None
    )
    customer = forms.CharField(label=_("Customer code"), max_length=40)
    customer_po = forms.CharField(label=_("Their reference"), max_length=60, required=False)
    valid_from = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    valid_until = forms.DateField(
        label=_("Through"), widget=forms.DateInput(attrs={"type": "date"})
    )
    ship_to = forms.CharField(
        label=_("Ship to"),
        max_length=40,
        required=False,
        help_text=_("One of their address codes; empty for their own address."),
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


class BlanketEntry:
    """One agreement being written: the head and its rows."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        entity_ids: Collection[int],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.head = BlanketHeadForm(data, entity_ids=entity_ids, initial=initial)
        self.rows: list[GridRow] = [] if data is None else typed_rows(data, COLUMNS, ROWS_MAX)

    @property
    def blanks(self) -> range:
        """The empty rows that follow, at least one."""
        return range(max(1, BLANK_ROWS - len(self.rows)))

    def draft(self) -> BlanketDraft | None:
        """Return the draft that was typed; none when something cannot be understood."""
        is_sound = self.head.is_valid()
        values = self.head.cleaned_data
        code = values.get("customer", "")
        customer_id = ids_by_code("customer", [code]).get(code, NOBODY)
        known = product_ids(
            codes={row.cells["product"] for row in self.rows}, customer_id=customer_id
        )
        lines = [
            BlanketLineDraft(
                product_id=known.get(row.cells["product"].upper(), NOBODY),
                quantity=row.number("quantity"),
                value=row.number("value"),
                unit_price=row.number("price"),
                tolerance=(row.number("tolerance") or Decimal(0)) / 100,
            )
            for row in self.rows
        ]
        address = self._address(customer_id, values.get("ship_to", ""))
        if not is_sound or self.head.errors or any(row.errors for row in self.rows):
            return None
        return BlanketDraft(
            entity_id=values["entity"].pk,
            customer_id=customer_id,
            valid_from=values["valid_from"],
            valid_until=values["valid_until"],
            lines=lines,
            customer_po=values["customer_po"],
            ship_to=address,
            client_key=values["client_key"] or None,
        )

    def refuse(self, errors: Sequence[Mapping[str, str]]) -> None:
        """Put what the service refused beside the field that it names."""
        for error in errors:
            if refuse_rows(self.rows, error["field"], error["message"], COLUMNS):
                continue
            name = error["field"] if error["field"] in self.head.fields else None
            self.head.add_error(name, error["message"])

    def _address(self, customer_id: int, code: str) -> dict[str, str]:
        found = ship_to_of(customer_id=customer_id, code=code) if code else {}
        if found is None:
            self.head.add_error("ship_to", now_("The customer has no such address."))
        return found or {}

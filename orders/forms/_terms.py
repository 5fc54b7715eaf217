"""What people type to ask for other terms of a customer."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from orders.rules import bank_account_fault


def _amount(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_digits=19,
        decimal_places=4,
        required=False,
        help_text=help_text,
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class TermsForm(forms.Form):
    """What is asked to be otherwise about a customer; each begins with what stands.

    Amounts are in the account's currency; days are good up to and with the day named.
    """

    credit_limit = _amount(_("Limit"))
    terms_days = forms.IntegerField(label=_("Days to pay"), min_value=0, max_value=3_650)
    penalty_rate = forms.DecimalField(
        label=_("Penalty per day late"),
        min_value=Decimal(0),
        max_value=Decimal(1),
        max_digits=7,
        decimal_places=6,
        help_text=_("A share: 0.005 is half a per cent of a late line's amount."),
    )
    temporary_limit = _amount(_("Limit for a time"))
    temporary_from = _day(_("From"))
    temporary_until = _day(_("Up to and with"))
    limit_until = _day(_("Limit is good until"))
    order_limit = _amount(_("One order at most"), _("Nothing: no such rule."))
    insured_amount = _amount(_("Insured"), _("This much does not count as exposure."))
    insured_until = _day(_("Insured until"))
    agreed_terms_days = forms.IntegerField(
        label=_("Credit agrees to days"),
        min_value=0,
        max_value=3_650,
        required=False,
        help_text=_("Longer terms than these hold orders. Empty: none are agreed yet."),
    )
    tax_id = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    bank_account = forms.CharField(
        label=_("Bank account"),
        max_length=42,
        required=False,
        help_text=_("Where money is paid back to: an IBAN or a number, spaces do not count."),
    )
    reason = forms.CharField(label=_("Why"), max_length=200)

    AGREED = (
        "temporary_limit", "temporary_from", "temporary_until", "limit_until", "order_limit",
        "insured_amount", "insured_until", "agreed_terms_days",
    )  # fmt: skip
    PLAIN = ("credit_limit", "terms_days", "penalty_rate", "tax_id", "bank_account")
    AMOUNTS = ("temporary_limit", "order_limit", "insured_amount", "credit_limit")

    def clean_bank_account(self) -> str:
        """Keep letters and digits, in capitals; an IBAN must have its right check digits."""
        text = "".join(str(self.cleaned_data["bank_account"]).upper().split())
        fault = bank_account_fault(text)
        if fault:
            raise forms.ValidationError(now_(fault))
        return text

    def clean(self) -> dict[str, Any]:
        """Read an empty amount as none."""
        typed = dict(super().clean() or {})
        return typed | {name: typed.get(name) or Decimal(0) for name in self.AMOUNTS}

"""What people type about how a customer or an order is to be served."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import ServingTerms

SOFT = {
    "ship_complete": _("Leave complete"),
    "no_split": _("Leave from one place"),
    "max_nodes": _("Leave from few places"),
    "no_substitutes": _("Nothing else instead"),
    "places": _("Leave from these places"),
    "min_shelf_days": _("Keep so long"),
}
LISTS = ("nodes", "entities", "countries")


class ServingForm(forms.Form):
    """What is left empty is as usual: for an order as the customer has it."""

    max_nodes = forms.IntegerField(
        label=_("From at most so many places"), min_value=1, max_value=1_000, required=False
    )
    min_shelf_days = forms.IntegerField(
        label=_("Lots keep so many days beyond the promise"),
        min_value=0,
        max_value=3_650,
        required=False,
    )
    substitutes = forms.ChoiceField(
        label=_("Other products instead"), choices=ServingTerms.Substitutes.choices, required=False
    )
    nodes = forms.CharField(
        label=_("Only from these nodes"),
        max_length=2_000,
        required=False,
        help_text=_("Codes, separated by commas."),
    )
    entities = forms.CharField(
        label=_("Only from nodes of these companies"), max_length=2_000, required=False
    )
    countries = forms.CharField(
        label=_("Only from these countries"),
        max_length=1_000,
        required=False,
        help_text=_("Two letters each."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in SOFT.items():
            self.fields[f"soft_{name}"] = forms.BooleanField(label=label, required=False)

    @property
    def softs(self) -> list[forms.BoundField]:
        """The boxes of what is only wished for."""
        return [self[f"soft_{name}"] for name in SOFT]

    def said(self) -> dict[str, Any]:
        """Return what was typed, as services take it."""
        values = self.cleaned_data
        return {
            "max_nodes": values["max_nodes"],
            "min_shelf_days": values["min_shelf_days"],
            "substitutes": values["substitutes"],
            "soft": [name for name in SOFT if values[f"soft_{name}"]] or None,
            **{name: codes(values[name]) for name in LISTS},
        }


def typed(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return terms as they would be typed."""
    soft = {f"soft_{name}": True for name in said["soft"] or ()}
    return {**said, **soft, **{name: ", ".join(said[name]) for name in LISTS}}


def codes(text: str) -> list[str]:
    """Return the codes of a list that was typed."""
    return [each.strip() for each in text.replace(";", ",").split(",") if each.strip()]


def worded(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return terms as pages show them: `wishes` in words, `is_said` where there is anything."""
    wishes = [str(SOFT[name]) for name in said["soft"] or ()]
    is_said = any(value not in (None, "", []) for value in said.values())
    return {**said, "wishes": wishes, "is_said": is_said}

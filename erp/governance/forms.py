"""What people type about standing in for one another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from erp.accounts.models import Entity, Role, User


class Moment(forms.DateTimeField):
    """A moment in the person's own zone, as browsers type it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, input_formats=["%Y-%m-%dT%H:%M"], **kwargs)


class SpanForm(forms.Form):
    """From when until when; the service says what is wrong with it."""

    starts_at = Moment(label=_("From"))
    ends_at = Moment(label=_("Until"))
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)

    def span(self) -> tuple[datetime, datetime]:
        """Return both moments."""
        return self.cleaned_data["starts_at"], self.cleaned_data["ends_at"]


class DelegationForm(SpanForm):
    """Who decides for the person, where, and for which of their roles."""

    entity = forms.ChoiceField(label=_("Entity"))
    to = forms.ChoiceField(label=_("Who stands in"))
    role = forms.ChoiceField(label=_("For"), required=False)

    field_order = ["entity", "to", "role", "starts_at", "ends_at", "reason"]

    def __init__(
        self, *args: Any, entities: Sequence[Entity], people: Sequence[User],
        roles: Sequence[str], **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(*args, **kwargs)
        names = dict(Role.choices)
        self._choose("entity", [(str(each.pk), each.code) for each in entities])
        self._choose("to", [("", "—"), *((str(one.pk), str(one)) for one in people)])
        mine = [(role, str(names.get(role, role))) for role in roles]
        self._choose("role", [("", str(_("All my roles"))), *mine])

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

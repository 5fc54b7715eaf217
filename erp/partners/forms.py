"""What a person fills in to import files."""

from typing import Any

from django import forms

from erp.accounts.models import Entity
from erp.partners.rules.columns import KINDS
from erp.partners.rules.profiles import available_profiles


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files at once."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        sent = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(one, initial) for one in sent]


class ImportForm(forms.Form):
    """Which files, read how, into which entity."""

    entity = forms.ModelChoiceField(Entity.objects.none(), to_field_name="code", empty_label=None)
    what = forms.ChoiceField(
        label="What is in it", help_text="One file in our columns, or the files of a profile."
    )
    uploads = ManyFilesField(
        label="Files",
        help_text="CSV or XLSX, up to 64 MB each. The first line names the columns.",
        widget=ManyFilesInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, *args: Any, entity_ids: frozenset[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        entity: Any = self.fields["entity"]
        entity.queryset = Entity.objects.within(entity_ids).order_by("code")
        what: Any = self.fields["what"]
        what.choices = [
            ("Our columns", [(f"kind:{kind}", kind.capitalize()) for kind in KINDS]),
            ("Profiles", [(f"profile:{code}", title) for code, title in available_profiles()]),
        ]

"""The serial numbers of pieces, as a scanner types them, and what is refused of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import ngettext

from inventory.services.numbering import BadSerial, SerialsNeeded

SERIALS_LENGTH = 100_000


class _Numbers(forms.Textarea):
    """How many are wanted is said beside it: none may be right, so no browser insists on any."""

    def use_required_attribute(self, initial: Any) -> bool:
        return False


class SerialsField(forms.CharField):
    """The serial numbers of pieces, one a line, as a scanner types them.

    `of` names the field that says how many there are; `rest`: how many less than planned. The form
    counts them; `required=False` is only said beside it.
    """

    def __init__(self, of: str = "", *, rest: bool = False, **kwargs: Any) -> None:
        shown = {
            "rows": 3, "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false",
            "data-serials": of,
        } | ({"data-rest": ""} if rest else {})  # fmt: skip
        defaults: dict[str, Any] = {
            "max_length": SERIALS_LENGTH,
            "widget": _Numbers(attrs=shown),
        }
        super().__init__(**defaults | kwargs)

    def validate(self, value: Any) -> None:
        """Leave it to the form to say how many are wanted."""

    def clean(self, value: Any) -> list[str]:
        """Return the numbers in their order."""
        return [number.strip() for number in super().clean(value).splitlines() if number.strip()]


def count_numbers(form: forms.Form, name: str, quantity: Decimal) -> None:
    """Say at the field if it does not name one number for each piece."""
    named = len(form.cleaned_data.get(name) or ())
    if named != quantity:
        said = ngettext(
            "One number for the %(quantity)s piece: %(named)s are named.",
            "One number for each of %(quantity)s pieces: %(named)s are named.",
            1 if quantity == 1 else 2,
        )
        told = {"quantity": f"{quantity.normalize():f}", "named": named}
        form.add_error(name, said % told)


class NumbersForm(forms.Form):
    """A form that asks for serial numbers, and says at which field one is refused."""

    def number_fields(self) -> Sequence[tuple[str, str]]:
        """Return (product code, name of the field) of the serial numbers, the likeliest first."""
        raise NotImplementedError


@contextmanager
def refused_at_its_field(form: NumbersForm) -> Iterator[None]:
    """Say at its field what is refused of a serial number, so that the form shows it as typed.

    Raises:
        BadSerial, SerialsNeeded: no field is of that product.
    """
    try:
        yield
    except (BadSerial, SerialsNeeded) as refusal:
        names = [name for product, name in form.number_fields() if product == refusal.product]
        if not names:
            raise
        number = getattr(refusal, "number", None)
        named = [name for name in names if number in form.cleaned_data.get(name, ())]
        form.add_error((named or names)[0], str(refusal))

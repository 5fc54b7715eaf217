"""What goes into the API: shapes that refuse what they do not know, and exact numbers."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from erp.api.problems import ErrorDetail, ValidationError

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
JSON_DEPTH_MAX = 8
INTEGER_BITS = 60  # beyond, readers of JSON differ


class StrictSerializer(serializers.Serializer[Any]):
    """A request body. A field that it does not know is refused by name, at every depth."""

    def to_internal_value(self, data: Any) -> Any:
        unknown: dict[str, Any] = {}
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {
                str(name): [ErrorDetail("There is no such field.", "unknown_field")]
                for name in data
                if name not in known
            }
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **unknown}) from None
            raise
        if unknown:
            raise ValidationError(unknown)
        return value


@extend_schema_field({"type": "string", "format": "decimal"})
class ExactInput(serializers.Field[Decimal, Any, str, Any]):
    """A number as a JSON string ("12.5") or number, exact and within its column."""

    places = 3
    integer_digits = 12
    default_error_messages = {
        "not_a_number": 'Write a number such as "12.5", without blanks or separators.',
        "negative": "It cannot be negative.",
        "not_positive": "It must be greater than zero.",
        "too_many_decimals": "It has more than {places} decimals.",
        "too_large": "It is larger than {largest}.",
    }

    def __init__(
        self, *, allow_zero: bool = False, allow_negative: bool = False, **kwargs: Any
    ) -> None:
        self.allow_zero = allow_zero or allow_negative
        self.allow_negative = allow_negative
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        number = self._number(data)
        if abs(number) >= Decimal(10) ** self.integer_digits:
            largest = "9" * self.integer_digits + "." + "9" * self.places
            self.fail("too_large", largest=largest)
        exact = round(number, self.places)
        if exact != number:
            self.fail("too_many_decimals", places=self.places)
        if number < 0 and not self.allow_negative:
            self.fail("negative" if self.allow_zero else "not_positive")
        if number == 0 and not self.allow_zero:
            self.fail("not_positive")
        return abs(exact) if number == 0 else exact  # -0 is 0

    def to_representation(self, value: Decimal) -> str:
        return f"{value:f}"

    def _number(self, data: Any) -> Decimal:
        if isinstance(data, str) and PLAIN_NUMBER.fullmatch(data):
            return Decimal(data)
        if isinstance(data, int) and not isinstance(data, bool):
            # an integer too long to compare quickly is too large anyway
            return Decimal(data) if data.bit_length() < 200 else Decimal("1e60")  # noqa: PLR2004
        if not isinstance(data, Decimal) or not data.is_finite():
            self.fail("not_a_number")
        if data and data.adjusted() < -20:  # noqa: PLR2004  1e-999999 need not be written out
            self.fail("too_many_decimals", places=self.places)
        return data


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.5"})
class QuantityInput(ExactInput):
    """A quantity to a thousandth: above zero unless told otherwise."""


@extend_schema_field({"type": "string", "format": "decimal", "example": "19.99"})
class AmountInput(ExactInput):
    """A price or amount in the document's currency, to a hundredth of a cent; zero is allowed."""

    places = 4
    integer_digits = 15

    def __init__(
        self, *, allow_zero: bool = True, allow_negative: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(allow_zero=allow_zero, allow_negative=allow_negative, **kwargs)


@extend_schema_field({"type": "string", "format": "decimal", "example": "0.05"})
class RateInput(ExactInput):
    """A share of one: "0.05" is five per cent; zero is allowed."""

    places = 6
    integer_digits = 3

    def __init__(
        self, *, allow_zero: bool = True, allow_negative: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(allow_zero=allow_zero, allow_negative=allow_negative, **kwargs)


class TextInput(serializers.CharField):
    """Text as people write it: kept exactly, without surrounding blanks; no NUL, no half emoji.

    Bounded: `max_length` is 200 unless told otherwise. Blank is allowed where it is not required.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        kwargs.setdefault("allow_blank", kwargs.get("required") is False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectInput(serializers.Field[dict[str, Any], Any, Any, Any]):
    """A JSON object of no fixed shape, fit to be stored: bounded depth, no NUL, exact as text."""

    default_error_messages = {
        "not_an_object": "Write a JSON object.",
        "too_deep": "It is nested more than {depth} deep.",
        "bad_text": "It holds a character that cannot be stored.",
        "too_large": "It holds a whole number of more than 18 digits; write it as text.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return dict(self._storable(data, 0))

    def to_representation(self, value: Any) -> Any:
        return value

    def _storable(self, value: Any, depth: int) -> Any:
        if depth > JSON_DEPTH_MAX:
            self.fail("too_deep", depth=JSON_DEPTH_MAX)
        if isinstance(value, dict):
            return {self._text(k): self._storable(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list):
            return [self._storable(item, depth + 1) for item in value]
        if isinstance(value, Decimal):
            return f"{value:f}" if abs(value.adjusted()) < 40 else str(value)  # noqa: PLR2004
        if isinstance(value, int) and value.bit_length() >= INTEGER_BITS:
            self.fail("too_large")
        return self._text(value) if isinstance(value, str) else value

    def _text(self, value: str) -> str:
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            self.fail("bad_text")
        return value

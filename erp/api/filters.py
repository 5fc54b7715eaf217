"""What lists may be narrowed by: an allow-list per view; anything else is refused by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from erp.api.problems import ErrorDetail, ValidationError
from erp.api.serializers import PLAIN_NUMBER

if TYPE_CHECKING:
    from rest_framework.views import APIView

ALWAYS = {"cursor", "page_size", "ordering", "fields", "entity", "format"}
TEXT_MAX = 200
ID_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Equality, or the comparison that `lookup` names, with a text.

    `apply(queryset, value)` replaces the look-up where one is not enough.
    """

    lookup: str = ""
    apply: Callable[[QuerySet[Any], Any], QuerySet[Any]] | None = None
    schema: ClassVar[dict[str, Any]] = {"type": "string"}

    def read(self, text: str) -> Any:
        """Return the value of a query parameter.

        Raises:
            ValueError: with a sentence, when it cannot be read.
        """
        if "\0" in text or len(text) > TEXT_MAX:
            raise ValueError(f"Write at most {TEXT_MAX} characters.")
        return text

    def narrow(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if self.apply is not None:
            return self.apply(queryset, value)
        return queryset.filter(**{self.lookup: value})


class TextFilter(Filter):
    """The text itself, or by `lookup` a part of it (`name__icontains`)."""


class IdFilter(Filter):
    """A whole number."""

    schema = {"type": "integer"}

    def read(self, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text[:30]) <= ID_MAX):
            raise ValueError("Write a whole number.")
        return int(text)


class NumberFilter(Filter):
    """An exact number, usually with `__gte` or `__lte`."""

    schema = {"type": "string", "format": "decimal"}

    def read(self, text: str) -> Decimal:
        if not PLAIN_NUMBER.fullmatch(text):
            raise ValueError("Write a number such as 12.5.")
        return Decimal(text)


class FlagFilter(Filter):
    """True or false."""

    schema = {"type": "boolean"}

    def read(self, text: str) -> bool:
        if text not in {"true", "false"}:
            raise ValueError("Write true or false.")
        return text == "true"


class DateFilter(Filter):
    """A business date, ISO."""

    schema = {"type": "string", "format": "date"}

    def read(self, text: str) -> date:
        try:
            found = parse_date(text)
        except ValueError:
            found = None
        if found is None:
            raise ValueError("Write a date such as 2026-11-22.")
        return found


class MomentFilter(Filter):
    """A moment with its offset (RFC 3339), or a date: its first instant in UTC."""

    schema = {"type": "string", "format": "date-time"}

    def read(self, text: str) -> datetime:
        try:
            found = parse_datetime(text.replace(" ", "+"))  # a plus that was not encoded
            day = parse_date(text)
        except ValueError:
            found = day = None
        if day is not None:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        if found is None or found.tzinfo is None:
            raise ValueError("Write a moment such as 2026-11-22T09:30:00Z.")
        return found


@dataclass(frozen=True, slots=True)
class ChoiceFilter(Filter):
    """One of `choices`, or several with commas between them. `lookup` is the plain column."""

    choices: tuple[str, ...] = ()

    def read(self, text: str) -> list[str]:
        values = text.split(",")
        for value in values:
            if value not in self.choices:
                raise ValueError(f"Write one of {', '.join(self.choices)}.")
        return values

    def narrow(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if self.apply is not None:
            return self.apply(queryset, value)
        return queryset.filter(**{f"{self.lookup}__in": value})


def query_values(request: Request, filters: Mapping[str, Filter]) -> dict[str, Any]:
    """Read the query parameters that `filters` allow.

    Raises:
        ValidationError: one is not allowed, is given twice or cannot be read; all are named.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[ErrorDetail]] = {}
    for name, texts in request.query_params.lists():
        if name in filters:
            try:
                if len(texts) > 1:
                    raise ValueError("Give it once.")  # noqa: TRY301
                values[name] = filters[name].read(texts[0])
            except ValueError as error:
                errors[name] = [ErrorDetail(str(error), "invalid")]
        elif name not in ALWAYS:
            errors[name] = [ErrorDetail("There is no such parameter.", "unknown_parameter")]
    if errors:
        raise ValidationError(errors)
    return values


class StrictFilterBackend(BaseFilterBackend):
    """Narrows a list by the view's `filters`."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: "APIView"
    ) -> QuerySet[Any]:
        filters: Mapping[str, Filter] = getattr(view, "filters", {})
        for name, value in query_values(request, filters).items():
            queryset = filters[name].narrow(queryset, value)
        return queryset

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Say in the OpenAPI document what is allowed."""
        filters: Mapping[str, Filter] = getattr(view, "filters", {})
        return [
            {"name": name, "in": "query", "required": False, "schema": dict(each.schema)}
            for name, each in filters.items()
        ]

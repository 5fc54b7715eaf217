"""Lists page by page, from where the last page ended: as quick at depth as at the top.

A cursor holds the last row's ordering values. The ordering always ends in the primary key, so no
row is shown twice or left out while others come and go.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.core.exceptions import ValidationError as FieldRefused
from django.db.models import Field, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from erp.api.problems import ErrorDetail, ValidationError

if TYPE_CHECKING:
    from rest_framework.views import APIView

PAGE_SIZE = 100
PAGE_SIZE_MAX = 500
CURSOR_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the row with these ordering values, or before it."""

    values: tuple[Any, ...]
    backwards: bool

    def encoded(self) -> str:
        text = json.dumps([int(self.backwards), *map(_portable, self.values)])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class KeysetPagination(BasePagination):
    """`{"results": [...], "next": url|null, "previous": url|null}`.

    The view says `ordering` (its default, "-created_at") and `ordering_fields` (what `?ordering=`
    may name). Columns to order by are never null; a `values()` queryset must hold them.
    """

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: "APIView | None" = None,
    ) -> list[Any]:
        assert isinstance(queryset, QuerySet)
        self.request = request
        self.ordering = _ordering(request, view)
        size = _page_size(request)
        fields = [_field(queryset, name.lstrip("-")) for name in self.ordering]
        cursor = _cursor(request, fields)
        backwards = cursor is not None and cursor.backwards
        order = [_reversed(name) for name in self.ordering] if backwards else self.ordering
        page = queryset.order_by(*order)
        if cursor is not None:
            page = page.filter(_after(order, cursor.values))
        found = list(page[: size + 1])
        more = len(found) > size
        found = found[:size]
        if backwards:
            found.reverse()
        self.has_next = bool(found) and (more or backwards)
        self.has_previous = bool(found) and (more if backwards else cursor is not None)
        self.first = self._values(found[0]) if found else ()
        self.last = self._values(found[-1]) if found else ()
        return found

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "results": data,
                "next": self._url(Cursor(self.last, False)) if self.has_next else None,  # noqa: FBT003
                "previous": self._url(Cursor(self.first, True)) if self.has_previous else None,  # noqa: FBT003
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        url = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {
                "results": {"type": "array", "items": schema.get("items", schema)},
                "next": url,
                "previous": url,
            },
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        names = getattr(view, "ordering_fields", ())
        allowed = [sign + name for name in names for sign in ("", "-")]
        parameters: list[dict[str, Any]] = [
            {"name": "cursor", "schema": {"type": "string"}},
            {"name": "page_size", "schema": {"type": "integer", "maximum": PAGE_SIZE_MAX}},
        ]
        if allowed:
            parameters.append({"name": "ordering", "schema": {"type": "string", "enum": allowed}})
        return [{"in": "query", "required": False, **each} for each in parameters]

    def to_html(self) -> str:
        raise NotImplementedError  # there is no browsable API

    def _values(self, row: Any) -> tuple[Any, ...]:
        return tuple(_value(row, name.lstrip("-")) for name in self.ordering)

    def _url(self, cursor: Cursor) -> str:
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", cursor.encoded()))


def _ordering(request: Request, view: "APIView | None") -> list[str]:
    allowed: Sequence[str] = getattr(view, "ordering_fields", ())
    asked = request.query_params.get("ordering")
    if asked is None:
        asked = getattr(view, "ordering", "-id")
    elif asked.removeprefix("-") not in allowed:
        raise _invalid("ordering", f"Write one of {', '.join(allowed) or 'none'}.")
    if asked.lstrip("-") in {"id", "pk"}:
        return [asked]
    return [asked, "-id" if asked.startswith("-") else "id"]


def _page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdecimal() and text.strip("0")):
        raise _invalid("page_size", f"Write a number from 1 to {PAGE_SIZE_MAX}.")
    return min(int(text[:10]), PAGE_SIZE_MAX)


def _cursor(request: Request, fields: Sequence["Field[Any, Any]"]) -> Cursor | None:
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        if len(text) > CURSOR_MAX:
            raise ValueError("too long")  # noqa: TRY301
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        backwards, *values = json.loads(raw)
        if backwards not in (0, 1) or any("\0" in v for v in values if isinstance(v, str)):
            raise ValueError("not one of ours")  # noqa: TRY301
        read = tuple(field.to_python(value) for field, value in zip(fields, values, strict=True))
    except (ValueError, TypeError, ArithmeticError, FieldRefused, binascii.Error, RecursionError):
        raise _invalid("cursor", "This is not a cursor of this list.") from None
    if any(value is None for value in read):
        raise _invalid("cursor", "This is not a cursor of this list.")
    return Cursor(read, bool(backwards))


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Return the condition of coming after `values`, in a form that starts at an index entry."""
    condition = Q()
    for position in reversed(range(len(order))):
        name = order[position].lstrip("-")
        beyond = "lt" if order[position].startswith("-") else "gt"
        strictly = Q(**{f"{name}__{beyond}": values[position]})
        tied = Q(**{name: values[position]})
        condition = strictly | (tied & condition) if condition else strictly
    first = order[0].lstrip("-")
    bound = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{first}__{bound}": values[0]}) & condition


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    """Return the column or annotation that `name` (`customer__code`) leads to."""
    annotation = queryset.query.annotations.get(name)
    if annotation is not None:
        found: Field[Any, Any] = annotation.output_field
        return found
    options: Any = queryset.model._meta  # noqa: SLF001
    try:
        for part in name.split("__"):
            field = options.pk if part == "pk" else options.get_field(part)
            options = field.related_model._meta if field.is_relation else None  # noqa: SLF001
    except (FieldDoesNotExist, AttributeError) as error:
        raise ImproperlyConfigured(f"lists cannot be ordered by {name}") from error
    column: Field[Any, Any] = field
    return column


def _value(row: Any, name: str) -> Any:
    if isinstance(row, dict):
        return row[name]
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _portable(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _reversed(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _invalid(parameter: str, message: str) -> ValidationError:
    return ValidationError({parameter: [ErrorDetail(message, "invalid")]})

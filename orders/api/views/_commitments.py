"""What is promised to customers and what covers it, over REST."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, IdFilter, TextFilter, query_values
from erp.api.problems import ErrorDetail, ValidationError
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.selectors import GROUPINGS, CommitmentFilters, commitments, committed_lines

PAGE, PAGE_MAX = 100, 500
NAMES = ("customer", "order", "blanket", "product", "node")


class CommitmentOutput(fields.Serializer[Any]):
    """Money by what covers it, in `currency`. `at_risk`: overdue, or after the day asked for."""

    key = fields.CharField(allow_blank=True)
    name = fields.CharField(allow_blank=True)
    currency = fields.CharField()
    lines = fields.IntegerField()
    orders = fields.IntegerField()
    value = fields.CharField()
    on_hand = fields.CharField()
    inbound = fields.CharField()
    transfer = fields.CharField()
    nothing = fields.CharField()
    at_risk = fields.CharField()
    overdue = fields.CharField()


class CommitmentViewSet(ResourceViewSet):
    """What is promised and by which supply it is covered: on hand, inbound, transfer, nothing."""

    required_permissions: ClassVar = {"list": permissions.VIEW, "lines": permissions.VIEW}
    filters: ClassVar[dict[str, Filter]] = {
        "by": ChoiceFilter("by", choices=tuple(GROUPINGS)),
        **{name: TextFilter(name) for name in NAMES},
        "at_risk": FlagFilter("at_risk"),
        "after": TextFilter("after"),
    }
    outputs: ClassVar = {"list": CommitmentOutput}

    def list(self, request: Request) -> Response:
        """Answer the sums `by` customer, order, blanket, product or node, the dearest first."""
        asked = _asked(request, self.filters)
        by = asked.get("by", ["customer"])
        if len(by) != 1:
            said = [ErrorDetail("Name one of them.", "invalid")]
            raise ValidationError({"by": said})
        rows, after = commitments(
            by=by[0],
            entity_ids=self.scope(),
            today=timezone.localdate(),
            filters=_narrowed(asked),
            after=asked.get("after", ""),
            limit=_size(request),
        )
        following = self._next(request, after) if after else None
        return Response({"results": rows, "next": following, "previous": None})

    @action(detail=False)
    def lines(self, request: Request) -> Response:
        """Answer the open lines with every part and its cover: `?after=` the last id seen."""
        allowed = {n: f for n, f in self.filters.items() if n != "by"} | {"after": IdFilter()}
        asked = _asked(request, allowed)
        size = _size(request)
        rows = committed_lines(
            entity_ids=self.scope(),
            today=timezone.localdate(),
            filters=_narrowed(asked),
            after=asked.get("after"),
            limit=size + 1,
        )
        more = f"{rows[size - 1].line_id}" if len(rows) > size else ""
        following = self._next(request, more) if more else None
        return Response({"results": rows[:size], "next": following, "previous": None})

    def _next(self, request: Request, after: str) -> str:
        query = {**request.query_params.dict(), "after": after}
        return request.build_absolute_uri(f"{request.path}?{urlencode(query)}")


def _narrowed(asked: dict[str, Any]) -> CommitmentFilters:
    names = {name: asked.get(name, "") for name in NAMES}
    return CommitmentFilters(**names, risky=asked.get("at_risk", False))


def _asked(request: Request, allowed: dict[str, Filter]) -> dict[str, Any]:
    """Read the query; what other lists know and this one does not is refused by name."""
    for name in ("cursor", "ordering"):
        if name in request.query_params:
            said = [ErrorDetail("There is no such parameter.", "unknown_parameter")]
            raise ValidationError({name: said})
    return query_values(request, allowed)


def _size(request: Request) -> int:
    try:
        size = IdFilter().read(request.query_params.get("page_size", str(PAGE)))
    except ValueError:
        size = 0
    if not 1 <= size <= PAGE_MAX:
        said = [ErrorDetail(f"Write a number from 1 to {PAGE_MAX}.", "invalid")]
        raise ValidationError({"page_size": said})
    return size

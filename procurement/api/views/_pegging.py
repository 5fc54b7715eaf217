"""Who waits for what a purchase order brings, over REST."""

from dataclasses import asdict
from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, IdFilter, query_values
from erp.api.problems import ErrorDetail, ValidationError
from erp.api.views import ResourceViewSet
from inventory.selectors import blast_radius, pegs_of
from procurement.selectors import OrderPage

LINE = "procurement.line"
DAYS_MAX = 365
DELAY: dict[str, Filter] = {"days": IdFilter()}


class PegActions(ResourceViewSet):
    """What depends on a purchase order, and who would be late if it were."""

    required_permissions: ClassVar[dict[str, str]] = {}

    def _order(self, number: str) -> OrderPage:
        raise NotImplementedError

    @action(detail=True, methods=["get"])
    def pegs(self, request: Request, number: str) -> Response:
        """Answer who waits for what it brings, the first to come first."""
        query_values(request, {})
        order = self._order(number)
        positions = {line.id: line.position for line in order.lines}
        found = pegs_of(kind=LINE, source_ids=positions)
        rows: list[dict[str, Any]] = []
        for peg in found:
            row = asdict(peg)
            rows.append({"line": positions[row.pop("source_id")], **row})
        return Response({"results": rows, "next": None, "previous": None})

    @action(detail=True, methods=["get"])
    def impact(self, request: Request, number: str) -> Response:
        """Answer its blast radius over any hops; `?days=` says how late it comes."""
        days = query_values(request, DELAY).get("days", 0)
        if days > DAYS_MAX:
            said = f"At most {DAYS_MAX} days."
            raise ValidationError({"days": [ErrorDetail(said, "too_large")]})
        lines = self._order(number).lines
        found = blast_radius(supplies=[(LINE, line.id) for line in lines], days=days)
        return Response({"days": days, **asdict(found)})

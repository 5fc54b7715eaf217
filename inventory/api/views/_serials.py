"""Serial numbers over REST: which pieces there are, and the life of one."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.views import ResourceViewSet
from inventory import permissions
from inventory.api import serializers
from inventory.models import Serial, SerialMove, StockStatus
from inventory.selectors import SERIAL_STATES, SerialTrace, serial_traces, serials

TAKEN = Q(line__isnull=False) | Q(piece__isnull=False)
IN = {
    "gone": Q(stock=None, line=None),
    "shipped": Q(stock=None, line__isnull=False),
    "in_transit": Q(stock__status=StockStatus.IN_TRANSIT),
    "picked": TAKEN & Q(stock__isnull=False) & ~Q(stock__status=StockStatus.IN_TRANSIT),
}


def _in(rows: QuerySet[Any], states: Any) -> QuerySet[Any]:
    wanted = Q(pk__in=[])
    for state in states:
        wanted |= IN.get(state, Q(stock__status=state, line=None, piece=None))
    return rows.filter(wanted)


class SerialViewSet(ResourceViewSet):
    """Pieces that the caller's entities have or had. A number may be of several products."""

    lookup_field = "number"
    lookup_value_regex = ".+"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_STOCK,
        "retrieve": permissions.VIEW_STOCK,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "number": TextFilter("number"),
        "node": TextFilter("stock__node__code"),
        "state": ChoiceFilter("state", choices=SERIAL_STATES, apply=_in),
        "moved_after": MomentFilter("moved_at__gte"),
    }
    ordering = "id"
    ordering_fields = ("id", "number", "moved_at")
    outputs: ClassVar = {"list": serializers.SerialOutput}

    def list(self, request: Request) -> Response:
        owned = Q(source__entity_id__in=self.scope()) | Q(target__entity_id__in=self.scope())
        moved = SerialMove.objects.filter(owned, serial=OuterRef("pk"))
        rows = Serial.objects.filter(Exists(moved)).values("id")
        return self.page(rows, lambda found: self._rows([each["id"] for each in found]))

    def retrieve(self, request: Request, number: str) -> Response:
        """Answer where a piece is and all that happened to it, product by product."""
        product = request.query_params.get("product", "")
        found = []
        if "\0" not in number + product:
            found = serial_traces(entity_ids=self.scope(), number=number, product=product)
        if not found:
            raise NotFound(f"There is no serial number {number[:60]!r}.")
        return Response({"number": number, "serials": [_told(each) for each in found]})

    def _rows(self, ids: Sequence[int]) -> Sequence[dict[str, Any]]:
        """Return what these pieces are, in the order asked for."""
        rows = {row.id: asdict(row) for row in serials(entity_ids=self.scope(), ids=ids)}
        return [rows[each] for each in ids]


def _told(trace: SerialTrace) -> dict[str, Any]:
    told = asdict(trace.serial)
    told.pop("id")
    return {**told, "steps": [asdict(each) for each in trace.steps]}

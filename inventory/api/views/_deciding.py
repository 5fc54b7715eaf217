"""What could be promised, and what the allocation layer decided, over REST."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Exists, OuterRef
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, IdFilter, MomentFilter, TextFilter, query_values
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.views import Item, ResourceViewSet
from inventory import permissions
from inventory.api import serializers
from inventory.models import AllocationDecision, AllocationRun, Product
from inventory.selectors import DecisionRow, Option, Wanted, options, run_page

RECEIPTS_PAGE = 500


class AvailabilityViewSet(ResourceViewSet):
    """What could be promised now. Nothing is reserved by asking."""

    required_permissions: ClassVar = {"create": permissions.VIEW_STOCK}
    inputs: ClassVar = {"create": serializers.AvailabilityInput}

    def create(self, request: Request) -> Response:
        """Answer for each line what is free now, where, when it would leave and at what cost."""
        asked = self.body()
        entity_id = self.entity_id(asked["entity"])
        ids = self._products(asked["lines"])
        wanted = [
            Wanted(entity_id, ids[line["product"]], line["quantity"]) for line in asked["lines"]
        ]
        found = options(wanted=wanted, now=timezone.now())
        lines = [_answer(line, each) for line, each in zip(asked["lines"], found, strict=True)]
        return Response({"entity": asked["entity"], "lines": lines})

    @staticmethod
    def _products(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        codes = {line["product"] for line in lines}
        ids = dict(Product.objects.filter(code__in=codes).values_list("code", "id"))
        unknown = {
            f"lines[{place}].product": [
                ErrorDetail(f"There is no product {line['product']!r}.", "unknown_product")
            ]
            for place, line in enumerate(lines)
            if line["product"] not in ids
        }
        if unknown:
            raise ValidationError(unknown)
        return ids


class AllocationRunViewSet(ResourceViewSet):
    """Passes of the allocation layer, with a receipt for every line it decided about."""

    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = dict.fromkeys(
        ("list", "retrieve", "receipts"), permissions.VIEW_ALLOCATION
    )
    filters: ClassVar[dict[str, Filter]] = {
        "cause": TextFilter("cause"),
        "created_after": MomentFilter("at__gte"),
        "created_before": MomentFilter("at__lt"),
    }
    ordering_fields = ("id",)
    outputs: ClassVar = dict.fromkeys(("list", "retrieve"), serializers.AllocationRunOutput)

    def list(self, request: Request) -> Response:
        mine = AllocationDecision.objects.filter(run=OuterRef("pk"), entity_id__in=self.scope())
        runs = AllocationRun.objects.filter(Exists(mine)).values("id")
        return self.page(runs, lambda rows: [self._head(row["id"]) for row in rows])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._head(int(pk)))

    @action(detail=True)
    def receipts(self, request: Request, pk: str) -> Response:
        """Answer every line's receipt, in the order of rank: `?after=` the last id seen."""
        after = query_values(request, {"after": IdFilter()}).get("after")
        page = run_page(run_id=int(pk), entity_ids=self.scope(), after=after, limit=RECEIPTS_PAGE)
        if page is None:
            raise NotFound(f"There is no allocation run {pk}.")
        return Response({"results": [_receipt(each) for each in page.decisions]})

    def _head(self, run_id: int) -> Any:
        page = run_page(run_id=run_id, entity_ids=self.scope(), limit=0)
        if page is None:
            raise NotFound(f"There is no allocation run {run_id}.")
        return page.head


def _answer(line: Mapping[str, Any], found: Sequence[Option]) -> Item:
    at = line.get("node")
    usable = [each for each in found if at in (None, each.node)]
    free = sum((each.available for each in usable), Decimal(0))
    wanted: Decimal = line["quantity"]
    by = line.get("date")
    in_time = [each for each in usable if by is None or each.leaves_on <= by]
    now = sum((each.available for each in in_time), Decimal(0))
    return {
        "product": line["product"],
        "quantity": wanted,
        "available": free,
        "by_date": min(now, wanted),
        "short": max(wanted - free, Decimal(0)),
        "date": _complete_on(wanted, usable),
        "options": usable,
    }


def _complete_on(wanted: Decimal, usable: Sequence[Option]) -> Any:
    """Return the first day on which all of it could have left; None if there is not enough."""
    left = wanted
    for each in sorted(usable, key=lambda option: (option.leaves_on, -option.available)):
        left -= each.available
        if left <= 0:
            return each.leaves_on
    return None


def _receipt(decision: DecisionRow) -> Item:
    return {
        "id": decision.id,
        "demand": f"{decision.demand_kind}:{decision.demand_id}",
        "document": decision.label,
        "entity": decision.entity,
        "product": decision.product,
        "asked": decision.asked,
        "given": decision.given,
        "outcome": decision.outcome,
        "candidates": decision.candidates,
        "flip": decision.flip,
        "policy_version": decision.policy_version,
        "at": decision.at,
        "cause": decision.cause,
    }

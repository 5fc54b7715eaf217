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
from inventory.models import AllocationDecision, AllocationRun, Node, Product, Segment
from inventory.selectors import DecisionRow, run_page
from inventory.services.promising import Offered, Wish, offer_supply

RECEIPTS_PAGE = 500


class AvailabilityViewSet(ResourceViewSet):
    """What could be promised now. Nothing is reserved by asking."""

    required_permissions: ClassVar = {"create": permissions.VIEW_STOCK}
    inputs: ClassVar = {"create": serializers.AvailabilityInput}

    def create(self, request: Request) -> Response:
        """Answer for each line what is free now, what may be promised when, and every way to serve.

        What is kept for others than `segment` is not offered. At most fourteen statements for up to
        a thousand lines.
        """
        asked = self.body()
        entity_id = self.entity_id(asked["entity"])
        ids, nodes = self._products(asked["lines"]), self._nodes(asked["lines"])
        segment = self._segment(asked.get("segment", ""))
        wishes = [
            Wish(
                entity_id,
                ids[line["product"]],
                line["quantity"],
                nodes[line["node"]] if "node" in line else None,
                segment=segment,
            )
            for line in asked["lines"]
        ]
        found = offer_supply(wishes=wishes, now=timezone.now())
        lines = [_answer(line, each) for line, each in zip(asked["lines"], found, strict=True)]
        return Response({"entity": asked["entity"], "lines": lines})

    @staticmethod
    def _segment(code: str) -> int:
        if not code:
            return 0
        found = Segment.objects.filter(code=code).values_list("id", flat=True).first()
        if found is None:
            said = ErrorDetail(f"There is no segment {code!r}.", "unknown_segment")
            raise ValidationError({"segment": [said]})
        return found

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

    @staticmethod
    def _nodes(lines: Sequence[Mapping[str, Any]]) -> dict[str, int]:
        codes = {line["node"] for line in lines if "node" in line}
        if not codes:
            return {}
        ids = dict(Node.objects.filter(code__in=codes).values_list("code", "id"))
        unknown = {
            f"lines[{place}].node": [
                ErrorDetail(f"There is no node {line['node']!r}.", "unknown_node")
            ]
            for place, line in enumerate(lines)
            if "node" in line and line["node"] not in ids
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


def _answer(line: Mapping[str, Any], found: Offered) -> Item:
    wanted: Decimal = line["quantity"]
    by = line.get("date")
    here = [each for each in found.choices if each.kind != "other_node"]
    whole = [each for each in here if each.quantity >= wanted]
    in_time = [each for each in found.choices if by is None or each.leaves_on <= by]
    now = [each for each in in_time if each.kind in {"node", "split"}]
    by_date = max((each.quantity for each in now), default=Decimal(0))
    return {
        "product": line["product"],
        "quantity": wanted,
        "available": found.free,
        "promisable": found.promisable,
        "by_date": min(by_date, wanted),
        "short": max(wanted - found.promisable, Decimal(0)),
        "date": min((each.leaves_on for each in whole), default=None),
        "promised_date": min((each.arrives_on for each in whole), default=None),
        "atp": [{"date": day, "quantity": quantity} for day, quantity in found.dated],
        "options": found.choices,
    }


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
        "elsewhere": decision.elsewhere,
        "elsewhere_flip": decision.elsewhere_flip,
        "not_kept": decision.dropped,
        "policy_version": decision.policy_version,
        "at": decision.at,
        "cause": decision.cause,
    }

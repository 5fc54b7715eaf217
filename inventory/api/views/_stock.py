"""Balances and moves over REST."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import F
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, FlagFilter, MomentFilter, TextFilter
from erp.api.views import Item, ResourceViewSet
from inventory import permissions
from inventory.api import serializers
from inventory.models import Stock, StockMove, StockStatus


class StockViewSet(ResourceViewSet):
    """Balances of what the caller's entities own, wherever it lies."""

    required_permissions: ClassVar = {"list": permissions.VIEW_STOCK}
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "node": TextFilter("node__code"),
        "lot": TextFilter("lot__code"),
        "status": ChoiceFilter("status", choices=tuple(StockStatus.values)),
        "has_available": FlagFilter(
            apply=lambda rows, yes: (
                rows.filter(available__gt=0) if yes else rows.filter(available=0)
            )
        ),
    }
    ordering = "id"
    ordering_fields = ("id", "product__code", "available", "on_hand")
    outputs: ClassVar = {"list": serializers.StockOutput}

    def list(self, request: Request) -> Response:
        rows = (
            Stock.objects.filter(entity_id__in=self.scope())
            .annotate(available=F("on_hand") - F("reserved"))
            .values(
                "id", "entity__code", "product__code", "node__code", "lot__code", "expires_on",
                "is_barred", "status", "on_hand", "reserved", "available",
            )
        )  # fmt: skip
        return self.page(rows, self._present)

    @staticmethod
    def _present(rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        return [
            {
                "id": row["id"],
                "entity": row["entity__code"],
                "product": row["product__code"],
                "node": row["node__code"],
                "lot": row["lot__code"],
                "expires_on": row["expires_on"],
                "is_barred": row["is_barred"],
                "status": row["status"],
                "on_hand": row["on_hand"],
                "reserved": row["reserved"],
                "available": row["available"],
            }
            for row in rows
        ]


class StockMoveViewSet(ResourceViewSet):
    """Every change of a balance, never changed itself."""

    required_permissions: ClassVar = {"list": permissions.VIEW_STOCK}
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "node": TextFilter("node__code"),
        "lot": TextFilter("lot__code"),
        "kind": ChoiceFilter("kind", choices=tuple(StockMove.Kind.values)),
        "status": ChoiceFilter("status", choices=tuple(StockStatus.values)),
        "created_after": MomentFilter("at__gte"),
        "created_before": MomentFilter("at__lt"),
    }
    outputs: ClassVar = {"list": serializers.StockMoveOutput}

    def list(self, request: Request) -> Response:
        rows = StockMove.objects.filter(entity_id__in=self.scope()).values(
            "id", "at", "kind", "entity__code", "entity__currency", "product__code", "node__code",
            "lot__code", "status", "quantity", "value", "cause_kind", "cause_id",
        )  # fmt: skip
        return self.page(rows, self._present)

    @staticmethod
    def _present(rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        return [
            {
                "id": row["id"],
                "at": row["at"],
                "kind": row["kind"],
                "entity": row["entity__code"],
                "product": row["product__code"],
                "node": row["node__code"],
                "lot": row["lot__code"],
                "status": row["status"],
                "quantity": row["quantity"],
                "value": row["value"],
                "currency": row["entity__currency"],
                "cause": f"{row['cause_kind']}:{row['cause_id']}",
            }
            for row in rows
        ]

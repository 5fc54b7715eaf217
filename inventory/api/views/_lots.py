"""Lots over REST: the picture of a recall, and the stop."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from inventory import permissions
from inventory.api import serializers
from inventory.models import Lot
from inventory.selectors import LotTrace, lot_traces
from inventory.services.tracking import block_lot, release_lot

FIELDS = (
    "id", "code", "product__code", "supplier_lot", "manufactured_on", "expires_on", "blocked_at",
    "block_reason", "expired_at",
)  # fmt: skip


class LotViewSet(ResourceViewSet):
    """Batches of which the caller's entities have or had some. A code may name several products."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_STOCK,
        "retrieve": permissions.VIEW_STOCK,
        "block": permissions.BLOCK_LOT,
        "release": permissions.BLOCK_LOT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "code": TextFilter("code"),
        "is_blocked": FlagFilter(apply=lambda rows, yes: rows.filter(blocked_at__isnull=not yes)),
        "is_expired": FlagFilter(apply=lambda rows, yes: rows.filter(expired_at__isnull=not yes)),
    }
    ordering = "id"
    ordering_fields = ("id", "code", "expires_on")
    inputs: ClassVar = {"block": serializers.LotInput, "release": serializers.LotInput}
    outputs: ClassVar = {"list": serializers.LotOutput}

    def retrieve(self, request: Request, code: str) -> Response:
        """Answer where a lot came from, where it lies and to whom it went, product by product."""
        product = request.query_params.get("product", "")
        return Response(
            {"code": code, "lots": [_told(each) for each in self._found(code, product)]}
        )

    @action(detail=True, methods=["post"])
    def block(self, request: Request, code: str) -> Response:
        """Stop it: nothing of it is promised or leaves."""
        return self._change(block_lot, code)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, code: str) -> Response:
        """Let it go again."""
        return self._change(release_lot, code)

    def _change(self, service: Any, code: str) -> Response:
        body = self.body()
        found = self._found(code, body.get("product", ""))
        if len(found) > 1:
            message = f"Several products have a lot {code!r}: say which."
            raise ValidationError({"product": [ErrorDetail(message, "required")]})
        service(
            lot_id=found[0].lot.id,
            reason=body["reason"],
            actor=actor_of(self.request),
            now=timezone.now(),
        )
        return Response(_told(self._found(code, found[0].lot.product)[0]))

    def _found(self, code: str, product: str) -> Sequence[LotTrace]:
        if "\0" in code or "\0" in product:
            raise NotFound("There is no such lot.")
        found = lot_traces(entity_ids=self.scope(), code=code, product=product)
        if not found:
            raise NotFound(f"There is no lot {code[:50]!r}.")
        return found

    def list(self, request: Request) -> Response:
        mine = Lot.objects.filter(balances__entity_id__in=self.scope()).values("pk")
        rows = Lot.objects.filter(pk__in=mine).values(*FIELDS)
        return self.page(rows, lambda found: [_row(each) for each in found])


def _row(row: dict[str, Any]) -> dict[str, Any]:
    product = row.pop("product__code")
    return {**row, "product": product}


def _told(trace: LotTrace) -> dict[str, Any]:
    lot = asdict(trace.lot)
    lot.pop("id")
    return {
        **lot,
        "state": trace.lot.state,
        "received": [
            {
                **{k: v for k, v in asdict(each).items() if not k.startswith("source_")},
                "source": f"{each.source_kind}:{each.source_id}",
            }
            for each in trace.received
        ],
        "stock": [asdict(each) for each in trace.stock],
        "shipped": [asdict(each) for each in trace.shipped],
    }

"""Costs that became known late, over REST."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.problems import ErrorDetail, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import AmountInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from finance.services import post_late_costs
from inventory import permissions
from inventory.models import LateCost, ReceiptLine
from inventory.services.costing import LateCostDraft


class LateCostInput(StrictSerializer):
    """`amount` (the company's currency, signed) on what came by one line (its id) of a receipt."""

    receipt = TextInput(max_length=20)
    line = fields.IntegerField(min_value=1, max_value=2**63 - 1)
    amount = AmountInput(allow_negative=True)
    reason = TextInput(max_length=200)
    reference = TextInput(max_length=60)


class LateCostViewSet(ResourceViewSet):
    """Freight bills and corrected prices: spread over what is there and what is gone."""

    required_permissions: ClassVar = {
        "list": permissions.POST_LATE_COST,
        "create": permissions.POST_LATE_COST,
    }
    inputs: ClassVar = {"create": LateCostInput}

    def list(self, request: Request) -> Response:
        found = LateCost.objects.filter(entity_id__in=self.scope()).values(
            "id", "entity__code", "entity__currency", "receipt_line__receipt__number",
            "receipt_line_id", "receipt_line__product__code", "amount", "on_hand", "sold",
            "group_sold", "adjusted", "reason", "reference", "posted_at",
        )  # fmt: skip
        return self.page(found, lambda rows: [_named(row) for row in rows])

    def create(self, request: Request) -> Response:
        """Post one; the same reference on the same line answers what it did before."""
        body = self.body()
        known = ReceiptLine.objects.filter(
            pk=body["line"],
            receipt__number=body["receipt"].replace("\0", ""),
            receipt__entity_id__in=self.scope(),
        )
        if not known.exists():
            raise ValidationError({"line": [ErrorDetail("There is no such line.", "unknown")]})
        draft = LateCostDraft(
            receipt_line_id=body["line"],
            amount=body["amount"],
            reason=body["reason"],
            reference=body["reference"],
        )
        done = post_late_costs(drafts=[draft], actor=actor_of(request), now=timezone.now())[0]
        parts = ("amount", "on_hand", "sold", "group_sold", "adjusted")
        shown = {"id": done.late_cost_id, **{name: getattr(done, name) for name in parts}}
        return Response(shown, status=201 if done.is_new else 200)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    names = {
        "entity__code": "entity",
        "entity__currency": "currency",
        "receipt_line__receipt__number": "receipt",
        "receipt_line_id": "line",
        "receipt_line__product__code": "product",
    }
    return {names.get(key, key): value for key, value in row.items()}

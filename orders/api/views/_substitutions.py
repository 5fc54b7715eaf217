"""What customers are asked about in place of what they ordered, over REST."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.serializers import StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.models import Substitution
from orders.selectors import SubstitutionRow, substitution_rows
from orders.services.substituting import accept_substitution, decline_substitution

SHOWN = (
    "id", "line", "product", "other", "quantity", "other_quantity", "unit_price", "discount",
    "currency", "price_rule", "reason", "state", "proposed_at", "answered_at", "answered_by",
    "answer",
)  # fmt: skip


class AnswerInput(StrictSerializer):
    """Who said so, and what."""

    answer = TextInput(max_length=300, required=False)


class SubstitutionOutput(fields.Serializer[Any]):
    """Quantities in base units; prices per base unit of the other in `currency`."""

    id = fields.IntegerField()
    order = fields.CharField()
    line = fields.IntegerField()
    customer = fields.CharField()
    product = fields.CharField()
    other = fields.CharField()
    quantity = fields.CharField()
    other_quantity = fields.CharField()
    unit_price = fields.CharField()
    discount = fields.CharField()
    currency = fields.CharField()
    price_rule = fields.CharField()
    reason = fields.CharField()
    state = fields.CharField()
    proposed_at = fields.DateTimeField()
    answered_at = fields.DateTimeField(allow_null=True)
    answered_by = fields.CharField()
    answer = fields.CharField()


class SubstitutionViewSet(ResourceViewSet):
    """Another product for a part of a line: to be asked about, answered, or sent unasked."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        "accept": permissions.SUBMIT,
        "decline": permissions.SUBMIT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Substitution.State.values)),
        "order": TextFilter("line__order__number"),
        "product": TextFilter("product__code"),
        "other": TextFilter("other__code"),
    }
    lookup_value_regex = "[0-9]{1,18}"
    ordering_fields = ("id",)
    inputs: ClassVar = {"accept": AnswerInput, "decline": AnswerInput}
    outputs: ClassVar = dict.fromkeys(("list", "retrieve", "accept", "decline"), SubstitutionOutput)

    def list(self, request: Request) -> Response:
        found = Substitution.objects.filter(entity_id__in=self.scope()).values("id")
        return self.page(found, self._rows)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._shown(pk))

    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Send it: the customer agreed."""
        self._shown(pk)
        accept_substitution(
            substitution_id=int(pk),
            answer=self.body().get("answer", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(self._shown(pk))

    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Let the line wait on: the customer does not want it."""
        self._shown(pk)
        decline_substitution(
            substitution_id=int(pk),
            answer=self.body().get("answer", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(self._shown(pk))

    def _shown(self, pk: str) -> dict[str, Any]:
        found = substitution_rows(entity_ids=self.scope(), ids=[int(pk)])
        if not found:
            raise NotFound(f"There is no substitution {pk}.")
        return _output(found[0])

    def _rows(self, page: Any) -> Iterable[dict[str, Any]]:
        ids = [row["id"] for row in page]
        found = substitution_rows(entity_ids=self.scope(), ids=ids, limit=len(ids))
        by_id = {each.id: _output(each) for each in found}
        return (by_id[pk] for pk in ids)


def _output(row: SubstitutionRow) -> dict[str, Any]:
    shown = asdict(row)
    return {
        "order": shown["order_number"],
        "customer": shown["customer_code"],
        **{name: shown[name] for name in SHOWN},
    }

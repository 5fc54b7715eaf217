"""Stock kept for customers for a while, over REST."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api.serializers import NothingInput
from orders.models import Order, Quote, SetAside
from orders.selectors import SetAsideRow, ids_by_code, product_ids, set_asides
from orders.services.reserving import (
    SetAsideDraft,
    extend_set_aside,
    give_back_set_aside,
    set_aside,
    use_set_aside,
)


class SetAsideInput(StrictSerializer):
    """So many base units for a customer, perhaps for one of their quotes, until a moment."""

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    product = TextInput(max_length=40)
    quantity = QuantityInput()
    until = fields.DateTimeField()
    node = TextInput(max_length=20, required=False)
    quote = TextInput(max_length=30, required=False)
    note = TextInput(max_length=300, required=False)


class ExtendInput(StrictSerializer):
    until = fields.DateTimeField()


class UseInput(StrictSerializer):
    """The number of the order that gets it."""

    order = TextInput(max_length=20)


class SetAsideOutput(fields.Serializer[Any]):
    """What is kept, for whom, where, and until when."""

    id = fields.IntegerField()
    number = fields.CharField()
    entity = fields.CharField()
    customer = fields.CharField()
    product = fields.CharField()
    uom = fields.CharField()
    quantity = fields.CharField()
    node = fields.CharField(allow_blank=True)
    places = fields.CharField(allow_blank=True)
    state = fields.CharField()
    kept_until = fields.DateTimeField()
    quote = fields.CharField(allow_blank=True)
    order_number = fields.CharField(allow_blank=True)


class SetAsideViewSet(ResourceViewSet):
    """Stock kept for a customer without an order: it lapses, is given back, or goes to an order."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        **dict.fromkeys(("create", "release", "extend", "use"), permissions.SET_ASIDE),
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(SetAside.State.values)),
        "customer": TextFilter("customer__code"),
        "product": TextFilter("product__code"),
    }
    ordering_fields = ("id", "kept_until")
    inputs: ClassVar = {
        "create": SetAsideInput,
        "release": NothingInput,
        "extend": ExtendInput,
        "use": UseInput,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "release", "extend", "use"), SetAsideOutput
    )

    def list(self, request: Request) -> Response:
        def shown(found: Any) -> list[SetAsideRow]:
            return [self._one(row.number) for row in found]

        return self.page(SetAside.objects.filter(entity_id__in=self.scope()), shown)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._one(number))

    def create(self, request: Request) -> Response:
        """Keep all of it or nothing."""
        body, now = self.body(), timezone.now()
        entity_id = self.entity_id(body["entity"])
        code = body["product"].upper()
        made = set_aside(
            draft=SetAsideDraft(
                entity_id=entity_id,
                customer_id=_known("customer", body["customer"]),
                product_id=_found("product", body["product"], product_ids(codes=[code]), code),
                quantity=body["quantity"],
                until=body["until"],
                node_id=_known("node", body["node"]) if body.get("node") else None,
                quote_id=_quote(body.get("quote", ""), entity_id),
                note=body.get("note", ""),
            ),
            actor=actor_of(request),
            now=now,
        )
        return Response(self._one(made.number), status=201)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Give it back."""
        self.body()
        kept = self._one(number)
        give_back_set_aside(set_aside_id=kept.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def extend(self, request: Request, number: str) -> Response:
        """Keep it until a later moment."""
        kept, until = self._one(number), self.body()["until"]
        now = timezone.now()
        extend_set_aside(set_aside_id=kept.id, until=until, actor=actor_of(request), now=now)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def use(self, request: Request, number: str) -> Response:
        """Give it to a released order of the same customer."""
        kept, asked = self._one(number), self.body()["order"]
        order = Order.objects.filter(number=asked, entity_id__in=self.scope()).first()
        if order is None:
            said = [ErrorDetail(f"There is no order {asked!r}.", "unknown")]
            raise ValidationError({"order": said})
        use_set_aside(
            set_aside_id=kept.id, order_id=order.pk, actor=actor_of(request), now=timezone.now()
        )
        return self.retrieve(request, number)

    def _one(self, number: str) -> SetAsideRow:
        found = set_asides(entity_ids=self.scope(), number=number or "-", limit=1)
        if not found:
            raise NotFound(f"Nothing is set aside as {number[:40]!r}.")
        return found[0]


def _known(kind: str, code: str) -> int:
    return _found(kind, code, ids_by_code(kind, [code]), code)


def _found(kind: str, asked: str, known: dict[str, int], code: str) -> int:
    if code not in known:
        said = [ErrorDetail(f"There is no {kind} {asked[:40]!r}.", "unknown")]
        raise ValidationError({kind: said})
    return known[code]


def _quote(number: str, entity_id: int) -> int | None:
    if not number:
        return None
    found = Quote.objects.filter(number=number, entity_id=entity_id).first()
    if found is None:
        raise ValidationError({"quote": [ErrorDetail(f"There is no quote {number!r}.", "unknown")]})
    return found.pk

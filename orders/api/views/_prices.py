"""Prices of lists and contracts."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import Entity
from erp.api.filters import ChoiceFilter, DateFilter, Filter, TextFilter
from erp.api.problems import ErrorDetail, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api import serializers
from orders.models import Price
from orders.selectors import ids_by_code, prices_within, product_ids
from orders.services import PriceRow, upsert_prices


class PriceViewSet(ResourceViewSet):
    """Prices. Writing one that is known by product, customer, break and day changes it."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRICE,
        "create": permissions.CHANGE_PRICE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "kind": ChoiceFilter("kind", choices=tuple(Price.Kind.values)),
        "product": TextFilter("product__code"),
        "customer": TextFilter("customer__code"),
        "valid_after": DateFilter("valid_from__gte"),
    }
    ordering_fields = ("id", "valid_from")
    inputs: ClassVar = {"create": serializers.PriceInput}
    outputs: ClassVar = {"list": serializers.PriceOutput}

    def list(self, request: Request) -> Response:
        return self.page(prices_within(entity_ids=self.scope()), shown)

    def create(self, request: Request) -> Response:
        """Write a price, or one with its breaks."""
        body = self.body()
        entity = Entity.objects.get(pk=self.entity_id(body["entity"]))
        shared = {
            "entity_id": entity.pk,
            "product_id": _id_of("product", body["product"]),
            "customer_id": _id_of("customer", body["customer"]) if body.get("customer") else None,
            "currency": body.get("currency") or entity.currency,
            "valid_from": body["valid_from"],
            "valid_until": body.get("valid_to"),
        }
        if shared["valid_until"] and shared["valid_until"] <= shared["valid_from"]:
            raise _wrong("valid_to", "It ends before it begins.")
        prices = [PriceRow(**shared, **each) for each in _breaks(body)]
        upsert_prices(rows=prices, actor=actor_of(request), now=timezone.now())
        found = prices_within(entity_ids=[entity.pk]).filter(
            product_id=shared["product_id"],
            customer_id=shared["customer_id"],
            valid_from=shared["valid_from"],
        )
        return Response({"results": shown(found.order_by("min_quantity"))}, status=201)


def shown(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return prices as the API shows them."""
    return [
        {
            "id": row["id"],
            "entity": row["entity_code"],
            "kind": row["kind"],
            "product": row["product_code"],
            "customer": row["customer_code"],
            "currency": row["currency"],
            "min_quantity": row["min_quantity"],
            "unit_price": row["unit_price"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_until"],
        }
        for row in found
    ]


def _breaks(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    if ("breaks" in body) == ("unit_price" in body):
        raise _wrong("unit_price", "Write a price, or breaks.")
    if "breaks" in body:
        return [dict(each) for each in body["breaks"]]
    one = {"unit_price": body["unit_price"]}
    return [one | {n: body[n] for n in ("min_quantity",) if n in body}]


def _id_of(kind: str, code: str) -> int:
    found = product_ids(codes=[code]) if kind == "product" else ids_by_code(kind, [code])
    key = code.upper() if kind == "product" else code
    if key not in found:
        raise _wrong(kind, f"There is no {kind} {code[:40]!r}.")
    return found[key]


def _wrong(field: str, message: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(message, "invalid")]})

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
from erp.governance.models import ChangeRequest
from orders import permissions
from orders.api import serializers
from orders.models import Price
from orders.selectors import ids_by_code, price_lists_within, prices_within, product_ids
from orders.services import BadPrice, PriceRow, change_prices


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
        "group": TextFilter("group__code"),
        "price_list": TextFilter("price_list__code"),
        "valid_before": DateFilter("valid_from__lte"),
        "valid_after": DateFilter("valid_from__gte"),
    }
    ordering_fields = ("id", "valid_from")
    inputs: ClassVar = {"create": serializers.PriceInput}
    outputs: ClassVar = {"list": serializers.PriceOutput}

    def list(self, request: Request) -> Response:
        return self.page(prices_within(entity_ids=self.scope()), shown)

    def create(self, request: Request) -> Response:
        """Write a price, or one with its breaks: at once, or 202 where somebody must agree."""
        body = self.body()
        entity = Entity.objects.get(pk=self.entity_id(body["entity"]))
        shared = {
            "entity_id": entity.pk,
            "product_id": id_of("product", body["product"]),
            "customer_id": id_of("customer", body["customer"]) if body.get("customer") else None,
            "group_id": id_of("group", body["group"]) if body.get("group") else None,
            "price_list_id": self._list(body, entity.pk),
            "uom": body.get("uom", "").upper(),
            "currency": body.get("currency") or entity.currency,
            "valid_from": body["valid_from"],
            "valid_until": body.get("valid_to"),
            "seen": body.get("seen", ""),
        }
        try:
            prices = [PriceRow(**shared, **each) for each in _breaks(body)]
            found = change_prices(
                rows=prices,
                actor=actor_of(request),
                now=timezone.now(),
                reason=body.get("reason", ""),
            )
        except BadPrice as refusal:
            raise wrong(refusal.field, str(refusal)) from refusal
        written = prices_within(entity_ids=[entity.pk]).filter(
            product_id=shared["product_id"],
            customer_id=shared["customer_id"],
            group_id=shared["group_id"],
            price_list_id=shared["price_list_id"],
            valid_from=shared["valid_from"],
        )
        answer = {"results": shown(written.order_by("min_quantity"))}
        if found.waiting:
            return Response(
                answer | {"change_requests": [change_shown(each) for each in found.waiting]},
                status=202,
            )
        return Response(answer, status=201)

    def _list(self, body: Mapping[str, Any], entity_id: int) -> int | None:
        code = body.get("price_list")
        if not code:
            return None
        found = price_lists_within(entity_ids=[entity_id]).filter(code=code).first()
        if found is None:
            raise wrong("price_list", f"There is no price list {code[:40]!r}.")
        return int(found.pk)


def shown(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return prices as the API shows them."""
    return [
        {
            "id": row["id"],
            "entity": row["entity_code"],
            "kind": row["kind"],
            "product": row["product_code"],
            "customer": row["customer_code"],
            "group": row["group_code"],
            "price_list": row["list_code"],
            "uom": row["sold_in"],
            "revision": f"{row['id']}.{row['revised']}",
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
        raise wrong("unit_price", "Write a price, or breaks.")
    if "breaks" in body:
        return [dict(each) for each in body["breaks"]]
    one = {"unit_price": body["unit_price"]}
    return [one | {n: body[n] for n in ("min_quantity",) if n in body}]


def change_shown(change: ChangeRequest) -> dict[str, Any]:
    """Return a change that waits as the API shows it."""
    return {
        "id": change.pk,
        "field": change.field,
        "label": change.label,
        "before": change.before,
        "after": change.after,
        "state": str(change.state),
        "role": change.role,
    }


def id_of(kind: str, code: str) -> int:
    """Return the id behind a code.

    Raises:
        ValidationError: there is none; the field is named after the kind.
    """
    found = product_ids(codes=[code]) if kind == "product" else ids_by_code(kind, [code])
    key = code.upper() if kind == "product" else code
    if key not in found:
        raise wrong(kind, f"There is no {kind} {code[:40]!r}.")
    return found[key]


def wrong(field: str, message: str) -> ValidationError:
    """Return a refusal that names one field."""
    return ValidationError({field: [ErrorDetail(message, "invalid")]})

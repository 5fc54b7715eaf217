"""What prices hang on: named lists, customer groups, promotions."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import Entity
from erp.api.filters import ChoiceFilter, DateFilter, Filter, FlagFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.serializers import AmountInput, QuantityInput, RateInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from orders import permissions
from orders.api.views._prices import change_shown, id_of, wrong
from orders.models import CustomerGroup, PriceList, Promotion
from orders.selectors import (
    customer_groups,
    ids_by_code,
    members_elsewhere,
    members_of,
    price_lists_within,
    promotions_within,
)
from orders.services import GroupRow, PriceListRow, PromotionRow
from orders.services.offering import OfferOutcome, OfferRow, change_offers

MEMBERS_MAX = 1_000


def codes_input() -> serializers.ListField:
    """Return a field of codes, in turn of preference where that counts."""
    child: Any = TextInput(max_length=40)
    return serializers.ListField(child=child, required=False, max_length=MEMBERS_MAX)


class GroupInput(StrictSerializer):
    """`members` replaces those there were; left out they stay."""

    code = TextInput(max_length=40)
    name = TextInput(max_length=200)
    parent = TextInput(max_length=40, required=False)  # type: ignore[assignment]
    members = codes_input()


class PriceListInput(StrictSerializer):
    """`customers` and `groups` hold the list, in turn of preference; left out they stay."""

    entity = TextInput(max_length=20)
    code = TextInput(max_length=40)
    name = TextInput(max_length=200)
    currency = TextInput(max_length=3, required=False)
    is_active = serializers.BooleanField(required=False)
    customers = codes_input()
    groups = codes_input()


class PromotionInput(StrictSerializer):
    """A promotion; what is left out narrows nothing. `valid_to` is the first day without it."""

    entity = TextInput(max_length=20)
    code = TextInput(max_length=40)
    name = TextInput(max_length=200)
    kind = serializers.ChoiceField(choices=Promotion.Kind.values)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(required=False, allow_null=True)
    product = TextInput(max_length=40, required=False)
    category = TextInput(max_length=100, required=False)
    customer = TextInput(max_length=40, required=False)
    group = TextInput(max_length=40, required=False)
    min_quantity = QuantityInput(required=False, allow_zero=True)
    percent = RateInput(required=False)
    amount = AmountInput(required=False)
    currency = TextInput(max_length=3, required=False)
    buy_quantity = QuantityInput(required=False)
    free_quantity = QuantityInput(required=False)
    free_product = TextInput(max_length=40, required=False)
    stack = TextInput(max_length=20, required=False)
    is_active = serializers.BooleanField(required=False)


class CustomerGroupViewSet(ResourceViewSet):
    """Customer groups, addressed by code. Writing one that is known changes it."""

    lookup_field = "code"
    ordering = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRICE,
        "retrieve": permissions.VIEW_PRICE,
        "create": permissions.CHANGE_PRICE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "name": TextFilter("name__icontains"),
        "parent": TextFilter("parent__code"),
    }
    ordering_fields = ("code", "id")
    inputs: ClassVar = {"create": GroupInput}

    def list(self, request: Request) -> Response:
        self.scope()
        return self.page(customer_groups(), lambda found: [_group(each) for each in found])

    def retrieve(self, request: Request, code: str) -> Response:
        """Answer one group with its members whom the entities in view serve."""
        group = None if "\0" in code else customer_groups().filter(code=code).first()
        if group is None:
            raise NotFound("There is no such group.")
        members = members_of(group_id=group.pk, entity_ids=self.scope())
        return Response(_group(group) | {"members": members})

    def create(self, request: Request) -> Response:
        body = self.body()
        members = body.get("members")
        if members is not None:
            elsewhere = members_elsewhere(code=body["code"], entity_ids=self.scope())
            members = sorted({*_ids("customer", "members", members), *elsewhere})
        row = GroupRow(
            code=body["code"],
            name=body["name"],
            parent_id=id_of("group", body["parent"]) if body.get("parent") else None,
            members=members,
        )
        outcome = _change(row, min(self.scope()), request)
        made = customer_groups().filter(code=row.code).first()
        return _answer(outcome, _group(made) if made else {})


class PriceListViewSet(ResourceViewSet):
    """Named price lists, addressed by code. Writing one that is known changes it."""

    lookup_field = "code"
    ordering = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRICE,
        "retrieve": permissions.VIEW_PRICE,
        "create": permissions.CHANGE_PRICE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "name": TextFilter("name__icontains"),
        "is_active": FlagFilter("is_active"),
    }
    ordering_fields = ("code", "id")
    inputs: ClassVar = {"create": PriceListInput}

    def list(self, request: Request) -> Response:
        found = price_lists_within(entity_ids=self.scope())
        return self.page(found, lambda rows: [_list(each) for each in rows])

    def retrieve(self, request: Request, code: str) -> Response:
        found = price_lists_within(entity_ids=self.scope())
        kept = None if "\0" in code else found.filter(code=code).first()
        if kept is None:
            raise NotFound("There is no such price list.")
        return Response(_list(kept))

    def create(self, request: Request) -> Response:
        body = self.body()
        entity = Entity.objects.get(pk=self.entity_id(body["entity"]))
        held = {
            name: _ids(kind, name, body[name])
            for name, kind in (("customers", "customer"), ("groups", "group"))
            if name in body
        }
        row = PriceListRow(
            entity_id=entity.pk,
            code=body["code"],
            name=body["name"],
            currency=body.get("currency") or entity.currency,
            is_active=body.get("is_active", True),
            **held,
        )
        outcome = _change(row, entity.pk, request)
        made = price_lists_within(entity_ids=[entity.pk]).filter(code=row.code).first()
        return _answer(outcome, _list(made) if made else {})


class PromotionViewSet(ResourceViewSet):
    """Promotions. Writing one that is known by entity and code changes it."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRICE,
        "create": permissions.CHANGE_PRICE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "kind": ChoiceFilter("kind", choices=tuple(Promotion.Kind.values)),
        "product": TextFilter("product__code"),
        "customer": TextFilter("customer__code"),
        "group": TextFilter("group__code"),
        "is_active": FlagFilter("is_active"),
        "valid_after": DateFilter("valid_from__gte"),
    }
    ordering_fields = ("id", "valid_from")
    inputs: ClassVar = {"create": PromotionInput}

    def list(self, request: Request) -> Response:
        found = promotions_within(entity_ids=self.scope())
        return self.page(found, lambda rows: [_promotion(each) for each in rows])

    def create(self, request: Request) -> Response:
        body = self.body()
        entity_id = self.entity_id(body.pop("entity"))
        values = _promotion_values(body)
        row = PromotionRow(entity_id=entity_id, **values)
        outcome = _change(row, entity_id, request)
        made = promotions_within(entity_ids=[entity_id]).filter(code=row.code).first()
        return _answer(outcome, _promotion(made) if made else {})


def _change(row: OfferRow, entity_id: int, request: Request) -> OfferOutcome:
    actor, now = actor_of(request), timezone.now()
    return change_offers(rows=[row], entity_id=entity_id, actor=actor, now=now)


def _answer(outcome: OfferOutcome, shown: Mapping[str, Any]) -> Response:
    """Answer what is kept now: 201 once written, 202 where somebody must agree."""
    if not outcome.waiting:
        return Response(shown, status=201)
    asked = [change_shown(each) for each in outcome.waiting]
    return Response({**shown, "change_requests": asked}, status=202)


def _promotion_values(body: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a promotion: codes become ids, and what its kind needs is there."""
    until = body.pop("valid_to", None)
    if until is not None and until <= body["valid_from"]:
        raise wrong("valid_to", "It ends before it begins.")
    needs = {
        "percent": ("percent",),
        "amount": ("amount", "currency"),
        "free": ("buy_quantity", "free_quantity"),
    }
    for name in needs[body["kind"]]:
        if not body.get(name):
            raise wrong(name, f"A promotion of kind {body['kind']} says its {name}.")
    ids = {}
    for name in ("product", "customer", "group", "free_product"):
        code = body.pop(name, "")
        if code:
            ids[f"{name}_id"] = id_of("product" if name == "free_product" else name, code)
    return body | ids | {"valid_until": until}


def _ids(kind: str, field: str, codes: Sequence[str]) -> list[int]:
    known = ids_by_code(kind, codes)
    missing = [code for code in codes if code not in known]
    if missing:
        raise wrong(field, f"There is no {kind} {missing[0][:40]!r}.")
    return [known[code] for code in codes]


def _group(group: CustomerGroup) -> dict[str, Any]:
    parent = group.parent.code if group.parent else None
    return {"code": group.code, "name": group.name, "parent": parent}


def _list(each: PriceList) -> dict[str, Any]:
    holders = list(each.holders.all())
    return {
        "code": each.code,
        "entity": each.entity.code,
        "name": each.name,
        "currency": each.currency,
        "is_active": each.is_active,
        "customers": [held.customer.code for held in holders if held.customer],
        "groups": [held.group.code for held in holders if held.group],
    }


def _promotion(each: Promotion) -> Mapping[str, Any]:
    plain = (
        "id", "code", "name", "kind", "category", "min_quantity", "percent", "amount", "currency",
        "buy_quantity", "free_quantity", "stack", "valid_from", "is_active",
    )  # fmt: skip
    return {
        "entity": each.entity.code,
        **{name: getattr(each, name) for name in plain},
        "product": each.product.code if each.product else None,
        "customer": each.customer.code if each.customer else None,
        "group": each.group.code if each.group else None,
        "free_product": each.free_product.code if each.free_product else None,
        "valid_to": each.valid_until,
    }

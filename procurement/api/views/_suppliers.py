"""Suppliers and what they offer."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, FlagFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from procurement import permissions
from procurement.api import serializers
from procurement.api.views._codes import coded, id_of
from procurement.selectors import ids_of, offer_list, supplier_list
from procurement.services import OfferRow, SupplierRow, upsert_offers, upsert_suppliers


class SupplierViewSet(ResourceViewSet):
    """Whom we buy from. Suppliers are shared by all entities."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_SUPPLIER,
        "retrieve": permissions.VIEW_SUPPLIER,
        "create": permissions.CHANGE_SUPPLIER,
        "partial_update": permissions.CHANGE_SUPPLIER,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "name": TextFilter("name__istartswith"),
        "country": TextFilter("country"),
        "is_blocked": FlagFilter("is_blocked"),
    }
    ordering = "code"
    ordering_fields = ("code", "name", "id")
    inputs: ClassVar = {
        "create": serializers.SupplierInput,
        "partial_update": serializers.SupplierChangeInput,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), serializers.SupplierInput
    )

    def list(self, request: Request) -> Response:
        return self.page(supplier_list(), _without_id)

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(self._supplier(code))

    def create(self, request: Request) -> Response:
        """Add a supplier; a code that is taken is refused."""
        body = self.body()
        if ids_of("supplier", [body["code"]]):
            message = "There is a supplier of that code."
            raise ValidationError({"code": [ErrorDetail(message, "unique")]})
        upsert_suppliers(
            suppliers=[SupplierRow(**body)], actor=actor_of(request), now=timezone.now()
        )
        return Response(self._supplier(body["code"]), status=201)

    def partial_update(self, request: Request, code: str) -> Response:
        supplier = self._supplier(code)
        self.check_version(supplier)
        row = SupplierRow(**{**supplier, **self.body()})
        upsert_suppliers(suppliers=[row], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, code)

    def _supplier(self, code: str) -> Mapping[str, Any]:
        found = None if "\0" in code else supplier_list().filter(code=code).first()
        if found is None:
            raise NotFound
        return next(iter(_without_id([found])))


class OfferViewSet(ResourceViewSet):
    """What suppliers offer to an entity, and how they sell it."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_SUPPLIER,
        "create": permissions.CHANGE_SUPPLIER,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "supplier": TextFilter("supplier__code"),
        "product": TextFilter("product__code"),
    }
    ordering = "id"
    ordering_fields = ("id",)
    inputs: ClassVar = {"create": serializers.OfferInput}
    outputs: ClassVar = {"list": serializers.OfferInput, "create": serializers.OfferInput}

    def list(self, request: Request) -> Response:
        return self.page(offer_list(entity_ids=self.scope()), _offers)

    def create(self, request: Request) -> Response:
        """Add an offer, or replace the one of the same entity, supplier and product."""
        body = self.body()
        entity = self.entity_id(body.pop("entity"))
        supplier = id_of("supplier", body.pop("supplier"))
        product = id_of("product", body.pop("product"))
        upsert_offers(
            offers=[OfferRow(supplier_id=supplier, entity_id=entity, product_id=product, **body)],
            actor=actor_of(request),
            now=timezone.now(),
        )
        found = offer_list(entity_ids=[entity]).filter(supplier=supplier, product=product)
        return Response(next(iter(_offers(found))), status=201)


def _offers(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [coded(row) for row in found]


def _without_id(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "id"} for row in found]

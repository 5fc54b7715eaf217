"""Products, nodes and carriers over REST."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import Entity
from erp.api.filters import (
    Filter,
    FlagFilter,
    MomentFilter,
    TextFilter,
    query_values,
)
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import Item, ResourceViewSet, one_by_one
from inventory import permissions
from inventory.api import serializers
from inventory.models import Carrier, Node, Product
from inventory.selectors import projections, stock_rows, uoms_of
from inventory.services import (
    CarrierDraft,
    NodeDraft,
    ProductDraft,
    UomDraft,
    save_carrier,
    save_node,
    save_product,
)
from inventory.services.promising import promise_terms

PRODUCT_FIELDS = (
    "code", "name", "base_uom", "category", "tracking", "weight", "barcode", "pack_note",
    "is_blocked", "is_discontinued", "export_code", "hazmat_class", "licence_required",
    "controlled_share", "order_min", "order_multiple",
)  # fmt: skip
NODE_FIELDS = (
    "code", "name", "country", "city", "region", "time_zone", "cutoff", "handling_days",
    "is_active", "lines_per_day",
)  # fmt: skip
CARRIER_FIELDS = (
    "code", "name", "currency", "base_rate", "rate_per_kg", "transit_days", "phone", "is_active",
)  # fmt: skip


def taken(code: str) -> ValidationError:
    return ValidationError({"code": [ErrorDetail(f"There is a {code} already.", "taken")]})


class MasterViewSet(ResourceViewSet):
    """What products, nodes and carriers have in common: kept by code, no entity's alone."""

    lookup_field = "code"
    ordering = "code"
    ordering_fields = ("code", "name")

    def rows(self) -> Any:
        raise NotImplementedError

    def present(self, rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        raise NotImplementedError

    def save(self, values: dict[str, Any]) -> None:
        raise NotImplementedError

    def list(self, request: Request) -> Response:
        return self.page(self.rows(), self.present)

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(self.one(code))

    def create(self, request: Request) -> Response:
        return Response(self.add(self.body()), status=201)

    def partial_update(self, request: Request, code: str) -> Response:
        before = self.one(code)
        self.check_version(before)
        self.save(self.kept(code) | self.body())
        return Response(self.one(code))

    def one(self, code: str) -> Item:
        found = None if "\0" in code else self.rows().filter(code=code).first()
        if found is None:
            raise NotFound(f"There is no {self.basename} {code[:50]!r}.")
        return self.present([found])[0]

    def kept(self, code: str) -> dict[str, Any]:
        """Return the row as a draft would hold it."""
        return dict(self.rows().values(*self.kept_fields).get(code=code))

    def add(self, values: dict[str, Any]) -> Item:
        if self.rows().filter(code=values["code"]).exists():
            raise taken(values["code"])
        self.save(values)
        return self.one(values["code"])

    kept_fields: ClassVar[tuple[str, ...]] = ()


class ProductViewSet(MasterViewSet):
    """Products and the units they are counted in."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRODUCT,
        "retrieve": permissions.VIEW_PRODUCT,
        "create": permissions.CHANGE_PRODUCT,
        "partial_update": permissions.CHANGE_PRODUCT,
        "bulk_create": permissions.CHANGE_PRODUCT,
        "stock": permissions.VIEW_STOCK,
        "projection": permissions.VIEW_STOCK,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "starts_with": TextFilter("code__istartswith"),
        "name": TextFilter("name__icontains"),
        "category": TextFilter("category"),
        "barcode": TextFilter("barcode"),
        "is_blocked": FlagFilter("is_blocked"),
        "is_discontinued": FlagFilter("is_discontinued"),
        "export_code": TextFilter("export_code"),
        "hazmat_class": TextFilter("hazmat_class"),
        "licence_required": FlagFilter("licence_required"),
        "created_after": MomentFilter("created_at__gte"),
    }
    inputs: ClassVar = {
        "create": serializers.ProductInput,
        "partial_update": serializers.ProductPatch,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), serializers.ProductOutput
    ) | {"stock": serializers.StockOutput}
    kept_fields = PRODUCT_FIELDS

    def rows(self) -> Any:
        return Product.objects.values("id", *PRODUCT_FIELDS)

    def present(self, rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        units = uoms_of(product_ids=[row["id"] for row in rows])
        return [
            {**{name: row[name] for name in PRODUCT_FIELDS}, "uoms": units.get(row["id"], [])}
            for row in rows
        ]

    def save(self, values: dict[str, Any]) -> None:
        if "uoms" in values:
            values = values | {"uoms": [UomDraft(**unit) for unit in values["uoms"]]}
        save_product(draft=ProductDraft(**values), actor=actor_of(self.request), now=timezone.now())

    @action(detail=False, methods=["post"], url_path="bulk")
    def bulk_create(self, request: Request) -> Response:
        """Add many; each is answered by itself."""
        return self.bulk(serializers.ProductInput, one_by_one(self.add))

    @action(detail=True)
    def stock(self, request: Request, code: str) -> Response:
        """Answer its balances in the caller's entities."""
        query_values(request, {})
        self.one(code)
        found = stock_rows(entity_ids=self.scope(), product=code, limit=1_000)
        return Response(
            {
                "results": [
                    {
                        "id": row.id,
                        "entity": row.entity,
                        "product": row.product,
                        "node": row.node,
                        "lot": None,
                        "status": row.status,
                        "on_hand": row.on_hand,
                        "reserved": row.reserved,
                        "available": row.available,
                    }
                    for row in found
                ],
                "next": None,
                "previous": None,
            }
        )

    @action(detail=True)
    def projection(self, request: Request, code: str) -> Response:
        """Answer day by day what will be there and what may be promised: each owner, each node."""
        asked = query_values(request, {"node": TextFilter()})
        self.one(code)
        now = timezone.now()
        product_id = self.rows().values_list("id", flat=True).get(code=code)
        results = [
            {"entity": entity, **asdict(row)}
            for entity, entity_id in self._entities()
            for row in projections(
                product_id=product_id,
                entity_ids=[entity_id],
                now=now,
                terms=promise_terms(entity_id=entity_id, now=now).terms,
            )
            if asked.get("node") in (None, row.node)
        ]
        for row in results:
            del row["entity_id"]
        return Response({"results": results, "next": None, "previous": None})

    def _entities(self) -> list[tuple[str, int]]:
        found = Entity.objects.filter(pk__in=self.scope()).order_by("code")
        return list(found.values_list("code", "pk"))


class NodeViewSet(MasterViewSet):
    """Places that keep stock. Everybody may know them; only their entity's people change them."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_NODE,
        "retrieve": permissions.VIEW_NODE,
        "create": permissions.CHANGE_NODE,
        "partial_update": permissions.CHANGE_NODE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "country": TextFilter("country"),
        "is_active": FlagFilter("is_active"),
    }
    inputs: ClassVar = {"create": serializers.NodeInput, "partial_update": serializers.NodePatch}
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), serializers.NodeOutput
    )
    kept_fields = (*NODE_FIELDS, "entity_id")

    def rows(self) -> Any:
        nodes = Node.objects.values(*NODE_FIELDS, "entity__code")
        return nodes.filter(entity_id__in=self.scope()) if self._narrowed else nodes

    @property
    def _narrowed(self) -> bool:
        is_change = self.action in self.inputs
        return is_change or "entity" in self.request.query_params

    def present(self, rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        return [
            {**{name: row[name] for name in NODE_FIELDS}, "entity": row["entity__code"]}
            for row in rows
        ]

    def add(self, values: dict[str, Any]) -> Item:
        entity_id = self.entity_id(values.pop("entity"))
        if Node.objects.filter(code=values["code"]).exists():
            raise taken(values["code"])
        self.save(values | {"entity_id": entity_id})
        return self.one(values["code"])

    def save(self, values: dict[str, Any]) -> None:
        save_node(draft=NodeDraft(**values), actor=actor_of(self.request), now=timezone.now())


class CarrierViewSet(MasterViewSet):
    """Who moves shipments, and at what rates."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_CARRIER,
        "retrieve": permissions.VIEW_CARRIER,
        "create": permissions.CHANGE_CARRIER,
        "partial_update": permissions.CHANGE_CARRIER,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "currency": TextFilter("currency"),
        "is_active": FlagFilter("is_active"),
    }
    inputs: ClassVar = {
        "create": serializers.CarrierInput,
        "partial_update": serializers.CarrierPatch,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update"), serializers.CarrierOutput
    )
    kept_fields = CARRIER_FIELDS

    def rows(self) -> Any:
        return Carrier.objects.values(*CARRIER_FIELDS)

    def present(self, rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        return rows

    def save(self, values: dict[str, Any]) -> None:
        save_carrier(draft=CarrierDraft(**values), actor=actor_of(self.request), now=timezone.now())

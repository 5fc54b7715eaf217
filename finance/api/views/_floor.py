"""Shipments from the shelf to the customer, and goods that come in."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from finance.api import serializers
from finance.api.views._papers import PdfRenderer, ZplRenderer
from finance.selectors import (
    ShipmentPaper,
    incoming_order,
    shipment_list,
    shipment_paper,
)
from finance.services import (
    LotOnGoods,
    confirm_direct_shipment,
    deliver_shipments,
    packing_slip_pdf,
    receive_purchase_order,
    ship_shipments,
    shipment_labels,
    void_shipment,
)
from inventory import permissions
from inventory.selectors import bins_at
from inventory.services import Pack, Pick, ShortPick, fail_shipment, pack_shipments
from inventory.services.binning import BinPick
from inventory.services.numbering import SerialPick
from inventory.services.tracking import LotSwap
from orders.services import pick_shipments

STATES = ("planned", "picked", "packed", "shipped", "delivered", "failed", "void")


class ShipmentViewSet(ResourceViewSet):
    """Shipments are made by releasing orders; here they are picked, packed and sent."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_SHIPMENT,
        "retrieve": permissions.VIEW_SHIPMENT,
        "tracking": permissions.VIEW_SHIPMENT,
        "labels": permissions.VIEW_SHIPMENT,
        "packing_slip": permissions.VIEW_SHIPMENT,
        "pick": permissions.PICK,
        "pack": permissions.PACK,
        "ship": permissions.SHIP,
        "deliver": permissions.SHIP,
        "fail": permissions.SHIP,
        "void": permissions.PACK,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=STATES),
        "node": TextFilter("node__code"),
        "order": TextFilter("source_number"),
        "carrier": TextFilter("carrier__code"),
        "planned_before": DateFilter("planned_date__lt"),
        "created_after": MomentFilter("created_at__gte"),
        "shipped_after": MomentFilter("shipped_at__gte"),
    }
    ordering_fields = ("id", "planned_date", "number")
    inputs: ClassVar = {
        "pick": serializers.PickInput,
        "pack": serializers.PackInput,
        "ship": serializers.NothingInput,
        "deliver": serializers.NothingInput,
        "fail": serializers.ReasonInput,
        "void": serializers.ReasonInput,
    }
    outputs: ClassVar = {"list": serializers.ShipmentOutput}

    def list(self, request: Request) -> Response:
        return self.page(shipment_list(entity_ids=self.scope()), self._rows)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._shown(self._shipment(number)))

    @action(detail=True, methods=["post"])
    def pick(self, request: Request, number: str) -> Response:
        """Confirm what was found; lines not named were found in full."""
        shipment = self._shipment(number)
        lines = self.body().get("lines", [])
        quantities = {line.id: line.quantity for line in shipment.lines}
        for line_id in {line["line"] for line in lines} - quantities.keys():
            raise ValidationError({"lines": [ErrorDetail(f"{line_id} is not on it.", "invalid")]})
        pick = Pick(
            shipment_id=shipment.id,
            shorts=_shorts(lines, quantities),
            swaps=[
                LotSwap(line_id=line["line"], lot=line["lot"], reason=line.get("lot_reason", ""))
                for line in lines
                if line.get("lot")
            ],
            bins=_bins(shipment.node, lines),
            serials=[
                SerialPick(
                    line_id=line["line"],
                    numbers=line.get("serials", []),
                    missing=line.get("missing", []),
                )
                for line in lines
                if line.get("serials") or line.get("missing")
            ],
        )
        pick_shipments(picks=[pick], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def pack(self, request: Request, number: str) -> Response:
        """Put it into cartons."""
        pack = Pack(shipment_id=self._shipment(number).id, cartons=self.body().get("cartons", ()))
        pack_shipments(packs=[pack], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def ship(self, request: Request, number: str) -> Response:
        """Confirm that it left."""
        shipment = self._shipment(number)
        self.body()
        ship_shipments(shipment_ids=[shipment.id], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def deliver(self, request: Request, number: str) -> Response:
        """Note that the customer has it."""
        shipment = self._shipment(number)
        self.body()
        deliver_shipments(shipment_ids=[shipment.id], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def fail(self, request: Request, number: str) -> Response:
        """Note that it did not arrive, and why."""
        fail_shipment(
            shipment_id=self._shipment(number).id,
            reason=self.body()["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def void(self, request: Request, number: str) -> Response:
        """Take it back before it leaves: its goods are planned anew."""
        void_shipment(
            shipment_id=self._shipment(number).id,
            reason=self.body()["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, number)

    @extend_schema(responses={(200, "application/zpl"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], renderer_classes=[ZplRenderer])
    def labels(self, request: Request, number: str) -> Response:
        """Return the carton labels as ZPL."""
        text = shipment_labels(shipment=self._shipment(number))
        return Response(text.encode(), content_type="application/zpl; charset=utf-8")

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(
        detail=True,
        methods=["get"],
        url_path="packing-slip",
        renderer_classes=[PdfRenderer],
    )
    def packing_slip(self, request: Request, number: str) -> Response:
        """Return the packing slip as PDF."""
        content = packing_slip_pdf(shipment=self._shipment(number))
        return Response(content, content_type="application/pdf")

    @action(detail=True, methods=["get"])
    def tracking(self, request: Request, number: str) -> Response:
        """Return where it is, as far as we know."""
        shipment = self._shipment(number)
        return Response(
            {
                "number": shipment.number,
                "carrier": shipment.carrier,
                "tracking_number": shipment.tracking_number,
                "state": shipment.state,
                "shipped_at": shipment.shipped_at,
                "delivered_at": shipment.delivered_at,
                "failure": shipment.failure,
            }
        )

    def _shipment(self, number: str) -> ShipmentPaper:
        found = None
        if "\0" not in number:
            found = shipment_paper(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no shipment {number[:50]!r}.")
        return found

    @staticmethod
    def _rows(rows: Any) -> Any:
        names = {"entity__code": "entity", "node__code": "node", "carrier__code": "carrier"}
        names |= {"source_number": "order"}
        return [{names.get(key, key): value for key, value in row.items()} for row in rows]

    @staticmethod
    def _shown(shipment: ShipmentPaper) -> dict[str, Any]:
        heads = (
            "number", "state", "entity", "node", "customer", "customer_po", "carrier", "ship_to",
            "planned_date", "promised_date", "created_at", "picked_at", "packed_at", "shipped_at",
            "delivered_at", "tracking_number", "weight", "freight_cost", "currency", "failure",
        )  # fmt: skip
        return {
            **{name: getattr(shipment, name) for name in heads},
            "order": shipment.order_number,
            "lines": [
                {
                    "line": line.id,
                    "product": line.product_code,
                    "uom": line.uom,
                    "lot": line.lot or None,
                    "expires_on": line.expires_on,
                    "serials": line.serials,
                    "quantity": line.quantity,
                    "picked": line.picked,
                    "short_reason": line.short_reason,
                    "cost": line.cost,
                }
                for line in shipment.lines
            ],
            "cartons": list(shipment.cartons),
        }


class ReceivingViewSet(ResourceViewSet):
    """The dock's command on purchase orders."""

    lookup_field = "number"
    required_permissions: ClassVar = {"receive": permissions.RECEIVE}
    inputs: ClassVar = {"receive": serializers.ReceiveInput}

    def receive(self, request: Request, number: str) -> Response:
        """Take in what came: stock, its value, and what waits for it, in one commit.

        What the supplier sent straight to the customer leaves for them in the same commit.
        """
        found = None
        if "\0" not in number:
            found = incoming_order(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"Nothing is expected of a purchase order {number[:50]!r}.")
        ids = {line.position: line.id for line in found.lines}
        lines = self.body()["lines"]
        for line in lines:
            if line["line"] not in ids:
                message = f"Line {line['line']} is not on {number}."
                raise ValidationError({"lines": [ErrorDetail(message, "invalid")]})
        given: dict[str, Any] = {
            "order_id": found.head.id,
            "lines": [(ids[line["line"]], line["quantity"]) for line in lines],
            "lots": {
                ids[line["line"]]: LotOnGoods(
                    code=line["lot"],
                    expires_on=line.get("expires_on"),
                    manufactured_on=line.get("manufactured_on"),
                    supplier_lot=line.get("supplier_lot", ""),
                )
                for line in lines
                if line.get("lot")
            },
            "serials": {
                ids[line["line"]]: line["serials"] for line in lines if line.get("serials")
            },
            "actor": actor_of(request),
            "now": timezone.now(),
        }
        if found.head.for_label:
            sent = confirm_direct_shipment(**given, tracking=self.body().get("tracking", ""))
            shipped = {"shipment": sent.shipment, "value": sent.cost}
            return Response({"order": number, "receipt": sent.receipt, **shipped}, status=201)
        received = receive_purchase_order(**given)
        return Response(
            {"order": number, "receipt": received.number, "value": received.value}, status=201
        )


def _shorts(
    lines: Sequence[Mapping[str, Any]], quantities: Mapping[int, Decimal]
) -> list[ShortPick]:
    """Return the lines of which less was found; one out of several bins is named several times."""
    found: dict[int, Decimal] = {}
    reasons: dict[int, str] = {}
    for line in lines:
        found[line["line"]] = found.get(line["line"], Decimal(0)) + line["quantity"]
        if line.get("reason"):
            reasons[line["line"]] = line["reason"]
    return [
        ShortPick(line_id=line_id, picked=picked, reason=reasons.get(line_id, "not_found"))
        for line_id, picked in found.items()
        if picked != quantities[line_id]
    ]


def _bins(node: str, lines: Sequence[Mapping[str, Any]]) -> list[BinPick]:
    named = [line for line in lines if line.get("bin")]
    known = bins_at(node=node, codes={line["bin"] for line in named})
    for line in named:
        if line["bin"] not in known:
            message = f"There is no bin {line['bin']!r} at {node}."
            raise ValidationError({"lines": [ErrorDetail(message, "does_not_exist")]})
    return [
        BinPick(
            line_id=line["line"],
            bin_id=known[line["bin"]],
            quantity=line["quantity"],
            is_empty=line.get("reason") == "not_found",
        )
        for line in named
    ]

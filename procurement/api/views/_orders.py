"""Purchase orders."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.governance.selectors import timeline
from procurement import permissions
from procurement.api import serializers
from procurement.api.views._codes import coded, id_of
from procurement.api.views._pegging import PegActions
from procurement.models import PurchaseOrder
from procurement.rules import rounded
from procurement.selectors import OrderPage, ids_of, order_list, order_page
from procurement.services import (
    PurchaseLine,
    acknowledge_order,
    approve_order,
    cancel_order,
    close_order,
    reject_order,
    reschedule_order,
    send_order,
    submit_order,
    write_order,
)

FACTS = (
    "created_by", "submitted_by", "submitted_at", "approved_by", "approved_at", "acknowledged_at",
    "received_at", "closed_at", "close_reason", "sent_at",
)  # fmt: skip


class OrderViewSet(PegActions):
    """Purchase orders: written, submitted, approved by somebody else, sent, confirmed."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        "timeline": permissions.VIEW,
        "pegs": permissions.VIEW,
        "impact": permissions.VIEW,
        "create": permissions.WRITE,
        "partial_update": permissions.WRITE,
        "submit": permissions.WRITE,
        "approve": permissions.APPROVE,
        "reject": permissions.APPROVE,
        "send": permissions.SEND,
        "acknowledge": permissions.SEND,
        "reschedule": permissions.SEND,
        "close": permissions.WRITE,
        "cancel": permissions.WRITE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(PurchaseOrder.State.values)),
        "node": TextFilter("node__code"),
        "supplier": TextFilter("supplier__code"),
        "product": TextFilter(
            apply=lambda found, code: found.filter(
                models.Exists(
                    PurchaseOrder.objects.filter(
                        pk=models.OuterRef("pk"), lines__product__code=code
                    )
                )
            )
        ),
        "expected_before": DateFilter("expected_date__lt"),
        "created_after": MomentFilter("created_at__gte"),
    }
    ordering_fields = ("id", "expected_date", "number")
    inputs: ClassVar = {
        "create": serializers.OrderInput,
        "partial_update": serializers.OrderChangeInput,
        "submit": serializers.NothingInput,
        "approve": serializers.NothingInput,
        "reject": serializers.ReasonInput,
        "send": serializers.NothingInput,
        "acknowledge": serializers.AcknowledgeInput,
        "reschedule": serializers.RescheduleInput,
        "close": serializers.OptionalReasonInput,
        "cancel": serializers.ReasonInput,
    }
    outputs: ClassVar = {
        "list": serializers.OrderSummaryOutput,
        **dict.fromkeys(inputs, serializers.OrderOutput),
        "retrieve": serializers.OrderOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(order_list(entity_ids=self.scope()), _orders)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(shown(self._order(number)))

    def create(self, request: Request) -> Response:
        body = self.body()
        order = write_order(
            entity_id=self.entity_id(body["entity"]),
            supplier_id=id_of("supplier", body["supplier"]),
            node_id=id_of("node", body["node"]),
            lines=_lines(body["lines"]),
            actor=actor_of(request),
            now=timezone.now(),
        )
        order.refresh_from_db(fields=["number"])
        return Response(shown(self._order(order.number)), status=201)

    def partial_update(self, request: Request, number: str) -> Response:
        """Rewrite a draft; sent with `If-Match`, only if nobody else did."""
        order, body = self._order(number), self.body()
        self.check_version(shown(order))
        kept = [
            PurchaseLine(line.product_id, line.quantity, line.unit_price, line.expected_date)
            for line in order.lines
        ]
        write_order(
            entity_id=order.entity_id,
            supplier_id=id_of("supplier", body.get("supplier", order.supplier_code)),
            node_id=id_of("node", body.get("node", order.node_code)),
            lines=_lines(body["lines"]) if "lines" in body else kept,
            actor=actor_of(request),
            now=timezone.now(),
            order_id=order.id,
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """Answer what happened to it, the newest first."""
        thread = f"procurement.order:{self._order(number).id}"
        entries = timeline(thread=thread, entity_ids=self.scope())
        return Response({"results": [asdict(entry) for entry in entries]})

    @action(detail=True, methods=["post"])
    def submit(self, request: Request, number: str) -> Response:
        """Ask for the approval that the policy wants."""
        self.body()
        submit_order(order_id=self._order(number).id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Agree to it; never one's own."""
        self.body()
        approve_order(order_id=self._order(number).id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, number: str) -> Response:
        """Send it back to its author, with the reason."""
        reject_order(
            order_id=self._order(number).id,
            actor=actor_of(request),
            reason=self.body()["reason"],
            now=timezone.now(),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def send(self, request: Request, number: str) -> Response:
        """Tell the supplier."""
        self.body()
        send_order(order_id=self._order(number).id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, number: str) -> Response:
        """Note that the supplier confirmed, with other dates for the lines named."""
        order = self._order(number)
        acknowledge_order(
            order_id=order.id,
            actor=actor_of(request),
            now=timezone.now(),
            dates=_dates(order, self.body().get("lines", [])),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, number: str) -> Response:
        """Note that lines come on other days."""
        order, body = self._order(number), self.body()
        reschedule_order(
            order_id=order.id,
            dates=_dates(order, body["lines"]),
            actor=actor_of(request),
            now=timezone.now(),
            reason=body.get("reason", ""),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        """Expect nothing more of it."""
        close_order(
            order_id=self._order(number).id,
            actor=actor_of(request),
            now=timezone.now(),
            reason=self.body().get("reason", ""),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Call it off before anything came."""
        cancel_order(
            order_id=self._order(number).id,
            actor=actor_of(request),
            reason=self.body()["reason"],
            now=timezone.now(),
        )
        return self.retrieve(request, number)

    def _order(self, number: str) -> OrderPage:
        found = None if "\0" in number else order_page(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound
        return found


def shown(order: OrderPage) -> dict[str, Any]:
    """Return one order as the API shows it."""
    return {
        "number": order.number,
        "entity": order.entity_code,
        "supplier": order.supplier_code,
        "node": order.node_code,
        "state": order.state,
        "currency": order.currency,
        "total": rounded(order.total),
        "expected_date": order.expected_date,
        "drop_ship": bool(order.for_label),
        "sales_order": order.for_label or None,
        "ship_to": order.ship_to,
        "created_at": order.created_at,
        **{name: getattr(order, name) for name in FACTS},
        "lines": [
            {
                "line": line.position,
                "id": line.id,
                "product": line.product_code,
                "quantity": line.quantity,
                "received": line.received,
                "uom": line.uom,
                "unit_price": line.unit_price,
                "amount": line.amount,
                "expected_date": line.expected_date,
                "proposal": line.proposal_id,
            }
            for line in order.lines
        ],
    }


def _orders(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**coded({k: v for k, v in row.items() if k != "id"}), "total": rounded(row["total"])}
        for row in found
    ]


def _lines(lines: Sequence[Mapping[str, Any]]) -> list[PurchaseLine]:
    known = ids_of("product", list({line["product"] for line in lines}))
    _refuse_unknown("product", [line["product"] not in known for line in lines])
    return [
        PurchaseLine(
            product_id=known[line["product"]],
            quantity=line["quantity"],
            unit_price=line.get("price"),
            expected_date=line.get("expected_date"),
        )
        for line in lines
    ]


def _dates(order: OrderPage, lines: Sequence[Mapping[str, Any]]) -> dict[int, date]:
    by_position = {line.position: line.id for line in order.lines}
    _refuse_unknown("line", [line["line"] not in by_position for line in lines])
    return {by_position[line["line"]]: line["date"] for line in lines}


def _refuse_unknown(field: str, is_unknown: Sequence[bool]) -> None:
    if any(is_unknown):
        said = {field: [ErrorDetail(f"There is no such {field}.", "unknown")]}
        raise ValidationError({"lines": [said if unknown else {} for unknown in is_unknown]})

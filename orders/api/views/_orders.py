"""Orders: taken, checked, held, released, allocated, cancelled."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import Outcome
from erp.governance.selectors import timeline
from orders import permissions
from orders.api import serializers
from orders.api.views._amendments import amendment_of, names_lines, rewritten
from orders.api.views._drafts import FLAGS, Codes, draft_of, split
from orders.api.views._holds import HoldActions
from orders.models import Order
from orders.selectors import (
    LINK_DAYS,
    OrderPage,
    documents_of,
    order_list,
    order_page,
    promises_of,
    receipts_of,
    serving_terms,
    tracking_token,
)
from orders.services import (
    CreatedOrder,
    LineCancel,
    OrderDraft,
    allocate_orders,
    amend_draft,
    amend_order,
    cancel_lines,
    cancel_order,
    create_order,
    create_orders_bulk,
    lift_hold,
    lift_holds,
    place_hold,
    submit_order,
    submit_orders,
)
from orders.services.insisting import insist_line, insist_order
from orders.services.promising import Taken, take_order


class OrderViewSet(HoldActions):
    """Orders, addressed by number."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "retrieve": permissions.VIEW,
        "timeline": permissions.VIEW,
        "receipts": permissions.VIEW,
        "promises": permissions.VIEW,
        "documents": permissions.VIEW,
        "tracking": permissions.VIEW,
        "create": permissions.SUBMIT,
        "create_many": permissions.SUBMIT,
        "partial_update": permissions.SUBMIT,
        "submit": permissions.SUBMIT,
        "cancel": permissions.CANCEL,
        "allocate": permissions.ALLOCATE,
        "release": permissions.RELEASE,
        "release_many": permissions.RELEASE,
        "reevaluate_many": permissions.RELEASE,
        "hold_many": permissions.RELEASE,
        "holds": permissions.VIEW,
        "hold": permissions.RELEASE,
        "release_hold": permissions.RELEASE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Order.State.values)),
        "customer": TextFilter("customer__code"),
        "customer_po": TextFilter("customer_po"),
        "external_ref": TextFilter("external_ref"),
        "channel": TextFilter("channel"),
        "class_code": TextFilter("class_code"),
        "created_after": MomentFilter("created_at__gte"),
        "created_before": MomentFilter("created_at__lt"),
        "requested_before": DateFilter("requested_date__lt"),
    }
    ordering_fields = ("id", "requested_date", "total", "number")
    inputs: ClassVar = {
        "create": serializers.OrderInput,
        "create_many": serializers.BulkOrderInput,
        "partial_update": serializers.OrderChangeInput,
        "submit": serializers.NothingInput,
        "cancel": serializers.CancelInput,
        "allocate": serializers.NothingInput,
        "release": serializers.ReasonInput,
        "hold": serializers.HoldInput,
        "release_hold": serializers.HoldReleaseInput,
        "release_many": serializers.BulkReleaseInput,
        "reevaluate_many": serializers.BulkReevaluateInput,
        "hold_many": serializers.BulkForceInput,
    }
    outputs: ClassVar = {
        "list": serializers.OrderSummaryOutput,
        "retrieve": serializers.OrderOutput,
        **dict.fromkeys(
            ("create", "partial_update", "submit", "cancel", "allocate", "release"),
            serializers.OrderOutput,
        ),
        "hold": serializers.OrderOutput,
        "release_hold": serializers.OrderOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(order_list(entity_ids=self.scope()), _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(shown(self._order(number)))

    def create(self, request: Request) -> Response:
        """Take an order; with `submit` it is checked, with `allocate` stock is kept, at once."""
        body = self.body()
        entity_id, reserve = self.entity_id(body["entity"]), body.get("allocate", False)
        if reserve and entity_id not in self.scope(permissions.ALLOCATE):
            self.permission_denied(request)
        draft = draft_of(body, entity_id, Codes([body]))
        who: dict[str, Any] = {"draft": draft, "actor": actor_of(request), "now": timezone.now()}
        made: CreatedOrder | Taken
        if reserve or body.get("submit"):
            made = take_order(**who, reserve=reserve)
        else:
            made = create_order(**who)
        page = self._order(made.number)
        headers = {"Location": f"/api/v1/orders/{made.number}/"}
        return Response(shown(page), status=201 if made.created else 200, headers=headers)

    @action(detail=False, methods=["post"], url_path="bulk", url_name="bulk")
    def create_many(self, request: Request) -> Response:
        """Take many orders at once; each answers for itself."""
        return self.bulk(serializers.BulkOrderInput, self._take)

    def partial_update(self, request: Request, number: str) -> Response:
        """Change the order until its goods leave; sent with `If-Match`, only if nobody else did."""
        page, body = self._order(number), self.body()
        self.check_version(shown(page))
        now, actor = timezone.now(), actor_of(request)
        if page.is_rewritten_whole and not names_lines(body):
            amend_draft(order_id=page.id, draft=rewritten(page, body), actor=actor, now=now)
        else:
            seen = page.revision if "If-Match" in request.headers else body.get("revision")
            wish = amendment_of(page, body)
            with transaction.atomic():
                amend_order(order_id=page.id, amendment=wish, revision=seen, actor=actor, now=now)
                self._insist(page, body, now)
        return self.retrieve(request, number)

    def _insist(self, page: OrderPage, body: Mapping[str, Any], now: datetime) -> None:
        """Have the order served as the body insists on, in all or line by line."""
        actor = actor_of(self.request)
        said = split(body.get("constraints", {})).get("serving", {})
        insist_order(order_id=page.id, said=said, actor=actor, now=now)
        ids = {line.position: line.id for line in page.lines}
        for line in body.get("lines", ()):
            if "line" in line and "min_shelf_days" in line:
                days = line["min_shelf_days"]
                insist_line(line_id=ids[line["line"]], fresh_days=days, actor=actor, now=now)

    @action(detail=True, methods=["post"])
    def submit(self, request: Request, number: str) -> Response:
        """Check the draft and release it, or hold it."""
        self.body()
        page = self._order(number)
        submit_order(order_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Cancel the order, or quantities of lines."""
        page, body = self._order(number), self.body()
        who = {"actor": actor_of(request), "reason": body["reason"], "now": timezone.now()}
        if "lines" in body:
            cancel_lines(order_id=page.id, lines=_cancels(page, body["lines"]), **who)
        else:
            cancel_order(order_id=page.id, **who)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, number: str) -> Response:
        """Have stock kept now for what waits."""
        self.body()
        page = self._order(number)
        allocate_orders(order_ids=[page.id], cause="Asked for over REST", now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, number: str) -> Response:
        """Lift every hold of the order."""
        page, reason = self._order(number), self.body()["reason"]
        lift_holds(order_id=page.id, actor=actor_of(request), reason=reason, now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["get"])
    def holds(self, request: Request, number: str) -> Response:
        """Answer the holds, the active first."""
        return Response({"results": [asdict(hold) for hold in self._order(number).holds]})

    @holds.mapping.post
    def hold(self, request: Request, number: str) -> Response:
        """Stop the order by hand."""
        page, reason = self._order(number), self.body()["reason"]
        place_hold(order_id=page.id, reason=reason, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path=r"holds/(?P<hold_id>[0-9]{1,18})/release")
    def release_hold(self, request: Request, number: str, hold_id: str) -> Response:
        """Lift one hold."""
        page, body = self._order(number), self.body()
        if int(hold_id) not in {hold.id for hold in page.holds}:
            raise NotFound("There is no such hold on this order.")
        lift_hold(
            hold_id=int(hold_id),
            actor=actor_of(request),
            reason=body["reason"],
            now=timezone.now(),
            valid_until=body.get("valid_until"),
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """Answer what happened to it, the newest first."""
        thread = f"orders.order:{self._order(number).id}"
        entries = timeline(thread=thread, entity_ids=self.scope())
        return Response({"results": [asdict(entry) for entry in entries]})

    @action(detail=True, methods=["get"])
    def receipts(self, request: Request, number: str) -> Response:
        """Answer the last allocation decision about each line."""
        found = receipts_of(order_id=self._order(number).id, limit=500)
        return Response({"results": [asdict(receipt) for receipt in found]})

    @action(detail=True, methods=["get"])
    def promises(self, request: Request, number: str) -> Response:
        """Answer by line what is promised, what it rests on, and every change with its cause."""
        found = promises_of(order_id=self._order(number).id)
        return Response({"results": [asdict(line) for line in found]})

    @action(detail=True, methods=["get"])
    def documents(self, request: Request, number: str) -> Response:
        """Answer the quotes it came from, the shipments made for it and what was told above."""
        order_id = self._order(number).id
        return Response({"results": documents_of(order_id=order_id, entity_ids=self.scope())})

    @action(detail=True, methods=["get"])
    def tracking(self, request: Request, number: str) -> Response:
        """Answer the link by which the customer follows the order without signing in."""
        token = tracking_token(order_id=self._order(number).id)
        path = reverse("orders:track", args=[token])
        return Response({"url": request.build_absolute_uri(path), "days": LINK_DAYS})

    def _order(self, number: str) -> OrderPage:
        page = order_page(number=number, entity_ids=self.scope(), line_limit=10_000)
        if page is None:
            raise NotFound(f"There is no order {number[:40]!r}.")
        return page

    def _take(self, bodies: Sequence[dict[str, Any]]) -> Sequence[Outcome]:
        """Take the orders of a bulk request, and submit those that ask for it."""
        codes, now, actor = Codes(bodies), timezone.now(), actor_of(self.request)
        entities = cache(self.entity_id)
        drafts: dict[int, OrderDraft] = {}
        found: dict[int, Outcome] = {}
        for index, body in enumerate(bodies):
            try:
                drafts[index] = draft_of(body, entities(body["entity"]), codes)
            except (NotFound, ValidationError) as error:
                found[index] = error
        made = create_orders_bulk(drafts=list(drafts.values()), actor=actor, now=now)
        orders: dict[int, int] = {}
        for index, captured in zip(drafts, made, strict=True):
            if captured.order is None:
                found[index] = captured.refusal or NotFound()
                continue
            orders[index] = captured.order.id
            status = 201 if captured.order.created else 200
            found[index] = {"status": status, "number": captured.order.number, "state": "draft"}
        asked = [order_id for index, order_id in orders.items() if bodies[index].get("submit")]
        stands = submit_orders(order_ids=asked, actor=actor, now=now) if asked else []
        by_id = {each.id: {"state": each.state, "holds": list(each.holds)} for each in stands}
        for index, order_id in orders.items():
            found[index] = {**found[index], **by_id.get(order_id, {})}  # type: ignore[dict-item]
        return [found[index] for index in range(len(bodies))]


def shown(page: OrderPage) -> dict[str, Any]:
    """Return one order as the API shows it."""
    plain = (
        "number", "entity", "customer_po", "channel", "state", "class_code", "priority",
        "revision", "currency", "total", "requested_date", "promised_date", "created_at",
        "external_ref", "freight", "subtotal", "submitted_at", "released_at", "shipped_at",
        "invoiced_at", "closed_at", "cancelled_at", "cancel_reason",
    )  # fmt: skip
    return {
        **{name: getattr(page, name) for name in plain},
        "customer": page.customer_code,
        "customer_name": page.customer,
        "carrier": page.carrier,
        "ship_to": page.ship_to,
        "constraints": {name: getattr(page, name) for name in FLAGS}
        | serving_terms(order_id=page.id),
        "lines": [_line(line) for line in page.lines],
        "holds": [asdict(hold) for hold in page.active_holds],
    }


def _line(line: Any) -> dict[str, Any]:
    plain = (
        "id", "product", "ordered", "reserved", "shipped", "invoiced", "cancelled", "waiting",
        "direct",
        "unit_price", "price_source", "discount", "amount", "node", "disposition",
        "first_promised_date", "promised_date", "instead_of", "replaces",
    )  # fmt: skip
    return {
        "min_shelf_days": line.fresh_days,
        "line": line.position,
        "uom": line.sold_uom,
        "quantity": line.sold_quantity,
        "base_uom": line.uom,
        **{name: getattr(line, name) for name in plain},
    }


def _summaries(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "entity": row["entity_code"],
            "customer": row["customer_code"],
            **{n: v for n, v in row.items() if n not in {"id", "entity_code", "customer_code"}},
        }
        for row in found
    ]


def _cancels(page: OrderPage, asked: Sequence[Mapping[str, Any]]) -> list[LineCancel]:
    by_position = {line.position: line.id for line in page.lines}
    unknown = [each["line"] not in by_position for each in asked]
    if any(unknown):
        said = {"line": [ErrorDetail("There is no such line.", "unknown")]}
        raise ValidationError({"lines": [said if bad else {} for bad in unknown]})
    return [LineCancel(by_position[each["line"]], each.get("quantity")) for each in asked]

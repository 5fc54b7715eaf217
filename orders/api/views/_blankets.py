"""Blanket orders: written, activated, called off, planned, ended."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import AmountInput, QuantityInput, RateInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from erp.governance.selectors import timeline
from orders import permissions
from orders.api import serializers
from orders.api.views._drafts import Codes, address
from orders.models import Blanket
from orders.selectors import BlanketPage, blanket_list, blanket_page
from orders.services.agreeing import (
    BlanketDraft,
    BlanketLineDraft,
    CallOffDraft,
    CallOffPart,
    activate_blanket,
    call_off,
    drop_call_off,
    end_blanket,
    retry_call_off,
    schedule_call_offs,
    write_blanket,
)

LINES_MAX = 200
SHARE = Decimal("0.0001")
CALL_OFFS_MAX = 2_000
NOBODY = 0  # no row has it: the service names the field


class BlanketLineInput(StrictSerializer):
    """`quantity` in base units, `value` in the account's currency, or both.

    Without `price` (per base unit) each call-off takes the book's. `tolerance` is a share of one.
    """

    product = TextInput(max_length=40)
    quantity = QuantityInput(required=False)
    value = AmountInput(required=False, allow_zero=False)
    price = AmountInput(required=False)
    tolerance = RateInput(required=False)


class BlanketInput(StrictSerializer):
    """A blanket order. The same `client_key` in one entity is the same agreement, once."""

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    customer_po = TextInput(max_length=60, required=False)
    valid_from = fields.DateField()
    valid_until = fields.DateField()
    ship_to = serializers.ShipToInput(required=False)
    client_key = TextInput(max_length=255, required=False)
    activate = fields.BooleanField(required=False)
    lines = BlanketLineInput(many=True, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]


class CloseInput(StrictSerializer):
    reason = TextInput(max_length=300, required=False)


class CallOffPartInput(StrictSerializer):
    """`line` is the position, `quantity` in base units."""

    line = fields.IntegerField(min_value=1, max_value=LINES_MAX)
    quantity = QuantityInput()


class CallOffInput(StrictSerializer):
    lines = CallOffPartInput(many=True, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]
    customer_po = TextInput(max_length=60, required=False)
    requested_date = fields.DateField(required=False)
    client_key = TextInput(max_length=255, required=False)


class PlannedInput(CallOffPartInput):
    """A delivery: the order is made on `order_date`, for `due_date`."""

    due_date = fields.DateField()
    order_date = fields.DateField(required=False)


class ScheduleInput(StrictSerializer):
    call_offs = PlannedInput(many=True, max_length=CALL_OFFS_MAX, allow_empty=False)  # type: ignore[call-arg]


class BlanketViewSet(ResourceViewSet):
    """Blanket orders, addressed by number."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_BLANKET,
        "retrieve": permissions.VIEW_BLANKET,
        "timeline": permissions.VIEW_BLANKET,
        "create": permissions.WRITE_BLANKET,
        "activate": permissions.WRITE_BLANKET,
        "close": permissions.WRITE_BLANKET,
        "schedule": permissions.WRITE_BLANKET,
        "retry": permissions.WRITE_BLANKET,
        "drop": permissions.WRITE_BLANKET,
        "call_off": permissions.CALL_OFF,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Blanket.State.values)),
        "customer": TextFilter("customer__code"),
        "customer_po": TextFilter("customer_po"),
        "valid_before": DateFilter("valid_until__lt"),
    }
    ordering_fields = ("id", "valid_until")
    inputs: ClassVar = {
        "create": BlanketInput,
        "activate": serializers.NothingInput,
        "close": CloseInput,
        "schedule": ScheduleInput,
        "retry": serializers.NothingInput,
        "drop": serializers.NothingInput,
        "call_off": CallOffInput,
    }

    def list(self, request: Request) -> Response:
        return self.page(blanket_list(entity_ids=self.scope()), _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(_shown(self._blanket(number)))

    def create(self, request: Request) -> Response:
        body = self.body()
        draft = _draft(body, self.entity_id(body["entity"]))
        now, actor = timezone.now(), actor_of(request)
        made = write_blanket(draft=draft, actor=actor, now=now)
        if body.get("activate"):
            activate_blanket(blanket_id=made.pk, actor=actor, now=now)
        headers = {"Location": f"/api/v1/blanket-orders/{made.number}/"}
        return Response(_shown(self._blanket(made.number)), status=201, headers=headers)

    @action(detail=True, methods=["post"])
    def activate(self, request: Request, number: str) -> Response:
        """Let it be called off."""
        self.body()
        page = self._blanket(number)
        activate_blanket(blanket_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def close(self, request: Request, number: str) -> Response:
        """End it before its time: nothing more is called off."""
        page, body = self._blanket(number), self.body()
        reason, now = body.get("reason", ""), timezone.now()
        end_blanket(blanket_id=page.id, reason=reason, actor=actor_of(request), now=now)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path="call-off")
    def call_off(self, request: Request, number: str) -> Response:
        """Make an order of a part of it, and submit it."""
        page, body = self._blanket(number), self.body()
        made = call_off(
            blanket_id=page.id,
            parts=[
                CallOffPart(_line(page, place, each["line"], "lines"), each["quantity"])
                for place, each in enumerate(body["lines"])
            ],
            requested_date=body.get("requested_date"),
            customer_po=body.get("customer_po", ""),
            client_key=body.get("client_key") or None,
            actor=actor_of(request),
            now=timezone.now(),
        )
        headers = {"Location": f"/api/v1/orders/{made.number}/"}
        answer = {"order": made.number, "blanket_order": number}
        return Response(answer, status=201 if made.created else 200, headers=headers)

    @action(detail=True, methods=["post"])
    def schedule(self, request: Request, number: str) -> Response:
        """Plan deliveries; each becomes an order on its day."""
        page, body = self._blanket(number), self.body()
        wishes = [
            CallOffDraft(
                position=each["line"],
                due_date=each["due_date"],
                quantity=each["quantity"],
                order_date=each.get("order_date", each["due_date"]),
            )
            for each in body["call_offs"]
        ]
        now, actor = timezone.now(), actor_of(request)
        schedule_call_offs(blanket_id=page.id, call_offs=wishes, actor=actor, now=now)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path=r"call-offs/(?P<call_off_id>[0-9]{1,18})/retry")
    def retry(self, request: Request, number: str, call_off_id: str) -> Response:
        """Plan a call-off that could not be made again, and make it if its day has come."""
        self.body()
        row = self._call_off(number, call_off_id)
        retry_call_off(call_off_id=row, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path=r"call-offs/(?P<call_off_id>[0-9]{1,18})/drop")
    def drop(self, request: Request, number: str, call_off_id: str) -> Response:
        """Take a call-off that is not made out of the plan."""
        self.body()
        row = self._call_off(number, call_off_id)
        drop_call_off(call_off_id=row, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """Answer what happened to it, the newest first."""
        entries = timeline(thread=self._blanket(number).thread, entity_ids=self.scope())
        return Response({"results": [asdict(entry) for entry in entries]})

    def _blanket(self, number: str) -> BlanketPage:
        page = blanket_page(
            number=number, entity_ids=self.scope(), now=timezone.now(), limit=CALL_OFFS_MAX
        )
        if page is None:
            raise NotFound(f"There is no blanket order {number[:40]!r}.")
        return page

    def _call_off(self, number: str, call_off_id: str) -> int:
        known = {each.id for each in self._blanket(number).call_offs}
        if int(call_off_id) not in known:
            raise NotFound("It has no such call-off.")
        return int(call_off_id)


def _draft(body: Mapping[str, Any], entity_id: int) -> BlanketDraft:
    codes = Codes([body])
    customer_id = codes.customers.get(body["customer"], NOBODY)
    return BlanketDraft(
        entity_id=entity_id,
        customer_id=customer_id,
        valid_from=body["valid_from"],
        valid_until=body["valid_until"],
        lines=[
            BlanketLineDraft(
                product_id=codes.product(each["product"], customer_id),
                quantity=each.get("quantity"),
                value=each.get("value"),
                unit_price=each.get("price"),
                **({"tolerance": each["tolerance"]} if "tolerance" in each else {}),
            )
            for each in body["lines"]
        ],
        customer_po=body.get("customer_po", ""),
        ship_to=address(body.get("ship_to") or {}, customer_id),
        client_key=body.get("client_key") or None,
    )


def _line(page: BlanketPage, place: int, position: int, name: str) -> int:
    for line in page.lines:
        if line.position == position:
            return line.id
    said = {"line": [ErrorDetail("There is no such line.", "unknown")]}
    raise ValidationError({name: [{}] * place + [said]})


def _shown(page: BlanketPage) -> dict[str, Any]:
    hidden = {"id", "entity_id", "customer_id", "lines", "call_offs", "today"}
    shown = {name: value for name, value in asdict(page).items() if name not in hidden}
    return {
        **shown,
        "customer": page.customer_code,
        "customer_name": page.customer,
        "called_off": page.called.quantize(SHARE),
        "time_passed": page.passed.quantize(SHARE),
        "days_left": page.days_left,
        "lines": [
            {
                "line": line.position,
                "product": line.product,
                "base_uom": line.uom,
                "quantity": line.quantity,
                "value": line.value,
                "unit_price": line.unit_price,
                "tolerance": line.tolerance,
                "called_off": line.called,
                "called_off_value": line.called_value,
                "planned": line.planned,
                "left": line.left,
                "left_value": line.left_value,
            }
            for line in page.lines
        ],
        "call_offs": [asdict(each) for each in page.call_offs],
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

"""Quotes: written, sent, answered, ordered from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from erp.governance.selectors import timeline
from orders import permissions
from orders.api import serializers
from orders.api.views._drafts import Codes, draft_of
from orders.models import Quote
from orders.rules import LINES_MAX
from orders.selectors import QuotePage, quote_list, quote_page
from orders.services import submit_order
from orders.services.quoting import (
    QuoteDraft,
    QuotePart,
    accept_quote,
    decline_quote,
    order_quote,
    revise_quote,
    send_quote,
    write_quote,
)


class QuoteChangeInput(serializers.OrderChangeInput):
    """A draft quote as it should be; what is left out stays, the lines are replaced as a whole."""

    external_ref = None  # type: ignore[assignment]
    carrier = None  # type: ignore[assignment]
    constraints = None  # type: ignore[assignment]
    reason = None  # type: ignore[assignment]
    revision = None  # type: ignore[assignment]
    valid_until = fields.DateField(required=False)
    note = TextInput(max_length=1_000, required=False)
    lines = serializers.LineInput(  # type: ignore[call-arg]
        many=True, required=False, max_length=LINES_MAX, allow_empty=False
    )


class QuoteInput(QuoteChangeInput):
    """A quote. The same `client_key` in one entity is the same quote, once."""

    entity = TextInput(max_length=20)
    customer = TextInput(max_length=40)
    currency = TextInput(max_length=3, required=False)
    client_key = TextInput(max_length=255, required=False)
    valid_until = fields.DateField()
    lines = serializers.LineInput(many=True, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]


class DeclineInput(StrictSerializer):
    reason = TextInput(max_length=300, required=False)


class PartInput(StrictSerializer):
    """`line` is the position, `quantity` in base units."""

    line = fields.IntegerField(min_value=1, max_value=LINES_MAX)
    quantity = QuantityInput()


class OrderItInput(StrictSerializer):
    """Without `lines` all that is left; `submit` has the order checked in the same call."""

    lines = PartInput(many=True, required=False, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]
    customer_po = TextInput(max_length=60, required=False)
    requested_date = fields.DateField(required=False)
    client_key = TextInput(max_length=255, required=False)
    submit = fields.BooleanField(required=False)


class QuoteViewSet(ResourceViewSet):
    """Quotes, addressed by number."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_QUOTE,
        "retrieve": permissions.VIEW_QUOTE,
        "timeline": permissions.VIEW_QUOTE,
        "create": permissions.WRITE_QUOTE,
        "partial_update": permissions.WRITE_QUOTE,
        "revise": permissions.WRITE_QUOTE,
        "send": permissions.WRITE_QUOTE,
        "accept": permissions.ANSWER_QUOTE,
        "decline": permissions.ANSWER_QUOTE,
        "order": permissions.SUBMIT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Quote.State.values)),
        "customer": TextFilter("customer__code"),
        "customer_po": TextFilter("customer_po"),
        "valid_before": DateFilter("valid_until__lt"),
    }
    ordering_fields = ("id", "valid_until", "total")
    inputs: ClassVar = {
        "create": QuoteInput,
        "partial_update": QuoteChangeInput,
        "revise": QuoteChangeInput,
        "send": serializers.NothingInput,
        "accept": serializers.NothingInput,
        "decline": DeclineInput,
        "order": OrderItInput,
    }

    def list(self, request: Request) -> Response:
        return self.page(quote_list(entity_ids=self.scope()), _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(_shown(self._quote(number)))

    def create(self, request: Request) -> Response:
        body = self.body()
        draft = _draft(body, self.entity_id(body["entity"]))
        quote = write_quote(draft=draft, actor=actor_of(request), now=timezone.now())
        headers = {"Location": f"/api/v1/quotes/{quote.number}/"}
        return Response(_shown(self._quote(quote.number)), status=201, headers=headers)

    def partial_update(self, request: Request, number: str) -> Response:
        """Write a draft quote anew."""
        page, body = self._quote(number), self.body()
        self.check_version(_shown(page))
        draft = _draft(_kept(page) | body, page.entity_id)
        now, actor = timezone.now(), actor_of(request)
        write_quote(draft=draft, actor=actor, now=now, quote_id=page.id)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def revise(self, request: Request, number: str) -> Response:
        """Write the next version of a quote that was sent."""
        page, body = self._quote(number), self.body()
        draft = _draft(_kept(page) | body, page.entity_id)
        now, actor = timezone.now(), actor_of(request)
        quote = revise_quote(quote_id=page.id, draft=draft, actor=actor, now=now)
        return Response(_shown(self._quote(quote.number)), status=201)

    @action(detail=True, methods=["post"])
    def send(self, request: Request, number: str) -> Response:
        """Fix the quote and call it sent."""
        self.body()
        page = self._quote(number)
        send_quote(quote_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def accept(self, request: Request, number: str) -> Response:
        """Note that the customer accepts."""
        self.body()
        page = self._quote(number)
        accept_quote(quote_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def decline(self, request: Request, number: str) -> Response:
        """Note that the customer declines."""
        page, body = self._quote(number), self.body()
        reason, now = body.get("reason", ""), timezone.now()
        decline_quote(quote_id=page.id, reason=reason, actor=actor_of(request), now=now)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def order(self, request: Request, number: str) -> Response:
        """Make an order out of the quote, or of parts of it."""
        page, body = self._quote(number), self.body()
        now, actor = timezone.now(), actor_of(request)
        made = order_quote(
            quote_id=page.id,
            parts=_parts(page, body["lines"]) if "lines" in body else None,
            customer_po=body.get("customer_po", ""),
            requested_date=body.get("requested_date"),
            client_key=body.get("client_key") or None,
            channel="api",
            actor=actor,
            now=now,
        )
        state = "draft"
        if body.get("submit"):
            state = submit_order(order_id=made.id, actor=actor, now=now).state
        headers = {"Location": f"/api/v1/orders/{made.number}/"}
        answer = {"order": made.number, "state": state, "quote": number}
        return Response(answer, status=201 if made.created else 200, headers=headers)

    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, number: str) -> Response:
        """Answer what happened to it and its versions, the newest first."""
        entries = timeline(thread=self._quote(number).thread, entity_ids=self.scope())
        return Response({"results": [asdict(entry) for entry in entries]})

    def _quote(self, number: str) -> QuotePage:
        page = quote_page(number=number, entity_ids=self.scope())
        if page is None:
            raise NotFound(f"There is no quote {number[:40]!r}.")
        return page


def _draft(body: Mapping[str, Any], entity_id: int) -> QuoteDraft:
    order = draft_of(body, entity_id, Codes([body]))
    return QuoteDraft(order, body["valid_until"], body.get("note", ""))


def _kept(page: QuotePage) -> dict[str, Any]:
    """Return a quote as the body that would write it; entered prices stay, others are asked."""
    return {
        "customer": page.customer_code,
        "customer_po": page.customer_po,
        "requested_date": page.requested_date,
        "ship_to": page.ship_to,
        "freight": page.freight,
        "valid_until": page.valid_until,
        "note": page.note,
        "lines": [
            {
                "product": line.product,
                "quantity": line.sold_quantity,
                "uom": line.sold_uom,
                "discount": line.discount,
                **({"price": line.unit_price} if line.price_source == "entered" else {}),
            }
            for line in page.lines
        ],
    }


def _parts(page: QuotePage, asked: Iterable[Mapping[str, Any]]) -> list[QuotePart]:
    by_position = {line.position: line.id for line in page.lines}
    unknown = [each["line"] not in by_position for each in asked]
    if any(unknown):
        said = {"line": [ErrorDetail("There is no such line.", "unknown")]}
        raise ValidationError({"lines": [said if bad else {} for bad in unknown]})
    return [QuotePart(by_position[each["line"]], each["quantity"]) for each in asked]


def _shown(page: QuotePage) -> dict[str, Any]:
    hidden = {"id", "root_id", "entity_id", "customer_id", "account_id", "lines"}
    shown = {name: value for name, value in asdict(page).items() if name not in hidden}
    return {
        **shown,
        "customer": page.customer_code,
        "customer_name": page.customer,
        "lines": [
            {
                "line": line.position,
                "product": line.product,
                "uom": line.sold_uom,
                "quantity": line.sold_quantity,
                "base_uom": line.uom,
                "quoted": line.quantity,
                "ordered": line.ordered,
                "left": line.left,
                "unit_price": line.unit_price,
                "price_source": line.price_source,
                "discount": line.discount,
                "amount": line.amount,
            }
            for line in page.lines
        ],
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

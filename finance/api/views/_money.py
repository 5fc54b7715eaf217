"""Invoices and payments."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, FlagFilter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from finance import permissions
from finance.api import serializers
from finance.api.views._papers import PdfRenderer
from finance.models import Invoice, Payment
from finance.selectors import InvoicePage, invoice, payer, payment, shipment_ids_of
from finance.services import (
    PostedPayment,
    allocate_payment,
    invoice_pdf,
    invoice_shipments,
    post_payment,
)

RENAMED = {
    "entity__code": "entity",
    "customer__code": "customer",
    "order__number": "order",
    "shipment__number": "shipment",
}


def renamed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{RENAMED.get(key, key): value for key, value in row.items()} for row in rows]


def is_overdue(queryset: QuerySet[Any], value: bool) -> QuerySet[Any]:  # noqa: FBT001
    late = Q(state__in=["posted", "partly_paid"], due_date__lt=timezone.now().date())
    return queryset.filter(late if value else ~late)


class InvoiceViewSet(ResourceViewSet):
    """Invoices are made by shipping. Drafts have no number yet and are listed by `state=draft`."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_INVOICE,
        "retrieve": permissions.VIEW_INVOICE,
        "pdf": permissions.VIEW_INVOICE,
        "post_shipments": permissions.POST_INVOICE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Invoice.State.values)),
        "customer": TextFilter("customer__code"),
        "order": TextFilter("order__number"),
        "shipment": TextFilter("shipment__number"),
        "due_before": DateFilter("due_date__lt"),
        "invoiced_from": DateFilter("invoice_date__gte"),
        "created_after": MomentFilter("created_at__gte"),
        "overdue": FlagFilter(apply=is_overdue),
    }
    ordering_fields = ("id", "due_date", "invoice_date", "total")
    inputs: ClassVar = {"post_shipments": serializers.PostInvoicesInput}
    outputs: ClassVar = {"list": serializers.InvoiceOutput}

    def list(self, request: Request) -> Response:
        rows = Invoice.objects.filter(entity_id__in=self.scope()).values(
            "id", "number", "state", "entity__code", "customer__code", "order__number",
            "shipment__number", "currency", "invoice_date", "due_date", "net", "freight", "tax",
            "total", "paid", "posted_at",
        )  # fmt: skip
        return self.page(rows, renamed)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._invoice(number))

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], renderer_classes=[PdfRenderer])
    def pdf(self, request: Request, number: str) -> Response:
        """Return the invoice as PDF/A."""
        content = invoice_pdf(invoice=self._invoice(number))
        headers = {"Content-Disposition": f'inline; filename="{number}.pdf"'}
        return Response(content, content_type="application/pdf", headers=headers)

    @action(detail=False, methods=["post"], url_path="post")
    def post_shipments(self, request: Request) -> Response:
        """Invoice shipments that left, now instead of in a moment."""
        numbers = self.body()["shipments"]
        found = shipment_ids_of(numbers=numbers, entity_ids=self.scope())
        for number in numbers:
            if number not in found:
                message = f"There is no shipment {number[:50]!r}."
                raise ValidationError({"shipments": [ErrorDetail(message, "not_found")]})
        done = invoice_shipments(shipment_ids=sorted(found.values()), now=timezone.now())
        return Response({"results": [{"number": i.number, "total": i.total} for i in done]})

    def _invoice(self, number: str) -> InvoicePage:
        found = None if "\0" in number else invoice(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no invoice {number[:50]!r}.")
        return found


class PaymentViewSet(ResourceViewSet):
    """Cash from customers. The same reference of the same customer is the same payment."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_PAYMENT,
        "retrieve": permissions.VIEW_PAYMENT,
        "create": permissions.POST_PAYMENT,
        "allocate": permissions.POST_PAYMENT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "customer": TextFilter("customer__code"),
        "reference": TextFilter("reference"),
        "received_from": DateFilter("received_date__gte"),
        "received_before": DateFilter("received_date__lt"),
        "unapplied": FlagFilter(
            apply=lambda rows, value: rows.filter(**{"unapplied__gt" if value else "unapplied": 0})
        ),
    }
    ordering_fields = ("id", "received_date", "amount")
    inputs: ClassVar = {
        "create": serializers.PaymentInput,
        "allocate": serializers.AllocateInput,
    }
    outputs: ClassVar = {
        "list": serializers.PaymentOutput,
        "create": serializers.PaymentOutput,
    }

    def list(self, request: Request) -> Response:
        rows = Payment.objects.filter(entity_id__in=self.scope()).values(
            "id", "number", "entity__code", "customer__code", "currency", "amount", "unapplied",
            "reference", "received_date", "posted_at",
        )  # fmt: skip
        return self.page(rows, renamed)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._shown(number))

    def create(self, request: Request) -> Response:
        """Post a payment. Answers 200 when its reference was posted before."""
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        customer_id = payer(code=body["customer"], entity_ids={entity_id})
        if customer_id is None:
            message = "There is no such customer."
            raise ValidationError({"customer": [ErrorDetail(message, "not_found")]})
        posted: PostedPayment = post_payment(
            entity_id=entity_id,
            customer_id=customer_id,
            amount=body["amount"],
            reference=body["reference"],
            received_date=body["received_date"],
            allocations=named(body),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(self._shown(posted.number), status=201 if posted.created else 200)

    @action(detail=True, methods=["post"])
    def allocate(self, request: Request, number: str) -> Response:
        """Put what is left of it on invoices."""
        found = self._payment(number)
        allocate_payment(
            payment_id=found[0].id,
            allocations=named(self.body()),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(self._shown(number))

    def _payment(self, number: str) -> Any:
        found = None if "\0" in number else payment(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no payment {number[:50]!r}.")
        return found

    def _shown(self, number: str) -> dict[str, Any]:
        row, applied = self._payment(number)
        return {
            "number": row.number,
            "entity": row.entity,
            "customer": row.customer_code,
            "currency": row.currency,
            "amount": row.amount,
            "unapplied": row.unapplied,
            "reference": row.reference,
            "received_date": row.received_date,
            "posted_at": row.posted_at,
            "allocations": [
                {"invoice": each.number, "amount": each.amount, "at": each.at} for each in applied
            ],
        }


def named(body: dict[str, Any]) -> list[tuple[str, Decimal]] | None:
    """Return the allocations somebody named; None is 'the oldest first'."""
    if "allocations" not in body:
        return None
    return [(each["invoice"], each["amount"]) for each in body["allocations"]]

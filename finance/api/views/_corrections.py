"""Corrections of stock over REST: adjustments and changes of status."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import AmountInput, QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from finance.api.serializers import NothingInput, ReasonInput, SerialsInput
from finance.services import post_correction
from inventory import permissions
from inventory.models import Correction, Node
from inventory.selectors import (
    CorrectionPage,
    correction_page,
    lots_by_code,
    products_by_code,
)
from inventory.services.correcting import (
    CorrectionDraft,
    CorrectionLineDraft,
    approve_correction,
    cancel_correction,
    request_correction,
)

STATUSES = ("available", "quarantine", "damaged", "inspection")
HIDDEN = {"id", "entity_id", "lines"}


class CorrectedLineInput(StrictSerializer):
    """Signed base units of one balance; with `to_status` so many change their status."""

    product = TextInput(max_length=40)
    lot = TextInput(max_length=40, required=False)
    status = fields.ChoiceField(choices=STATUSES, required=False)
    to_status = fields.ChoiceField(choices=STATUSES, required=False)
    quantity = QuantityInput(allow_negative=True)
    unit_value = AmountInput(required=False)
    serials = SerialsInput()


class CorrectionInput(StrictSerializer):
    """What is to be corrected at one node for one company, and why."""

    entity = TextInput(max_length=20)
    node = TextInput(max_length=20)
    reason = TextInput(max_length=180)
    lines = CorrectedLineInput(many=True, max_length=500, allow_empty=False)  # type: ignore[call-arg]


class AdjustmentViewSet(ResourceViewSet):
    """Stock found, written off, set aside or let go: with a reason, agreed to, then posted."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_CORRECTION,
        "retrieve": permissions.VIEW_CORRECTION,
        "create": permissions.REQUEST_CORRECTION,
        "approve": permissions.APPROVE_CORRECTION,
        "post_corrected": permissions.POST_CORRECTION,
        "cancel": permissions.REQUEST_CORRECTION,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Correction.State.values)),
        "kind": ChoiceFilter("kind", choices=tuple(Correction.Kind.values)),
        "node": TextFilter("node__code"),
        "created_after": MomentFilter("requested_at__gte"),
    }
    ordering_fields = ("id", "requested_at", "value")
    inputs: ClassVar = {
        "create": CorrectionInput,
        "approve": NothingInput,
        "post_corrected": NothingInput,
        "cancel": ReasonInput,
    }

    def list(self, request: Request) -> Response:
        found = Correction.objects.filter(entity_id__in=self.scope()).values(
            "id", "number", "kind", "state", "entity__code", "node__code", "reason", "value",
            "requested_at", "posted_at",
        )  # fmt: skip
        return self.page(found, _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(_shown(self._correction(number)))

    def create(self, request: Request) -> Response:
        """Ask for a correction: approved at once by the policy, or waiting for somebody else."""
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        node = None if "\0" in body["node"] else Node.objects.filter(code=body["node"]).first()
        if node is None:
            raise ValidationError({"node": [ErrorDetail("There is no such node.", "unknown")]})
        made = request_correction(
            draft=CorrectionDraft(
                entity_id=entity_id,
                node_id=node.pk,
                reason=body["reason"],
                lines=_lines(body["lines"]),
            ),
            actor=actor_of(request),
            now=timezone.now(),
        )
        headers = {"Location": f"/api/v1/adjustments/{made.number}/"}
        return Response(_shown(self._correction(made.number)), status=201, headers=headers)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Agree to what somebody else asked for."""
        page = self._correction(number)
        self.body()
        actor: Any = request.user
        approve_correction(correction_id=page.id, actor=actor, now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path="post")
    def post_corrected(self, request: Request, number: str) -> Response:
        """Do what it says, in stock and ledger."""
        page = self._correction(number)
        self.body()
        post_correction(correction_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Call it off before it is posted."""
        page, reason = self._correction(number), self.body()["reason"]
        actor, now = actor_of(request), timezone.now()
        cancel_correction(correction_id=page.id, reason=reason, actor=actor, now=now)
        return self.retrieve(request, number)

    def _correction(self, number: str) -> CorrectionPage:
        found = correction_page(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no adjustment {number[:50]!r}.")
        return found


def _lines(given: Sequence[dict[str, Any]]) -> list[CorrectionLineDraft]:
    """Return the lines with the ids of what they name.

    Raises:
        ValidationError: a product or a lot is not there.
    """
    known = products_by_code({line["product"] for line in given})
    if missing := {line["product"] for line in given} - set(known):
        message = f"There is no product {min(missing)[:40]}."
        raise ValidationError({"lines": [ErrorDetail(message, "unknown")]})
    named = {(known[line["product"]], line["lot"]) for line in given if line.get("lot")}
    lots = lots_by_code({key for key in named if "\0" not in key[1]}) if named else {}
    if lacking := named - set(lots):
        message = f"There is no lot {min(lacking)[1][:40]} of that product."
        raise ValidationError({"lines": [ErrorDetail(message, "unknown")]})
    return [
        CorrectionLineDraft(
            product_id=known[line["product"]],
            lot_id=lots[known[line["product"]], line["lot"]] if line.get("lot") else None,
            status=line.get("status", "available"),
            to_status=line.get("to_status", ""),
            quantity=line["quantity"],
            unit_value=line.get("unit_value"),
            serials=line.get("serials", ()),
        )
        for line in given
    ]


def _shown(page: CorrectionPage) -> dict[str, Any]:
    heads = {name: value for name, value in asdict(page).items() if name not in HIDDEN}
    heads.pop("node_name")
    return {**heads, "lines": [
        {
            "line": line.position, "product": line.product, "uom": line.uom,
            "lot": line.lot or None, "status": line.status, "to_status": line.to_status or None,
            "quantity": line.quantity, "unit_value": line.unit_value,
        }
        for line in page.lines
    ]}  # fmt: skip


def _summaries(rows: Sequence[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return [{key.removesuffix("__code"): value for key, value in row.items()} for row in rows]

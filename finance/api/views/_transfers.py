"""Transfers over REST."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import Entity
from erp.api.filters import ChoiceFilter, DateFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from finance.api.serializers import REASONS, NothingInput, ReasonInput, SerialsInput
from finance.services import receive_transfer, ship_transfers
from inventory import permissions
from inventory.models import Node, Transfer
from inventory.selectors import TransferPage, products_by_code, transfer_list, transfer_page
from inventory.services.transferring import (
    Came,
    TransferDraft,
    TransferPick,
    TransferShort,
    approve_transfer,
    cancel_transfer,
    pick_transfers,
    request_transfers,
)

LINES_MAX = 500
OUTCOMES = ("received", "damaged", "returned", "lost", "over")


class AskedLineInput(StrictSerializer):
    """So many base units of a product."""

    product = TextInput(max_length=40)
    quantity = QuantityInput()


class TransferInput(StrictSerializer):
    """Goods of `entity` from one node to another; `to_entity`: sold to that sister company."""

    entity = TextInput(max_length=20)
    to_entity = TextInput(max_length=20, required=False)
    origin = TextInput(max_length=20)
    destination = TextInput(max_length=20)
    reason = TextInput(max_length=300)
    client_key = TextInput(max_length=255, required=False)
    lines = AskedLineInput(many=True, max_length=LINES_MAX, allow_empty=False)  # type: ignore[call-arg]


class FoundInput(StrictSerializer):
    """A line of which less was found than is kept; `line` is its position.

    One that is kept by serial number is always named, with the `serials` that were picked;
    `missing` are those that were not found or not whole, where others lie there too.
    """

    line = fields.IntegerField(min_value=1, max_value=LINES_MAX)
    quantity = QuantityInput(allow_zero=True)
    reason = fields.ChoiceField(choices=REASONS, required=False)
    serials = SerialsInput()
    missing = SerialsInput()


class PickTransferInput(StrictSerializer):
    """Of lines not named all that is kept was found, unless they are kept by serial number."""

    lines = FoundInput(many=True, required=False)


class CameInput(StrictSerializer):
    """So much of one piece of the transfer (`piece`: its id) with one outcome."""

    piece = fields.IntegerField(min_value=1, max_value=2**63 - 1)
    quantity = QuantityInput()
    outcome = fields.ChoiceField(choices=OUTCOMES, required=False)
    serials = SerialsInput()


class ReceiveTransferInput(StrictSerializer):
    """What came; `is_last`: nothing more comes. `note` where goods are lost, over or went back."""

    lines = CameInput(many=True, required=False)
    is_last = fields.BooleanField(required=False)
    note = TextInput(max_length=300, required=False)


class TransferViewSet(ResourceViewSet):
    """Goods that go from node to node, or from one company of the group to another."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_TRANSFER,
        "retrieve": permissions.VIEW_TRANSFER,
        "create": permissions.REQUEST_TRANSFER,
        "approve": permissions.APPROVE_TRANSFER,
        "cancel": permissions.REQUEST_TRANSFER,
        "pick": permissions.MOVE_TRANSFER,
        "ship": permissions.MOVE_TRANSFER,
        "receive": permissions.MOVE_TRANSFER,
        "settle": permissions.SETTLE_TRANSFER,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Transfer.State.values)),
        "origin": TextFilter("origin__code"),
        "destination": TextFilter("destination__code"),
        "expected_before": DateFilter("expected_date__lt"),
        "created_after": MomentFilter("requested_at__gte"),
    }
    ordering_fields = ("id", "expected_date", "value")
    inputs: ClassVar = {
        "create": TransferInput,
        "approve": NothingInput,
        "cancel": ReasonInput,
        "pick": PickTransferInput,
        "ship": NothingInput,
        "receive": ReceiveTransferInput,
        "settle": ReceiveTransferInput,
    }

    def list(self, request: Request) -> Response:
        return self.page(transfer_list(entity_ids=self.scope()), _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(_shown(self._transfer(number)))

    def create(self, request: Request) -> Response:
        """Ask for a transfer: approved at once, or waiting for somebody's agreement."""
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        draft = TransferDraft(
            entity_id=entity_id,
            to_entity_id=_sister(body.get("to_entity")),
            origin_id=_node("origin", body["origin"]),
            destination_id=_node("destination", body["destination"]),
            lines=_lines(body["lines"]),
            reason=body["reason"],
            client_key=body.get("client_key", ""),
        )
        actor, now = actor_of(request), timezone.now()
        made = request_transfers(drafts=[draft], actor=actor, now=now)[0]
        headers = {"Location": f"/api/v1/transfers/{made.number}/"}
        return Response(_shown(self._transfer(made.number)), status=201, headers=headers)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Agree to a transfer that somebody else asked for."""
        page = self._own(number)
        self.body()
        actor: Any = request.user
        approve_transfer(transfer_id=page.id, actor=actor, now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Call it off before it leaves."""
        page, reason = self._own(number), self.body()["reason"]
        actor, now = actor_of(request), timezone.now()
        cancel_transfer(transfer_id=page.id, reason=reason, actor=actor, now=now)
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def pick(self, request: Request, number: str) -> Response:
        """Confirm what was found; of lines not named all that is kept was."""
        page = self._own(number)
        ids = {line.position: line.id for line in page.lines}
        named = self.body().get("lines", [])
        for line in named:
            if line["line"] not in ids:
                message = f"Line {line['line']} is not on {number}."
                raise ValidationError({"lines": [ErrorDetail(message, "invalid")]})
        shorts = [
            TransferShort(
                line_id=ids[line["line"]],
                picked=line["quantity"],
                reason=line.get("reason", "not_found"),
            )
            for line in named
        ]
        serials = {ids[line["line"]]: line["serials"] for line in named if line.get("serials")}
        missing = {ids[line["line"]]: line["missing"] for line in named if line.get("missing")}
        pick = TransferPick(transfer_id=page.id, shorts=shorts, serials=serials, missing=missing)
        pick_transfers(picks=[pick], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def ship(self, request: Request, number: str) -> Response:
        """Confirm that it left: in transit, and a sale posted in both ledgers."""
        page = self._own(number)
        self.body()
        ship_transfers(transfer_ids=[page.id], actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def receive(self, request: Request, number: str) -> Response:
        """Take in what came, whole, damaged or over; without `lines` all that is still to come."""
        return self._receive(request, number, {"received", "damaged", "over"})

    @action(detail=True, methods=["post"])
    def settle(self, request: Request, number: str) -> Response:
        """Say what became of goods that did not come: found, back at the origin, or lost."""
        return self._receive(request, number, set(OUTCOMES))

    def _receive(self, request: Request, number: str, allowed: set[str]) -> Response:
        page, body = self._transfer(number), self.body()
        if page.to_entity_id not in self.scope():
            raise NotFound(f"There is no transfer {number[:50]!r}.")
        named = body.get("lines")
        if named is None:
            came = [Came(p.id, "received", p.missing) for _line, p in page.pieces if p.missing]
        else:
            came = [
                Came(
                    n["piece"],
                    n.get("outcome", "received"),
                    n["quantity"],
                    n.get("serials", ()),
                )
                for n in named
            ]
        for each in came:
            if each.outcome not in allowed:
                message = f"“{each.outcome}” is said when settling."
                raise ValidationError({"lines": [ErrorDetail(message, "invalid")]})
        receive_transfer(
            transfer_id=page.id,
            came=came,
            is_last=body.get("is_last", False),
            said=body.get("note", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self.retrieve(request, number)

    def _transfer(self, number: str) -> TransferPage:
        found = transfer_page(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no transfer {number[:50]!r}.")
        return found

    def _own(self, number: str) -> TransferPage:
        page = self._transfer(number)
        if page.entity_id not in self.scope():
            raise NotFound(f"There is no transfer {number[:50]!r}.")
        return page


def _sister(code: str | None) -> int | None:
    if code is None:
        return None
    found = None if "\0" in code else Entity.objects.filter(code=code, is_active=True).first()
    if found is None:
        raise ValidationError({"to_entity": [ErrorDetail("There is no such entity.", "unknown")]})
    return found.pk


def _node(field: str, code: str) -> int:
    found = None if "\0" in code else Node.objects.filter(code=code).first()
    if found is None:
        raise ValidationError({field: [ErrorDetail("There is no such node.", "unknown")]})
    return found.pk


def _lines(asked: Sequence[dict[str, Any]]) -> list[tuple[int, Any]]:
    known = products_by_code([line["product"] for line in asked])
    for place, line in enumerate(asked):
        if line["product"] not in known:
            error = [ErrorDetail("There is no such product.", "unknown")]
            raise ValidationError({f"lines.{place}.product": error})
    return [(known[line["product"]], line["quantity"]) for line in asked]


def _summaries(rows: Sequence[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    names = {"entity__currency": "currency"}
    return [
        {names.get(key, key.removesuffix("__code")): value for key, value in row.items()}
        for row in rows
    ]


def _shown(page: TransferPage) -> dict[str, Any]:
    heads = (
        "number", "state", "entity", "to_entity", "origin", "destination", "reason", "value",
        "currency", "expected_date", "requested_at", "approved_at", "picked_at", "shipped_at",
        "received_at", "closed_at", "cancel_reason",
    )  # fmt: skip
    counted = ("quantity", "received", "damaged", "returned", "lost", "over", "missing")
    return {
        **{name: getattr(page, name) for name in heads},
        "lines": [
            {
                "line": line.position,
                "product": line.product,
                "uom": line.uom,
                "quantity": line.quantity,
                "reserved": line.reserved,
                "pieces": [
                    {"piece": piece.id, "lot": piece.lot or None}
                    | {name: getattr(piece, name) for name in counted}
                    | {"serials": piece.serials}
                    for piece in line.pieces
                ],
            }
            for line in page.lines
        ],
    }

"""Cycle counts over REST."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from finance.api.serializers import NothingInput, ReasonInput, SerialsInput
from finance.services import post_count
from inventory import permissions
from inventory.models import Count, Node, Stock
from inventory.selectors import CountLineRow, CountPage, bins_at, count_page
from inventory.services.counting import (
    Counted,
    approve_count,
    cancel_count,
    plan_count,
    record_counts,
    submit_count,
)

SHOWN = {"review", "approved", "posted"}


class CountInput(StrictSerializer):
    """A sheet of what is due at a node; `products` are counted whether they are due or not."""

    entity = TextInput(max_length=20)
    node = TextInput(max_length=20)
    cause = TextInput(max_length=200, required=False)
    lines_max = fields.IntegerField(min_value=1, max_value=500, required=False)
    products = fields.ListField(child=TextInput(max_length=40), required=False, max_length=500)


class CountedInput(StrictSerializer):
    """So many base units of one line; `line` is its position.

    A line that lies in bins may be named once for each, and once without: elsewhere at the node.
    A bin of the line that is not named then was found empty. Of a product that is kept by serial
    number, `serials` are those of the pieces, one for each; `quantity` may then be left out, and
    is as many.
    """

    line = fields.IntegerField(min_value=1, max_value=32_767)
    quantity = QuantityInput(allow_zero=True, required=False)
    bin = TextInput(max_length=20, required=False)
    serials = SerialsInput()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let the pieces say how many they are."""
        if "quantity" in attrs:
            return attrs
        if "serials" not in attrs:
            message = "Say how much there is, or name the serial number of each piece."
            raise ValidationError({"quantity": [ErrorDetail(message, "required")]})
        return attrs | {"quantity": Decimal(len(attrs["serials"]))}


class RecordInput(StrictSerializer):
    """What was found at `counted_at` (now, if left out)."""

    lines = CountedInput(many=True, max_length=500, allow_empty=False)  # type: ignore[call-arg]
    counted_at = fields.DateTimeField(required=False)


class CountViewSet(ResourceViewSet):
    """Sheets to count blind: what was expected is told after they are handed in, to reviewers."""

    lookup_field = "number"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_COUNT,
        "retrieve": permissions.VIEW_COUNT,
        "create": permissions.PLAN_COUNT,
        "record": permissions.COUNT,
        "submit": permissions.COUNT,
        "approve": permissions.APPROVE_COUNT,
        "post_found": permissions.POST_COUNT,
        "cancel": permissions.PLAN_COUNT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Count.State.values)),
        "node": TextFilter("node__code"),
        "created_after": MomentFilter("planned_at__gte"),
    }
    ordering_fields = ("id", "planned_at", "variance")
    inputs: ClassVar = {
        "create": CountInput,
        "record": RecordInput,
        "submit": NothingInput,
        "approve": NothingInput,
        "post_found": NothingInput,
        "cancel": ReasonInput,
    }

    def list(self, request: Request) -> Response:
        found = Count.objects.filter(entity_id__in=self.scope()).values(
            "id", "number", "state", "entity__code", "node__code", "cause", "planned_at",
            "posted_at",
        )  # fmt: skip
        return self.page(found, _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._shown(self._count(number)))

    def create(self, request: Request) -> Response:
        """Make a sheet; what lies there now is kept with it."""
        body = self.body()
        entity_id = self.entity_id(body["entity"])
        node = None if "\0" in body["node"] else Node.objects.filter(code=body["node"]).first()
        if node is None:
            raise ValidationError({"node": [ErrorDetail("There is no such node.", "unknown")]})
        made = plan_count(
            entity_id=entity_id,
            node_id=node.pk,
            stock_ids=_stock_ids(entity_id, node.pk, body.get("products", [])),
            cause=body.get("cause", ""),
            lines_max=body.get("lines_max", 50),
            actor=actor_of(request),
            now=timezone.now(),
        )
        headers = {"Location": f"/api/v1/counts/{made.number}/"}
        return Response(self._shown(self._count(made.number)), status=201, headers=headers)

    @action(detail=True, methods=["post"])
    def record(self, request: Request, number: str) -> Response:
        """Take down what was found."""
        page, body, now = self._count(number), self.body(), timezone.now()
        ids = {line.position: line.id for line in page.lines}
        for line in body["lines"]:
            if line["line"] not in ids:
                message = f"Line {line['line']} is not on {number}."
                raise ValidationError({"lines": [ErrorDetail(message, "invalid")]})
        record_counts(
            count_id=page.id,
            counted=_counted(page.node, ids, body["lines"]),
            at=body.get("counted_at", now),
            actor=actor_of(request),
            now=now,
        )
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def submit(self, request: Request, number: str) -> Response:
        """Hand the sheet in."""
        page = self._count(number)
        self.body()
        submit_count(count_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Agree to what others counted."""
        page = self._count(number)
        self.body()
        actor: Any = request.user
        approve_count(count_id=page.id, actor=actor, now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"], url_path="post")
    def post_found(self, request: Request, number: str) -> Response:
        """Correct stock and ledger by what was found."""
        page = self._count(number)
        self.body()
        post_count(count_id=page.id, actor=actor_of(request), now=timezone.now())
        return self.retrieve(request, number)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, number: str) -> Response:
        """Call it off: nothing of it is posted."""
        page, reason = self._count(number), self.body()["reason"]
        actor, now = actor_of(request), timezone.now()
        cancel_count(count_id=page.id, reason=reason, actor=actor, now=now)
        return self.retrieve(request, number)

    def _count(self, number: str) -> CountPage:
        found = count_page(number=number, entity_ids=self.scope())
        if found is None:
            raise NotFound(f"There is no count {number[:50]!r}.")
        return found

    def _shown(self, page: CountPage) -> dict[str, Any]:
        user: Any = self.request.user
        may = page.state in SHOWN and user.has_perm(permissions.REVIEW_COUNT, page.entity_id)
        heads = (
            "number", "state", "entity", "node", "cause", "planned_at", "submitted_at",
            "approved_at", "posted_at", "cancel_reason",
        )  # fmt: skip
        told = {"variance": page.variance, "currency": page.currency} if may else {}
        return {**{name: getattr(page, name) for name in heads}, **told, "lines": [
            {
                "line": line.position, "product": line.product, "uom": line.uom,
                "status": line.status, "lot": line.lot or None, "recount": line.is_again,
                "counted": line.counted, "counted_at": line.counted_at, "serials": line.serials,
                "bins": [
                    {"bin": part.bin or None, "counted": part.counted}
                    | ({"expected": part.expected} if may else {})
                    for part in line.parts
                ],
            } | (_compared(line) if may else {})
            for line in page.lines
        ]}  # fmt: skip


def _compared(line: CountLineRow) -> dict[str, Any]:
    found = [
        {
            "number": each.number,
            "state": each.state,
            "lies_at": each.lies_at or None,
            "document": each.document or None,
        }
        for each in line.found
    ]
    compared = {"expected": line.expected, "value": line.value}
    return compared | ({"missing": line.missing, "found": found} if line.is_serial else {})


def _counted(
    node: str, ids: Mapping[int, int], lines: Sequence[Mapping[str, Any]]
) -> list[Counted]:
    """Return what was counted, a line that was counted bin by bin as one."""
    known = bins_at(node=node, codes={line["bin"] for line in lines if line.get("bin")})
    binned = {line["line"] for line in lines if line.get("bin")}
    numbers: dict[int, list[str]] = {line["line"]: [] for line in lines}
    parts: dict[int, list[tuple[int | None, Decimal]]] = {place: [] for place in binned}
    for line in lines:
        code = line.get("bin")
        if code and code not in known:
            message = f"There is no bin {code!r} at {node}."
            raise ValidationError({"lines": [ErrorDetail(message, "does_not_exist")]})
        numbers[line["line"]] += line.get("serials", ())
        if line["line"] in binned:
            parts[line["line"]].append((known[code] if code else None, line["quantity"]))
    return [
        *(
            Counted(ids[line["line"]], line["quantity"], (), line.get("serials", ()))
            for line in lines
            if line["line"] not in binned
        ),
        *(
            Counted(ids[place], sum((part for _, part in said), Decimal(0)), said, numbers[place])
            for place, said in parts.items()
        ),
    ]


def _stock_ids(entity_id: int, node_id: int, codes: Sequence[str]) -> list[int]:
    """Return the balances of the named products there.

    Raises:
        ValidationError: nothing of one of them was ever there.
    """
    known = [code for code in codes if "\0" not in code]
    found = Stock.objects.filter(
        entity_id=entity_id, node_id=node_id, product__code__in=known
    ).exclude(status="in_transit")
    pairs = list(found.values_list("product__code", "pk"))
    if missing := set(codes) - {code for code, _ in pairs}:
        message = f"Nothing of {min(missing)[:40]} was ever there."
        raise ValidationError({"products": [ErrorDetail(message, "unknown")]})
    return [pk for _, pk in pairs]


def _summaries(rows: Sequence[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return [{key.removesuffix("__code"): value for key, value in row.items()} for row in rows]

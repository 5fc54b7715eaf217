"""Stock shared out anew, and stock taken for one order, over REST."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers as fields
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, IdFilter, MomentFilter, query_values
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.serializers import QuantityInput, StrictSerializer, TextInput
from erp.api.views import ResourceViewSet
from inventory.models import Node, Product
from orders import permissions
from orders.api import serializers
from orders.models import OrderLine, Reallocation
from orders.selectors import (
    ReallocationPage,
    reallocation_changes,
    reallocation_list,
    reallocation_page,
    reallocation_segments,
)
from orders.services.reallocating import (
    approve_reallocation,
    commit_run,
    discard_run,
    propose_override,
    propose_reallocation,
    reject_reallocation,
)

CHANGES_PAGE = 500
CODES_MAX = 1_000
LOSERS_MAX = 100
STRATEGIES = ("win", "gain", "redistribute", "fill", "lose")
SEGMENTS = ("A", "B", "C", "D", "all")
HIDDEN = {"id", "entity_id"}


class ScopeInput(StrictSerializer):
    """Codes; without `products` and `nodes` all of them."""

    entity = TextInput(max_length=20)
    products = fields.ListField(
        child=TextInput(max_length=40), required=False, max_length=CODES_MAX
    )
    nodes = fields.ListField(child=TextInput(max_length=40), required=False, max_length=CODES_MAX)


class StrategyInput(StrictSerializer):
    """What each segment (the customer's tier) may win or lose, against the policy."""

    A = fields.ChoiceField(choices=STRATEGIES, required=False)
    B = fields.ChoiceField(choices=STRATEGIES, required=False)
    C = fields.ChoiceField(choices=STRATEGIES, required=False)
    D = fields.ChoiceField(choices=STRATEGIES, required=False)
    all = fields.ChoiceField(choices=STRATEGIES, required=False)


class RunInput(StrictSerializer):
    """With `simulate` false it is committed at once, if nobody has to agree."""

    scope = ScopeInput()
    strategy = StrategyInput(required=False)
    simulate = fields.BooleanField(required=False, default=True)
    reason = TextInput(max_length=300, required=False)


class DiscardInput(StrictSerializer):
    reason = TextInput(max_length=300, required=False)


class RejectInput(StrictSerializer):
    reason = TextInput(max_length=300)


class LineRefInput(StrictSerializer):
    """A line by the number of its order and its position."""

    order = TextInput(max_length=20)
    line = fields.IntegerField(min_value=1, max_value=32_767)


class OverrideInput(StrictSerializer):
    """`quantity` in base units. Without `from` the last in rank lose first."""

    line = LineRefInput()
    quantity = QuantityInput()
    reason = TextInput(max_length=300)

    def get_fields(self) -> dict[str, Any]:
        """Return its fields; `from` is a word of the language."""
        listed = LineRefInput(many=True, required=False, max_length=LOSERS_MAX)  # type: ignore[call-arg]
        return {**super().get_fields(), "from": listed}


class _ReallocationViewSet(ResourceViewSet):
    kind = ""
    lookup_field = "number"
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Reallocation.State.values)),
        "created_after": MomentFilter("requested_at__gte"),
        "created_before": MomentFilter("requested_at__lt"),
    }
    ordering_fields = ("id",)

    def list(self, request: Request) -> Response:
        return self.page(reallocation_list(entity_ids=self.scope(), kind=self.kind), _summaries)

    def retrieve(self, request: Request, number: str) -> Response:
        return Response(self._shown(self._found(number)))

    @action(detail=True)
    def changes(self, request: Request, number: str) -> Response:
        """Answer who gains and who loses, by rank: `?after=` the last id, `?which=losers`."""
        page = self._found(number)
        asked = query_values(
            request,
            {
                "after": IdFilter(),
                "which": ChoiceFilter("which", choices=("gainers", "losers")),
            },
        )
        which = asked.get("which") or []
        found = reallocation_changes(
            reallocation_id=page.id,
            which=which[0] if len(which) == 1 else "",
            after=asked.get("after") or 0,
            limit=CHANGES_PAGE,
        )
        segments = reallocation_segments(reallocation_id=page.id)
        return Response(
            {
                "segments": [asdict(each) for each in segments],
                "results": [_change(asdict(each)) for each in found],
            }
        )

    def _found(self, number: str) -> ReallocationPage:
        page = reallocation_page(number=number, entity_ids=self.scope(), kind=self.kind)
        if page is None:
            raise NotFound(f"There is no {number}.")
        return page

    @staticmethod
    def _shown(page: ReallocationPage) -> dict[str, Any]:
        plain = {name: value for name, value in asdict(page).items() if name not in HIDDEN}
        order, position = plain.pop("order_number"), plain.pop("position")
        return {**plain, "line": {"order": order, "line": position} if order else None}

    def _answer(self, made: Reallocation, *, status: int = 200) -> Response:
        prefix = "allocation-runs" if self.kind == "run" else "overrides"
        headers = {"Location": f"/api/v1/{prefix}/{made.number}/"} if status == 201 else None  # noqa: PLR2004
        return Response(self._shown(self._found(made.number)), status=status, headers=headers)


class AllocationRunViewSet(_ReallocationViewSet):
    """Re-allocations: what orders hold, shared out anew; simulated first."""

    kind = Reallocation.Kind.RUN
    required_permissions: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "changes"), permissions.VIEW_REALLOCATION),
        **dict.fromkeys(("create", "commit", "discard"), permissions.REALLOCATE),
    }
    inputs: ClassVar = {
        "create": RunInput,
        "commit": serializers.NothingInput,
        "discard": DiscardInput,
    }

    def create(self, request: Request) -> Response:
        """Simulate; with `simulate` false, commit as well."""
        body, now = self.body(), timezone.now()
        scope, actor = body["scope"], actor_of(request)
        made = propose_reallocation(
            entity_id=self.entity_id(scope["entity"]),
            product_ids=_ids(Product, scope.get("products", []), "products"),
            node_ids=_ids(Node, scope.get("nodes", []), "nodes"),
            strategy=body.get("strategy", {}),
            reason=body.get("reason", ""),
            actor=actor,
            now=now,
        )
        if not body["simulate"] and made.state == Reallocation.State.SIMULATED:
            commit_run(reallocation_id=made.pk, actor=actor, now=now)
        return self._answer(made, status=201)

    @action(detail=True, methods=["post"])
    def commit(self, request: Request, number: str) -> Response:
        """Do it, or ask whoever has to agree; refused where it would come out otherwise."""
        self.body()
        page = self._found(number)
        actor, now = actor_of(request), timezone.now()
        return self._answer(commit_run(reallocation_id=page.id, actor=actor, now=now))

    @action(detail=True, methods=["post"])
    def discard(self, request: Request, number: str) -> Response:
        """Let it go."""
        page, reason = self._found(number), self.body().get("reason", "")
        actor, now = actor_of(request), timezone.now()
        found = discard_run(reallocation_id=page.id, reason=reason, actor=actor, now=now)
        return self._answer(found)


class OverrideViewSet(_ReallocationViewSet):
    """Overrides: stock taken for one line, once somebody else agreed to what others lose."""

    kind = Reallocation.Kind.OVERRIDE
    required_permissions: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "changes"), permissions.VIEW_REALLOCATION),
        "create": permissions.OVERRIDE,
        **dict.fromkeys(("approve", "reject"), permissions.APPROVE_REALLOCATION),
    }
    inputs: ClassVar = {
        "create": OverrideInput,
        "approve": serializers.NothingInput,
        "reject": RejectInput,
    }

    def create(self, request: Request) -> Response:
        """Ask for it: who would lose how much stands under `changes`."""
        body = self.body()
        taken_from = body.get("from", [])
        made = propose_override(
            line_id=self._line(body["line"], "line"),
            quantity=body["quantity"],
            taken_from=[self._line(each, f"from[{n}]") for n, each in enumerate(taken_from)],
            reason=body["reason"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return self._answer(made, status=201)

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, number: str) -> Response:
        """Agree: with the last agreement the stock is taken."""
        self.body()
        page = self._found(number)
        actor, now = actor_of(request), timezone.now()
        return self._answer(approve_reallocation(reallocation_id=page.id, actor=actor, now=now))

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, number: str) -> Response:
        """Refuse it, and say why."""
        page, reason = self._found(number), self.body()["reason"]
        actor, now = actor_of(request), timezone.now()
        found = reject_reallocation(reallocation_id=page.id, reason=reason, actor=actor, now=now)
        return self._answer(found)

    def _line(self, asked: Mapping[str, Any], field: str) -> int:
        found = OrderLine.objects.filter(
            order__number=asked["order"],
            position=asked["line"],
            order__entity_id__in=self.scope(),
        )
        line_id = found.values_list("pk", flat=True).first()
        if line_id is None:
            said = f"There is no line {asked['line']} of {asked['order']!r}."
            raise ValidationError({field: [ErrorDetail(said, "unknown_line")]})
        return line_id


def _ids(model: type[Product] | type[Node], codes: Sequence[str], name: str) -> list[int]:
    known = dict(model.objects.filter(code__in=codes).values_list("code", "pk"))
    unknown = {
        f"scope.{name}[{place}]": [ErrorDetail(f"There is no {code!r}.", "unknown_code")]
        for place, code in enumerate(codes)
        if code not in known
    }
    if unknown:
        raise ValidationError(unknown)
    return list(known.values())


def _change(row: dict[str, Any]) -> dict[str, Any]:
    order, position = row.pop("number"), row.pop("position")
    return {"order": order, "line": position, **row}


def _summaries(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "entity": row["entity_code"],
            **{name: value for name, value in row.items() if name not in {"id", "entity_code"}},
        }
        for row in found
    ]

"""Calendars and lanes, over REST."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, TextFilter, query_values
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import Item, ResourceViewSet
from inventory import permissions
from inventory.api import promise_serializers as serializers
from inventory.api.views._masters import MasterViewSet
from inventory.models import Calendar, Lane, Substitute
from inventory.selectors import calendar_rows, follower_kinds
from inventory.services.promising import (
    CalendarDraft,
    DayDraft,
    LaneDraft,
    follow_calendar,
    save_calendar,
    save_lane,
)
from inventory.services.substituting import SubstituteDraft, drop_substitute, save_substitute

FOLLOWERS_MAX = 1_000
PAIR_FIELDS = (
    "id", "product__code", "other__code", "units", "per", "rank", "valid_from", "valid_until",
    "reason", "consent", "price_rule",
)  # fmt: skip
LANE_FIELDS = ("id", "origin__code", "destination__code", "days", "cost", "currency")


class CalendarViewSet(MasterViewSet):
    """Working days, holidays and cut-offs of nodes, carriers, suppliers and customers."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_NODE,
        "retrieve": permissions.VIEW_NODE,
        "create": permissions.CHANGE_NODE,
        "partial_update": permissions.CHANGE_NODE,
        "follow": permissions.CHANGE_NODE,
        "leave": permissions.CHANGE_NODE,
        "followers": permissions.VIEW_NODE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "country": TextFilter("country"),
    }
    inputs: ClassVar = {
        "create": serializers.CalendarInput,
        "partial_update": serializers.CalendarPatch,
        "follow": serializers.FollowersInput,
        "leave": serializers.FollowersInput,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "follow", "leave"),
        serializers.CalendarOutput,
    )
    kept_fields = ("code", "name", "country", "weekdays", "cutoff")

    def rows(self) -> Any:
        return Calendar.objects.values("id", *self.kept_fields)

    def present(self, rows: Sequence[dict[str, Any]]) -> Sequence[Item]:
        found = calendar_rows(codes=[row["code"] for row in rows])
        return [found[row["code"]] for row in rows]

    def save(self, values: dict[str, Any]) -> None:
        if "days" in values:
            days = [
                DayDraft(day=day["date"], is_working=day["is_working"], name=day["name"])
                for day in values["days"]
            ]
            values = values | {"days": days}
        draft = CalendarDraft(**values)
        save_calendar(draft=draft, actor=actor_of(self.request), now=timezone.now())

    @action(detail=True, methods=["post"])
    def follow(self, request: Request, code: str) -> Response:
        """Let nodes, carriers, suppliers and customers follow it from now on."""
        return self._follow(request, code, leaves=False)

    @action(detail=True, methods=["post"])
    def leave(self, request: Request, code: str) -> Response:
        """Let those of them who follow it follow none from now on."""
        return self._follow(request, code, leaves=True)

    @action(detail=True, methods=["get"])
    def followers(self, request: Request, code: str) -> Response:
        """Answer who of each kind follows it, by code, at most a thousand of each."""
        query_values(request, {})
        self.one(code)
        return Response(followers_of(code, self.scope()))

    def _follow(self, request: Request, code: str, *, leaves: bool) -> Response:
        shown, body = self.one(code), self.body()
        follow_calendar(
            code=code,
            followers=body,
            entity_ids=self.scope(),
            actor=actor_of(request),
            now=timezone.now(),
            leaves=leaves,
        )
        return Response(shown)


def followers_of(code: str, entity_ids: Collection[int]) -> dict[str, list[dict[str, str]]]:
    """Return by kind who follows a calendar, of what these entities may see."""
    return {
        kind.name: list(
            kind.within(entity_ids)
            .filter(calendar__code=code)
            .order_by("code")
            .distinct()
            .values("code", "name")[:FOLLOWERS_MAX]
        )
        for kind in follower_kinds()
    }


class LaneViewSet(ResourceViewSet):
    """Ways between nodes: how many days a transfer takes and what it costs."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_NODE,
        "create": permissions.CHANGE_NODE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "origin": TextFilter("origin__code"),
        "destination": TextFilter("destination__code"),
    }
    ordering_fields = ("id", "days")
    inputs: ClassVar = {"create": serializers.LaneInput}
    outputs: ClassVar = dict.fromkeys(("list", "create"), serializers.LaneOutput)

    def list(self, request: Request) -> Response:
        return self.page(Lane.objects.values(*LANE_FIELDS), _lanes)

    def create(self, request: Request) -> Response:
        """Add the lane between two nodes, or change it."""
        draft = LaneDraft(**self.body())
        lane_id = save_lane(draft=draft, actor=actor_of(request), now=timezone.now())
        (lane,) = _lanes(Lane.objects.filter(pk=lane_id).values(*LANE_FIELDS))
        return Response(lane, status=201)


class SubstituteViewSet(ResourceViewSet):
    """What may go out in place of what: directed pairs, each with its ratio."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PRODUCT,
        "retrieve": permissions.VIEW_PRODUCT,
        "create": permissions.CHANGE_PRODUCT,
        "destroy": permissions.CHANGE_PRODUCT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "other": TextFilter("other__code"),
        "consent": ChoiceFilter("consent", choices=tuple(Substitute.Consent.values)),
    }
    lookup_value_regex = "[0-9]{1,18}"
    ordering_fields = ("id", "rank")
    inputs: ClassVar = {"create": serializers.SubstituteInput}
    outputs: ClassVar = dict.fromkeys(("list", "retrieve", "create"), serializers.SubstituteOutput)

    def list(self, request: Request) -> Response:
        return self.page(Substitute.objects.values(*PAIR_FIELDS), _lanes)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._one(int(pk)))

    def create(self, request: Request) -> Response:
        """Add the pair of two products, or change it: what is left out is as for a new one."""
        draft = SubstituteDraft(**self.body())
        pair_id = save_substitute(draft=draft, actor=actor_of(request), now=timezone.now())
        return Response(self._one(pair_id), status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        """Forget the pair; what went out by it stays."""
        found = self._one(int(pk))
        drop_substitute(
            product=found["product"],
            other=found["other"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(status=204)

    @staticmethod
    def _one(pair_id: int) -> dict[str, Any]:
        found = _lanes(Substitute.objects.filter(pk=pair_id).values(*PAIR_FIELDS))
        if not found:
            raise NotFound(f"There is no pair {pair_id}.")
        return found[0]


def _lanes(rows: Any) -> list[dict[str, Any]]:
    return [{name.removesuffix("__code"): value for name, value in row.items()} for row in rows]

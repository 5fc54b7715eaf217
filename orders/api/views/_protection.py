"""Protected stock over REST: segments, their members, and their shares by period."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, TextFilter, query_values
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from inventory import permissions
from inventory.models import Protection, Segment
from inventory.selectors import protections_of
from inventory.services.protecting import (
    ProtectionDraft,
    SegmentDraft,
    end_protection,
    save_protection,
    save_segment,
)
from orders.api import protection_serializers as serializers
from orders.selectors import segment_members
from orders.services.segmenting import assign_segment

SEGMENT_FIELDS = ("id", "code", "name", "parent__code", "rank", "lends")


class SegmentViewSet(ResourceViewSet):
    """The ranked tree of parts of demand that stock is kept for."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PROTECTION,
        "create": permissions.CHANGE_PROTECTION,
        "members": permissions.VIEW_PROTECTION,
        "assign": permissions.CHANGE_PROTECTION,
    }
    inputs: ClassVar = {
        "create": serializers.SegmentInput,
        "assign": serializers.SegmentMemberInput,
    }
    outputs: ClassVar[dict[str, Any]] = {
        "list": serializers.SegmentOutput,
        "create": serializers.SegmentOutput,
        "members": serializers.SegmentMemberOutput(many=True),
        "assign": serializers.SegmentMemberOutput,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "code": TextFilter("code"),
        "parent": TextFilter("parent__code"),
    }
    ordering_fields = ("id", "rank")

    def list(self, request: Request) -> Response:
        return self.page(Segment.objects.values(*SEGMENT_FIELDS), _segments)

    def create(self, request: Request) -> Response:
        """Add the segment, or change it by its code."""
        draft = SegmentDraft(**self.body())
        save_segment(draft=draft, actor=actor_of(request), now=timezone.now())
        found = Segment.objects.filter(code=draft.code).values(*SEGMENT_FIELDS)
        return Response(_segments(list(found))[0], status=201)

    @action(detail=False, methods=["get"])
    def members(self, request: Request) -> Response:
        """Answer whose orders are of which segment, at most a thousand."""
        query_values(request, {})
        return Response(serializers.SegmentMemberOutput(segment_members(), many=True).data)

    @action(detail=False, methods=["post"])
    def assign(self, request: Request) -> Response:
        """Have the orders of one customer, group, channel or company count for a segment."""
        body = self.body()
        assign_segment(**body, actor=actor_of(request), now=timezone.now())
        return Response(body)


class ProtectionViewSet(ResourceViewSet):
    """What is kept of a product for a segment, and how much it gets at most, by period."""

    required_permissions: ClassVar = {
        "list": permissions.VIEW_PROTECTION,
        "retrieve": permissions.VIEW_PROTECTION,
        "create": permissions.CHANGE_PROTECTION,
        "end": permissions.CHANGE_PROTECTION,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "product": TextFilter("product__code"),
        "segment": TextFilter("segment__code"),
        "node": TextFilter("node__code"),
    }
    lookup_value_regex = "[0-9]{1,18}"
    ordering_fields = ("id", "first_day", "last_day")
    inputs: ClassVar = {
        "create": serializers.ProtectionInput,
        "end": serializers.EndProtectionInput,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "end"), serializers.ProtectionOutput
    )

    def list(self, request: Request) -> Response:
        found = Protection.objects.filter(entity_id__in=self.scope()).values("id")
        return self.page(found, _shown)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._one(int(pk)))

    def create(self, request: Request) -> Response:
        """Keep the share, or change the one of the same thing from the same day on."""
        body = self.body()
        entity_id = self.entity_id(body.pop("entity"))
        draft = ProtectionDraft(entity_id=entity_id, **body)
        made = save_protection(draft=draft, actor=actor_of(request), now=timezone.now())
        return Response(self._one(made), status=201)

    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Let it end before it would have; answer it as it was."""
        shown, body = self._one(int(pk)), self.body()
        end_protection(
            protection_id=int(pk),
            last_day=body["last_day"],
            reason=body.get("reason", ""),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(shown)

    def _one(self, protection_id: int) -> dict[str, Any]:
        found = Protection.objects.filter(pk=protection_id, entity_id__in=self.scope())
        rows = _shown([{"id": pk} for pk in found.values_list("id", flat=True)])
        if not rows:
            raise NotFound(f"There is no protection {protection_id}.")
        return rows[0]


def _shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {row.id: row for row in protections_of(ids=[row["id"] for row in rows])}
    listed = [found[row["id"]] for row in rows]
    return [dict(each) for each in serializers.ProtectionOutput(listed, many=True).data]


def _segments(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "code": row["code"], "name": row["name"], "parent": row["parent__code"] or "",
            "rank": row["rank"], "lends": row["lends"],
        }
        for row in rows
    ]  # fmt: skip

"""Saved views of the queue, and shifts."""

from typing import Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import User
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from exceptions import permissions
from exceptions.api import serializers
from exceptions.models import SavedFilter, Shift
from exceptions.selectors import FilterRow, filters_of, saved_filters, shifts_within
from exceptions.services.desks import drop_shift, forget_filter, open_with, plan_shift, save_filter


class ExceptionFilterViewSet(ResourceViewSet):
    """The views of the queue that the caller may open: their own, and their roles'."""

    queryset = SavedFilter.objects.all()
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = serializers.FilterOutput
    required_permissions: ClassVar = {
        "list": permissions.VIEW,
        "create": permissions.VIEW,
        "destroy": permissions.VIEW,
        "open_with": permissions.VIEW,
    }

    def list(self, request: Request) -> Response:
        who, now = actor_of(request), timezone.now()
        shown = {one.id: one for one in saved_filters(user=who, now=now)}
        within = Q(entity=None) | Q(entity_id__in=self.scope())
        return self.page(
            filters_of(who, now).filter(within),
            lambda found: [_filter(shown[one.pk]) for one in found if one.pk in shown],
        )

    @extend_schema(request=serializers.FilterInput)
    def create(self, request: Request) -> Response:
        """Keep a view under a name; the same name again takes its place."""
        body, who, now = self.body(serializers.FilterInput), actor_of(request), timezone.now()
        role = body.get("role", "")
        made = save_filter(
            name=body["name"],
            query=body["query"],
            actor=who,
            now=now,
            shared_with=(self.entity_id(body.get("entity", "")), role) if role else None,
        )
        row = next(one for one in saved_filters(user=who, now=now) if one.id == made.pk)
        return Response(_filter(row), status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        if not forget_filter(filter_id=int(pk), actor=actor_of(request)):
            raise NotFound("There is no such filter of yours.")
        return Response(status=204)

    @extend_schema(request=serializers.OpenWithInput)
    @action(detail=True, methods=["post"], url_path="open-with", url_name="open-with")
    def open_with(self, request: Request, pk: str) -> Response:
        """Let the queue open with it, or with everything again."""
        body = self.body(serializers.OpenWithInput)
        try:
            open_with(
                filter_id=int(pk) if body["default"] else None,
                actor=actor_of(request),
                now=timezone.now(),
            )
        except SavedFilter.DoesNotExist as missing:
            raise NotFound("There is no such filter.") from missing
        return self.list(request)


class ShiftViewSet(ResourceViewSet):
    """When desks are manned: what routing looks at for a new case."""

    queryset = Shift.objects.select_related("entity", "user")
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = serializers.ShiftOutput
    required_permissions: ClassVar = {
        "list": permissions.PLAN_SHIFTS,
        "create": permissions.PLAN_SHIFTS,
        "destroy": permissions.PLAN_SHIFTS,
    }

    def list(self, request: Request) -> Response:
        return self.page(shifts_within(self.scope()), lambda found: [_shift(one) for one in found])

    @extend_schema(request=serializers.ShiftInput)
    def create(self, request: Request) -> Response:
        body = self.body(serializers.ShiftInput)
        named = body.get("user", "")
        person = User.objects.filter(username=named, is_active=True).first() if named else None
        if named and person is None:
            raise ValidationError({"user": [ErrorDetail("There is no such person.", "unknown")]})
        made = plan_shift(
            entity_id=self.entity_id(body["entity"]),
            role=body["role"],
            user=person,
            weekdays=body["weekdays"],
            hours=(body["starts"], body["ends"]),
            valid=(body.get("valid_from"), body.get("valid_until")),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(_shift(made), status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        found = shifts_within(self.scope()).filter(pk=int(pk)).first()
        if found is None:
            raise NotFound("There is no such shift.")
        drop_shift(shift_id=found.pk, actor=actor_of(request), now=timezone.now())
        return Response(status=204)


def _filter(row: FilterRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "query": dict(row.query),
        "role": row.role,
        "entity": row.entity,
        "owner": row.owner,
        "own": row.is_own,
        "default": row.is_default,
    }


def _shift(one: Shift) -> dict[str, Any]:
    return {
        "id": one.pk,
        "entity": one.entity.code,
        "role": one.role,
        "user": one.user.username if one.user else "",
        "weekdays": one.weekdays,
        "starts": f"{one.starts:%H:%M}",
        "ends": f"{one.ends:%H:%M}",
        "valid_from": one.valid_from,
        "valid_until": one.valid_until,
    }

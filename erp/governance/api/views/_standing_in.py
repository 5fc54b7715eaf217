"""Who stands in for whom, and who is away."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import User
from erp.api.filters import Filter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.api.views._people import colleague
from erp.governance.models import Absence, Delegation
from erp.governance.selectors import absences_within, delegation_row, delegations_within
from erp.governance.services import delegate, end_absence, report_absence, revoke_delegation


class DelegationViewSet(ResourceViewSet):
    """Who decides on whose behalf: what the user handed over or received."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "revoke"), permissions.DELEGATE
    )
    filters: ClassVar[dict[str, Filter]] = {
        "delegator": TextFilter("delegator__username"),
        "to": TextFilter("delegate__username"),
        "ends_after": MomentFilter("ends_at__gt"),
    }
    ordering_fields = ("id", "starts_at", "ends_at")
    inputs: ClassVar = {"create": serializers.DelegationInput, "revoke": serializers.NothingInput}
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "create", "revoke"), serializers.DelegationOutput
    )

    def list(self, request: Request) -> Response:
        found = delegations_within(user=actor_of(request), entity_ids=self.scope())
        return self.page(found, lambda page: [_delegation(each) for each in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_delegation(self._delegation(pk)))

    def create(self, request: Request) -> Response:
        """Let somebody stand in for the user, or, where they may, for somebody else."""
        body, now, actor = self.body(), timezone.now(), actor_of(request)
        entity_id = self.entity_id(body["entity"])
        delegator = actor
        if body.get("delegator", actor.username) != actor.username:
            delegator = colleague(body["delegator"], [entity_id], "delegator")
        made = delegate(
            delegator=delegator,
            delegate=colleague(body["to"], self.scope()),
            entity_id=entity_id,
            role=body.get("role", ""),
            starts_at=body.get("starts_at", now),
            ends_at=body["until"],
            reason=body.get("reason", ""),
            actor=actor,
            now=now,
        )
        return Response(_delegation(made), status=201)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Take it back, or give it back."""
        self.body()
        found = self._delegation(pk)
        actor = actor_of(request)
        revoke_delegation(delegation_id=found.pk, actor=actor, now=timezone.now())
        return self.retrieve(request, pk)

    def _delegation(self, pk: str) -> Delegation:
        found = delegations_within(user=actor_of(self.request), entity_ids=self.scope())
        delegation = found.filter(pk=int(pk)).first()
        if delegation is None:
            raise NotFound
        return delegation


class AbsenceViewSet(ResourceViewSet):
    """When people are away, so that nobody waits for them: the user's own, or those they manage."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = dict.fromkeys(("list", "create", "end"), permissions.DELEGATE)
    filters: ClassVar[dict[str, Filter]] = {
        "user": TextFilter("user__username"),
        "ends_after": MomentFilter("ends_at__gt"),
    }
    ordering_fields = ("id", "starts_at")
    inputs: ClassVar = {"create": serializers.AbsenceInput, "end": serializers.NothingInput}
    outputs: ClassVar = dict.fromkeys(("list", "create", "end"), serializers.AbsenceOutput)

    def list(self, request: Request) -> Response:
        found = absences_within(user=actor_of(request), entity_ids=self.scope())
        return self.page(found, lambda page: [_absence(each) for each in page])

    def create(self, request: Request) -> Response:
        """Say that the user is away, or, where they may, somebody else."""
        body, now, actor = self.body(), timezone.now(), actor_of(request)
        who: User = actor
        if body.get("user", actor.username) != actor.username:
            who = colleague(body["user"], self.scope(), "user")
        made = report_absence(
            user=who,
            starts_at=body.get("starts_at", now),
            ends_at=body["until"],
            reason=body.get("reason", ""),
            actor=actor,
            now=now,
        )
        return Response(_absence(made), status=201)

    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """Say that they are back, or did not go."""
        self.body()
        within = absences_within(user=actor_of(request), entity_ids=self.scope())
        found = within.filter(pk=int(pk)).first()
        if found is None:
            raise NotFound
        ended = end_absence(absence_id=found.pk, actor=actor_of(request), now=timezone.now())
        return Response(_absence(ended))


def _delegation(found: Delegation) -> dict[str, Any]:
    row = delegation_row(found, timezone.now())
    return {
        "id": row.id,
        "entity": row.entity_code,
        "delegator": found.delegator.username,
        "to": found.delegate.username,
        "role": row.role,
        "approval": row.approval_id,
        "starts_at": row.starts_at,
        "until": row.ends_at,
        "reason": row.reason,
        "state": row.state,
    }


def _absence(found: Absence) -> dict[str, Any]:
    return {
        "id": found.pk,
        "user": found.user.username,
        "starts_at": found.starts_at,
        "until": found.ends_at,
        "reason": found.reason,
        "is_over": found.cancelled_at is not None or found.ends_at <= timezone.now(),
    }

"""Duties as a resource: conflicts, what bears them, who approves for one another."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import User
from erp.api.filters import Filter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.models import DutyMitigation
from erp.governance.selectors import (
    ApprovalRing,
    DutyConflictRow,
    approval_rings,
    duty_conflicts,
    role_conflicts,
)
from erp.governance.services import mitigate_conflict, revoke_mitigation

DAYS = 90


class DutyViewSet(ResourceViewSet):
    """Who holds duties that are to be kept apart, and who approves for one another."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_DUTIES,
        "roles": permissions.VIEW_DUTIES,
        "rings": permissions.VIEW_DUTIES,
        "mitigate": permissions.MITIGATE_DUTIES,
        "revoke": permissions.MITIGATE_DUTIES,
    }
    filters: ClassVar[dict[str, Filter]] = {}
    inputs: ClassVar = {
        "mitigate": serializers.MitigationInput,
        "revoke": serializers.NothingInput,
    }
    outputs: ClassVar = {
        "list": serializers.ConflictsOutput,
        "roles": serializers.RoleConflictsOutput,
        "rings": serializers.RingsOutput,
        "mitigate": serializers.MitigatedOutput,
        "revoke": serializers.MitigatedOutput,
    }

    def list(self, request: Request) -> Response:
        """Answer up to a thousand conflicts; those that are borne say by what."""
        found = duty_conflicts(entity_ids=self.scope(), now=timezone.now())
        return Response({"results": [_conflict(row) for row in found]})

    @action(detail=False, methods=["get"])
    def roles(self, request: Request) -> Response:
        """Answer the roles that hold a conflicting pair by themselves."""
        found = role_conflicts(entity_id=None, now=timezone.now())
        return Response({"results": [{"role": row.role, **asdict(row.pair)} for row in found]})

    @action(detail=False, methods=["get"])
    def rings(self, request: Request) -> Response:
        """Answer pairs and rings of mutual approval of the last ninety days."""
        since = timezone.now() - timedelta(days=DAYS)
        found = approval_rings(entity_ids=self.scope(), since=since)
        return Response({"days": DAYS, "results": [_ring(ring) for ring in found]})

    @action(detail=False, methods=["post"])
    def mitigate(self, request: Request) -> Response:
        """Record why a conflict of somebody else is borne, until when."""
        body = self.body()
        person = User.objects.filter(username=body["person"]).first()
        if person is None:
            raise ValidationError({"person": [ErrorDetail("There is no such user.", "unknown")]})
        made = mitigate_conflict(
            person=person,
            entity_id=self.entity_id(body["entity"]),
            one=body["one"],
            other=body["other"],
            reason=body["reason"],
            until=body["until"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response({"id": made.pk, "until": made.until, "revoked_at": None}, status=201)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Let a borne conflict count again; the id is the mitigation's."""
        self.body()
        known = DutyMitigation.objects.filter(pk=int(pk), entity_id__in=self.scope())
        if not known.exists():
            raise NotFound
        revoke_mitigation(mitigation_id=int(pk), actor=actor_of(request), now=timezone.now())
        found = known.get()
        return Response({"id": found.pk, "until": found.until, "revoked_at": found.revoked_at})


def _conflict(row: DutyConflictRow) -> dict[str, Any]:
    return {
        "person": row.name,
        "entity": row.entity_code,
        **asdict(row.pair),
        "through": list(row.through),
        "counts": row.counts,
        "mitigation_id": row.mitigation_id,
        "mitigation": row.mitigation,
        "mitigated_by": row.mitigated_by,
        "until": row.until,
    }


def _ring(ring: ApprovalRing) -> dict[str, Any]:
    return {
        "people": list(ring.people),
        "times": ring.times,
        "agreements": [
            {
                "approver": each.approver,
                "asker": each.asker,
                "times": each.times,
                "amounts": {code: f"{amount:f}" for code, amount in each.amounts.items()},
            }
            for each in ring.agreements
        ],
    }

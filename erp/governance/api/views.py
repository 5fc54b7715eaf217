"""The resources of governance: approvals."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, IdFilter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.models import Approval
from erp.governance.selectors import (
    PendingApproval,
    approval_page,
    approvals_within,
    shown,
)
from erp.governance.services import (
    Verdict,
    decide_requests,
    reject,
)


class ApprovalViewSet(ResourceViewSet):
    """What waits for a second pair of eyes: what the user may decide, or asked for."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = dict.fromkeys(
        ("list", "retrieve", "approve", "reject"), permissions.VIEW_APPROVAL
    )
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Approval.State.values)),
        "document_kind": TextFilter("document_kind"),
        "document_id": IdFilter("document_id"),
        "requested_after": MomentFilter("requested_at__gte"),
    }
    ordering_fields = ("id", "requested_at")
    inputs: ClassVar = {"approve": serializers.ApproveInput, "reject": serializers.ReasonInput}
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "approve", "reject"), serializers.ApprovalOutput
    )

    def list(self, request: Request) -> Response:
        user = actor_of(request)
        found = approvals_within(user=user, entity_ids=self.scope())
        return self.page(found, lambda page: [_approval(shown(each, user)) for each in page])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_approval(self._approval(pk)))

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Agree; never to one's own."""
        waiting, seen = self._approval(pk), self.body().get("fingerprint")
        verdict = Verdict(waiting.id, agrees=True, fingerprint=seen or None)
        (outcome,) = decide_requests(
            verdicts=[verdict], actor=actor_of(request), now=timezone.now()
        )
        if outcome.refusal is not None:
            raise outcome.refusal
        return self.retrieve(request, pk)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Refuse, with the reason."""
        reject(
            approval_id=self._approval(pk).id,
            actor=actor_of(request),
            reason=self.body()["reason"],
            now=timezone.now(),
        )
        return self.retrieve(request, pk)

    def _approval(self, pk: str) -> PendingApproval:
        found = approval_page(approval_id=int(pk), user=actor_of(self.request))
        if found is None or found.entity_id not in self.scope():
            raise NotFound
        return found


def _approval(found: PendingApproval) -> dict[str, Any]:
    row = asdict(found)
    row["entity"], row["document"] = row.pop("entity_code"), row.pop("label")
    for name in ("entity_id", "rank"):
        row.pop(name)
    return row

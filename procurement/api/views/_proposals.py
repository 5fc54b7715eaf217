"""What replenishment proposes."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, DateFilter, Filter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from procurement import permissions
from procurement.api import serializers
from procurement.api.views._codes import coded
from procurement.models import PurchaseProposal
from procurement.selectors import proposal_list
from procurement.services import accept_proposals, reject_proposal


class ProposalViewSet(ResourceViewSet):
    """What replenishment would buy, with the figures behind it."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_PROPOSAL,
        "retrieve": permissions.VIEW_PROPOSAL,
        "accept": permissions.DECIDE,
        "reject": permissions.DECIDE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(PurchaseProposal.State.values)),
        "node": TextFilter("node__code"),
        "product": TextFilter("product__code"),
        "supplier": TextFilter("supplier__code"),
        "need_before": DateFilter("need_by__lt"),
        "created_after": MomentFilter("created_at__gte"),
    }
    ordering_fields = ("id", "need_by")
    inputs: ClassVar = {"accept": serializers.AcceptInput, "reject": serializers.ReasonInput}
    outputs: ClassVar = {
        "list": serializers.ProposalOutput,
        "retrieve": serializers.ProposalOutput,
        "reject": serializers.ProposalOutput,
        "accept": serializers.ProposalOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(proposal_list(entity_ids=self.scope()), _proposals)

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self._proposal(pk))

    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Write a draft order out of it."""
        proposal, body = self._proposal(pk), self.body()
        accept_proposals(
            proposal_ids=[proposal["id"]],
            actor=actor_of(request),
            now=timezone.now(),
            quantities={proposal["id"]: body["quantity"]} if "quantity" in body else None,
        )
        return Response(self._proposal(pk))

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Decline it, with the reason."""
        reject_proposal(
            proposal_id=self._proposal(pk)["id"],
            actor=actor_of(request),
            reason=self.body()["reason"],
            now=timezone.now(),
        )
        return Response(self._proposal(pk))

    def _proposal(self, pk: str) -> Mapping[str, Any]:
        found = proposal_list(entity_ids=self.scope()).filter(pk=int(pk))
        for shown in _proposals(found):
            return shown
        raise NotFound


def _proposals(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**coded({k: v for k, v in row.items() if k != "decider"}), "decided_by": row["decider"]}
        for row in found
    ]

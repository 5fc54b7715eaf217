"""What waits for a second pair of eyes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, IdFilter, MomentFilter, TextFilter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import Outcome, ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.api.views._people import colleague
from erp.governance.models import Approval
from erp.governance.selectors import (
    PendingApproval,
    StepRow,
    approval_page,
    approvals_within,
    shown,
    shown_all,
)
from erp.governance.services import Verdict, decide_requests, delegate_request

PASSED_ON_FOR = timedelta(days=14)
INTERNAL = ("entity_id", "rank", "unfit", "steps")


class ApprovalViewSet(ResourceViewSet):
    """What waits for a second pair of eyes: what the user may decide, or asked for."""

    lookup_value_regex = "[0-9]{1,18}"
    required_permissions: ClassVar = {
        **dict.fromkeys(
            ("list", "retrieve", "approve", "reject", "decide_many"), permissions.VIEW_APPROVAL
        ),
        "delegate": permissions.DELEGATE,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(Approval.State.values)),
        "document_kind": TextFilter("document_kind"),
        "document_id": IdFilter("document_id"),
        "requested_after": MomentFilter("requested_at__gte"),
    }
    ordering_fields = ("id", "requested_at", "weight")
    inputs: ClassVar = {
        "approve": serializers.ApproveInput,
        "reject": serializers.ReasonInput,
        "delegate": serializers.PassOnInput,
        "decide_many": serializers.VerdictInput,
    }
    outputs: ClassVar = dict.fromkeys(
        ("list", "retrieve", "approve", "reject", "delegate"), serializers.ApprovalOutput
    )

    def list(self, request: Request) -> Response:
        user = actor_of(request)
        found = approvals_within(user=user, entity_ids=self.scope())
        return self.page(found, lambda page: [_approval(each) for each in shown_all(page, user)])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(_approval(self._approval(pk)))

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Agree; never to one's own. Pending still: others must agree as well."""
        seen = self.body().get("fingerprint")
        verdict = Verdict(self._approval(pk).id, agrees=True, fingerprint=seen or None)
        return self._decide(verdict, request)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Refuse, with the reason."""
        reason = self.body()["reason"]
        return self._decide(Verdict(self._approval(pk).id, agrees=False, reason=reason), request)

    @action(detail=True, methods=["post"])
    def delegate(self, request: Request, pk: str) -> Response:
        """Let a colleague decide this one on the user's behalf."""
        found, body, now = self._approval(pk), self.body(), timezone.now()
        delegate_request(
            approval_id=found.id,
            delegate=colleague(body["to"], [found.entity_id]),
            ends_at=body.get("until", now + PASSED_ON_FOR),
            actor=actor_of(request),
            now=now,
            reason=body.get("reason", ""),
        )
        return self.retrieve(request, pk)

    @action(detail=False, methods=["post"], url_path="bulk", url_name="bulk")
    def decide_many(self, request: Request) -> Response:
        """Decide about many at once; each answers for itself."""
        return self.bulk(serializers.VerdictInput, self._decide_each)

    def _decide(self, verdict: Verdict, request: Request) -> Response:
        """Decide about one, and answer it; a changed document ends it before the refusal."""
        actor = actor_of(request)
        (outcome,) = decide_requests(verdicts=[verdict], actor=actor, now=timezone.now())
        if outcome.refusal is not None:
            raise outcome.refusal
        return Response(_approval(shown(outcome.approval, actor)))

    def _decide_each(self, items: Sequence[Mapping[str, Any]]) -> Sequence[Outcome]:
        actor, now = actor_of(self.request), timezone.now()
        within = approvals_within(user=actor, entity_ids=self.scope())
        seen = set(within.filter(pk__in=[i["id"] for i in items]).values_list("pk", flat=True))
        verdicts = [
            Verdict(
                item["id"],
                agrees=item["action"] == "approve",
                fingerprint=item.get("fingerprint") or None,
                reason=item.get("reason", ""),
            )
            for item in items
            if item["id"] in seen
        ]
        decided = iter(decide_requests(verdicts=verdicts, actor=actor, now=now))
        answers: list[Outcome] = []
        for item in items:
            if item["id"] not in seen:
                answers.append(NotFound("There is no such approval."))
                continue
            outcome = next(decided)
            if outcome.refusal is not None:
                outcome.refusal.follow_up(now)
                answers.append(outcome.refusal)
            else:
                state = str(outcome.approval.state)
                answers.append({"status": 200, "id": item["id"], "state": state})
        return answers

    def _approval(self, pk: str) -> PendingApproval:
        found = approval_page(approval_id=int(pk), user=actor_of(self.request))
        if found is None or found.entity_id not in self.scope():
            raise NotFound
        return found


def _approval(found: PendingApproval) -> dict[str, Any]:
    row = asdict(found)
    row["entity"], row["document"] = row.pop("entity_code"), row.pop("label")
    for name in INTERNAL:
        row.pop(name)
    return row | {
        "facts": dict(found.facts or {}),
        "stranded": found.stranded,
        "steps": [_step(step) for step in found.steps],
    }


def _step(step: StepRow) -> dict[str, Any]:
    row = asdict(step)
    for name in ("id", "hours", "on_expiry", "escalate_to"):
        row.pop(name)
    return row

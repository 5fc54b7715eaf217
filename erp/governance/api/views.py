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


def _approval(self, pk: str) -> PendingApproval:
    found = approval_page(approval_id=int(pk), user=actor_of(self.request))
    if found is None or found.entity_id not in self.scope():
        raise NotFound
    return found


class PolicyViewSet(ResourceViewSet):
    """Decisions as data: policies and the versions of their tables."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        "list": permissions.VIEW_POLICY,
        "retrieve": permissions.VIEW_POLICY,
        "versions": permissions.VIEW_POLICY,
        "write": permissions.WRITE_POLICY,
        "lint": permissions.VIEW_POLICY,
        "activate": permissions.ACTIVATE_POLICY,
        "retire": permissions.ACTIVATE_POLICY,
        "decisions": permissions.VIEW_POLICY,
    }
    ordering = "code"
    ordering_fields = ("code",)
    inputs: ClassVar = {
        "write": serializers.VersionInput,
        "lint": serializers.LintInput,
        "activate": serializers.NothingInput,
        "retire": serializers.NothingInput,
    }
    outputs: ClassVar = {
        "list": serializers.PolicyOutput,
        "retrieve": serializers.PolicyOutput,
        "write": serializers.VersionOutput,
        "activate": serializers.VersionOutput,
        "retire": serializers.VersionOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(Policy.objects.all(), lambda page: [_policy(each) for each in page])

    def retrieve(self, request: Request, code: str) -> Response:
        active = versions_within(self.scope()).filter(policy=self._policy(code), state="active")
        table = active.order_by("entity_id").values_list("number", "entity__code")
        versions = [{"number": number, "entity": entity} for number, entity in table]
        return Response({**_policy(self._policy(code)), "active": versions})

    @action(detail=True, methods=["get"], ordering="-id", ordering_fields=("id",))
    def versions(self, request: Request, code: str) -> Response:
        """Answer the versions of everybody and of the user's entities, the newest first."""
        found = versions_within(self.scope()).filter(policy=self._policy(code))
        return self.page(found, lambda page: [_version(each) for each in page])

    @versions.mapping.post
    def write(self, request: Request, code: str) -> Response:
        """Write a draft."""
        body, policy = self.body(), self._policy(code)
        if "entity" not in body:
            self._everybody()
        version = write_version(
            policy=policy.code,
            entity_id=self.entity_id(body["entity"]) if "entity" in body else None,
            table=body["table"],
            author=actor_of(request),
            now=timezone.now(),
            note=body.get("note", ""),
        )
        return Response(_version(self._version(code, version.number)), status=201)

    @action(detail=True, methods=["post"])
    def lint(self, request: Request, code: str) -> Response:
        """Answer what would keep a table from being activated."""
        policy, table = self._policy(code), self.body()["table"]
        problems = problems_of(table, Schema(policy.fields, policy.outcomes))
        return Response({"problems": [asdict(problem) for problem in problems]})

    @action(detail=True, methods=["post"], url_path="versions/(?P<number>[0-9]{1,9})/activate")
    def activate(self, request: Request, code: str, number: str) -> Response:
        """Put a version into force; never one's own."""
        self.body()
        version = self._version(code, int(number))
        activate_version(version_id=version.pk, actor=actor_of(request), now=timezone.now())
        return Response(_version(self._version(code, int(number))))

    @action(detail=True, methods=["post"], url_path="versions/(?P<number>[0-9]{1,9})/retire")
    def retire(self, request: Request, code: str, number: str) -> Response:
        """Take an entity's own version out of force."""
        self.body()
        version = self._version(code, int(number))
        retire_version(version_id=version.pk, actor=actor_of(request), now=timezone.now())
        return Response(_version(self._version(code, int(number))))

    @action(detail=True, methods=["get"], ordering="-id", ordering_fields=("id",))
    def decisions(self, request: Request, code: str) -> Response:
        """Answer what was decided by the policy in the user's entities, the newest first."""
        found = decisions_within(self.scope()).filter(version__policy=self._policy(code))
        return self.page(found, _decisions)

    def _policy(self, code: str) -> Policy:
        found = None if "\0" in code else Policy.objects.filter(code=code).first()
        if found is None:
            raise NotFound
        return found

    def _version(self, code: str, number: int) -> PolicyVersion:
        """Return a version the user may touch; everybody's only to who may in all entities."""
        found = versions_within(self.scope()).filter(policy=self._policy(code), number=number)
        version = found.first()
        if version is None:
            raise NotFound
        if version.entity_id is None and self.request.method == "POST":
            self._everybody()
        return version

    def _everybody(self) -> None:
        """Let only those go on who hold the action's permission in every entity.

        Raises:
            NotFound: the user does not.
        """
        if self.scope() < actor_of(self.request).every_entity:
            raise NotFound("A table of all entities is for those who may change it in all of them.")


def _approval(found: PendingApproval) -> dict[str, Any]:
    row = asdict(found)
    row["entity"], row["document"] = row.pop("entity_code"), row.pop("label")
    for name in ("entity_id", "rank"):
        row.pop(name)
    return row

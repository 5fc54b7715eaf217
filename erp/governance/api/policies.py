"""Policies over REST: tables, versions, lint, replay, drift and decisions."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import ChoiceFilter, Filter, IdFilter, MomentFilter, TextFilter
from erp.api.problems import ErrorDetail, NotFound, ValidationError
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.api.shown import (
    changes_shown,
    decisions_shown,
    document_of,
    policy_shown,
    version_shown,
)
from erp.governance.models import Policy, PolicyReplay, PolicyReplayChange, PolicyVersion
from erp.governance.rules.documents import BadDocument, from_yaml
from erp.governance.selectors import (
    decisions_within,
    differences,
    drift,
    last_replay,
    lint_of,
    replay_changes,
    replay_page,
    versions_within,
)
from erp.governance.services import (
    activate_version,
    ask_replay,
    change_limits,
    edit_version,
    retire_version,
    submit_version,
    write_version,
)

ONE = "versions/(?P<number>[0-9]{1,9})"
READS = (
    "list", "retrieve", "versions", "version", "lint", "lint_version", "replay", "replay_progress",
    "changes", "decisions", "drift", "export", "diff",
)  # fmt: skip
DAYS = 90
DECISION_FILTERS: dict[str, Filter] = {
    "subject_kind": TextFilter("subject_kind"),
    "subject_id": IdFilter("subject_id"),
    "version": IdFilter("version__number"),
    "after": MomentFilter("at__gte"),
    "before": MomentFilter("at__lt"),
}
CHANGE_FILTERS: dict[str, Filter] = {
    "effect": ChoiceFilter("effect", choices=tuple(PolicyReplayChange.Effect.values)),
    "subject_id": IdFilter("subject_id"),
}


class PolicyViewSet(ResourceViewSet):
    """Decisions as data: policies and the versions of their tables."""

    lookup_field = "code"
    required_permissions: ClassVar = {
        **dict.fromkeys(READS, permissions.VIEW_POLICY),
        **dict.fromkeys(("write", "edit", "submit", "import_yaml"), permissions.WRITE_POLICY),
        **dict.fromkeys(("activate", "retire"), permissions.ACTIVATE_POLICY),
        "limits": permissions.LIMIT_POLICY,
    }
    ordering = "code"
    ordering_fields = ("code",)
    operation_ids: ClassVar = {"versions": "policies_versions_list"}
    inputs: ClassVar = {
        "write": serializers.VersionInput,
        "edit": serializers.EditInput,
        "lint": serializers.LintInput,
        "lint_version": serializers.NothingInput,
        "replay": serializers.ReplayInput,
        "submit": serializers.NothingInput,
        "activate": serializers.ActivateInput,
        "retire": serializers.NothingInput,
        "import_yaml": serializers.DocumentInput,
        "limits": serializers.LimitsInput,
    }
    outputs: ClassVar = {
        "list": serializers.PolicyOutput,
        "retrieve": serializers.PolicyOutput,
        "limits": serializers.PolicyOutput,
        **dict.fromkeys(
            ("write", "version", "edit", "submit", "activate", "retire", "import_yaml"),
            serializers.VersionOutput,
        ),
    }

    def list(self, request: Request) -> Response:
        return self.page(Policy.objects.all(), lambda page: [policy_shown(each) for each in page])

    def retrieve(self, request: Request, code: str) -> Response:
        active = versions_within(self.scope()).filter(policy=self._policy(code), state="active")
        table = active.order_by("entity_id", "node", "number")
        versions = [
            {
                "number": v.number,
                "entity": v.entity.code if v.entity else None,
                "node": v.node,
                "valid_from": v.valid_from,
                "valid_until": v.valid_until,
            }
            for v in table
        ]
        return Response({**policy_shown(self._policy(code)), "active": versions})

    @action(detail=True, methods=["get"], ordering="-id", ordering_fields=("id",))
    def versions(self, request: Request, code: str) -> Response:
        """Answer the versions of everybody and of the user's entities, the newest first."""
        found = versions_within(self.scope()).filter(policy=self._policy(code))
        return self.page(found, lambda page: [version_shown(each) for each in page])

    @versions.mapping.post
    def write(self, request: Request, code: str) -> Response:
        """Write a draft."""
        return self._written(self._policy(code), self.body())

    @action(detail=True, methods=["get"], url_path=ONE)
    def version(self, request: Request, code: str, number: str) -> Response:
        """Answer one version with its table."""
        return Response(version_shown(self._version(code, number)))

    @version.mapping.patch
    def edit(self, request: Request, code: str, number: str) -> Response:
        """Change a draft of one's own."""
        body, version = self.body(), self._version(code, number)
        edit_version(
            version_id=version.pk,
            table=body.get("table", version.table),
            note=body.get("note", version.note),
            valid_from=body.get("valid_from", version.valid_from),
            valid_until=body.get("valid_until", version.valid_until),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(version_shown(self._version(code, number)))

    @action(detail=True, methods=["post"])
    def lint(self, request: Request, code: str) -> Response:
        """Answer what is wrong with a table: errors keep it from being activated."""
        policy, body = self._policy(code), self.body()
        entity_id = self.entity_id(body["entity"]) if "entity" in body else None
        return self._linted(policy, body["table"], entity_id, body.get("node", ""))

    @action(detail=True, methods=["post"], url_path=f"{ONE}/lint")
    def lint_version(self, request: Request, code: str, number: str) -> Response:
        """Answer what is wrong with a version's table."""
        self.body()
        version = self._seen(code, number)
        return self._linted(version.policy, version.table, version.entity_id, version.node)

    @action(detail=True, methods=["post"], url_path=f"{ONE}/replay")
    def replay(self, request: Request, code: str, number: str) -> Response:
        """Have a version replayed over recorded decisions in the user's entities."""
        body, version = self.body(), self._seen(code, number)
        replay = ask_replay(
            version_id=version.pk,
            entity_ids=self.scope(),
            days=body.get("days", DAYS),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(asdict(replay_page(replay)), status=202)

    @replay.mapping.get
    def replay_progress(self, request: Request, code: str, number: str) -> Response:
        """Answer how far the version's newest replay is, and its results so far."""
        return Response(asdict(replay_page(self._replay(code, number))))

    @action(
        detail=True,
        methods=["get"],
        url_path=f"{ONE}/replay/changes",
        filters=CHANGE_FILTERS,
        ordering="-id",
        ordering_fields=("id", "amount"),
    )
    def changes(self, request: Request, code: str, number: str) -> Response:
        """Answer what the newest replay changes, subject by subject."""
        return self.page(replay_changes(self._replay(code, number)), changes_shown)

    @action(detail=True, methods=["post"], url_path=f"{ONE}/submit")
    def submit(self, request: Request, code: str, number: str) -> Response:
        """Hand a draft to whoever puts it into force."""
        self.body()
        version = self._version(code, number)
        submit_version(version_id=version.pk, actor=actor_of(request), now=timezone.now())
        return Response(version_shown(self._version(code, number)))

    @action(detail=True, methods=["post"], url_path=f"{ONE}/activate")
    def activate(self, request: Request, code: str, number: str) -> Response:
        """Put a version into force, now or at a date; never one's own."""
        body, version = self.body(), self._version(code, number)
        activate_version(version_id=version.pk, actor=actor_of(request), now=timezone.now(), **body)
        return Response(version_shown(self._version(code, number)))

    @action(detail=True, methods=["post"], url_path=f"{ONE}/retire")
    def retire(self, request: Request, code: str, number: str) -> Response:
        """Take a version out of force, or call it off."""
        self.body()
        version = self._version(code, number)
        retire_version(version_id=version.pk, actor=actor_of(request), now=timezone.now())
        return Response(version_shown(self._version(code, number)))

    @action(detail=True, methods=["get"], url_path=f"{ONE}/export")
    def export(self, request: Request, code: str, number: str) -> HttpResponse:
        """Answer a version as YAML."""
        version = self._seen(code, number)
        return HttpResponse(document_of(version), content_type="application/yaml; charset=utf-8")

    @action(detail=True, methods=["post"], url_path="import")
    def import_yaml(self, request: Request, code: str) -> Response:
        """Write a draft from YAML, for whom the document says."""
        policy = self._policy(code)
        try:
            read = from_yaml(self.body()["yaml"])
        except BadDocument as error:
            raise ValidationError({"yaml": [ErrorDetail(str(error), "invalid")]}) from None
        if read.pop("policy") not in {"", policy.code}:
            said = "The document is another policy's."
            raise ValidationError({"yaml": [ErrorDetail(said, "invalid")]})
        if not read["entity"]:
            del read["entity"]
        return self._written(policy, read)

    @action(detail=True, methods=["get"], url_path=f"{ONE}/diff/(?P<other>[0-9]{{1,9}})")
    def diff(self, request: Request, code: str, number: str, other: str) -> Response:
        """Answer what differs from version `number` to version `other`, row by row."""
        before, after = self._seen(code, number), self._seen(code, other)
        found = differences(before.table, after.table)
        return Response({"differences": [asdict(each) for each in found]})

    @action(detail=True, methods=["get"])
    def drift(self, request: Request, code: str) -> Response:
        """Answer who decides by a version of their own, and how it differs from everybody's."""
        policy = self._policy(code)
        found = drift(entity_ids=self.scope(), now=timezone.now(), code=policy.code)
        return Response({"results": [asdict(each) for each in found]})

    @action(detail=True, methods=["post"])
    def limits(self, request: Request, code: str) -> Response:
        """Say what versions of one entity or node may say otherwise."""
        policy, body = self._policy(code), self.body()
        self._everybody()
        found = change_limits(
            policy=policy.code, limits=body["limits"], actor=actor_of(request), now=timezone.now()
        )
        return Response(policy_shown(found))

    @action(
        detail=True,
        methods=["get"],
        filters=DECISION_FILTERS,
        ordering="-id",
        ordering_fields=("id",),
    )
    def decisions(self, request: Request, code: str) -> Response:
        """Answer what was decided by the policy in the user's entities, the newest first."""
        found = decisions_within(self.scope()).filter(version__policy=self._policy(code))
        return self.page(found, decisions_shown)

    def _written(self, policy: Policy, body: dict[str, Any]) -> Response:
        if "entity" not in body:
            if body.get("node"):
                said = "A node is of an entity: name it too."
                raise ValidationError({"node": [ErrorDetail(said, "invalid")]})
            self._everybody()
        dates: dict[str, datetime | None] = {
            name: body.get(name) for name in ("valid_from", "valid_until")
        }
        version = write_version(
            policy=policy.code,
            entity_id=self.entity_id(body["entity"]) if "entity" in body else None,
            table=body["table"],
            author=actor_of(self.request),
            now=timezone.now(),
            note=body.get("note", ""),
            node=body.get("node", ""),
            **dates,
        )
        return Response(version_shown(self._seen(policy.code, str(version.number))), status=201)

    def _linted(self, policy: Policy, table: Any, entity_id: int | None, node: str) -> Response:
        found = lint_of(
            policy=policy,
            table=table,
            scope=(entity_id, node),
            entity_ids=self.scope(),
            now=timezone.now(),
        )
        return Response(asdict(found))

    def _policy(self, code: str) -> Policy:
        found = None if "\0" in code else Policy.objects.filter(code=code).first()
        if found is None:
            raise NotFound
        return found

    def _seen(self, code: str, number: str) -> PolicyVersion:
        """Return a version the user may look at."""
        found = versions_within(self.scope()).filter(
            policy=self._policy(code), number=min(int(number), serializers.NUMBER_MAX)
        )
        version = found.first()
        if version is None:
            raise NotFound
        return version

    def _version(self, code: str, number: str) -> PolicyVersion:
        """Return a version the user may touch; everybody's only to who may in all entities."""
        version = self._seen(code, number)
        if version.entity_id is None and self.request.method in {"POST", "PATCH"}:
            self._everybody()
        return version

    def _replay(self, code: str, number: str) -> PolicyReplay:
        version = self._seen(code, number)
        found = last_replay(version_id=version.pk, entity_ids=self.scope())
        if found is None:
            raise NotFound("This version was not replayed yet.")
        return found

    def _everybody(self) -> None:
        """Let only those go on who hold the action's permission in every entity.

        Raises:
            NotFound: the user does not.
        """
        if self.scope() < actor_of(self.request).every_entity:
            raise NotFound("A table of all entities is for those who may change it in all of them.")

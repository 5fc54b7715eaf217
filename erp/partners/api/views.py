"""Imports, and the systems that are told of facts, over HTTP."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from erp.accounts.models import Entity
from erp.api.filters import ChoiceFilter, Filter
from erp.api.problems import NotFound
from erp.api.requests import actor_of
from erp.api.views import ResourceViewSet
from erp.partners import permissions
from erp.partners.api import serializers
from erp.partners.models import ImportJob, Webhook, WebhookDelivery
from erp.partners.selectors import import_job, issues_of, tellings, webhook, webhooks_within
from erp.partners.services import check_import, receive_files, start_import, undo_import
from erp.partners.services.telling import (
    TELLABLE,
    WebhookDraft,
    add_webhook,
    change_webhook,
    pause_webhook,
    replay_tellings,
    rotate_secret,
    try_webhook,
)

SHOWN = (
    "kind", "profile", "state", "rows_total", "rows_done", "rows_wrong", "created_count",
    "updated_count", "created_at", "message",
)  # fmt: skip


def shown(job: ImportJob) -> dict[str, Any]:
    return {"id": job.pk, "entity": job.entity.code} | {name: getattr(job, name) for name in SHOWN}


class ImportViewSet(ResourceViewSet):
    """Send files, see what would happen, let them load, take them back."""

    queryset = ImportJob.objects.select_related("entity")
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = serializers.ImportOutput
    required_permissions: ClassVar = {
        "list": permissions.VIEW_IMPORT,
        "retrieve": permissions.VIEW_IMPORT,
        "errors": permissions.VIEW_IMPORT,
        "progress": permissions.VIEW_IMPORT,
        "create": permissions.RUN_IMPORT,
        "dry_run": permissions.RUN_IMPORT,
        "start": permissions.RUN_IMPORT,
        "undo": permissions.RUN_IMPORT,
    }
    filters: ClassVar[dict[str, Filter]] = {
        "state": ChoiceFilter("state", choices=tuple(ImportJob.State.values)),
    }

    def get_parsers(self) -> list[Any]:
        return [*super().get_parsers(), MultiPartParser()]

    def list(self, request: Request) -> Response:
        jobs = ImportJob.objects.filter(entity_id__in=self.scope()).select_related("entity")
        return self.page(jobs, lambda found: [shown(job) for job in found])

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shown(self._job(pk)))

    @extend_schema(request=serializers.ImportInput)
    def create(self, request: Request) -> Response:
        body = self.body(serializers.ImportInput)
        now = timezone.now()
        job = receive_files(
            entity=Entity.objects.get(pk=self.entity_id(body["entity"])),
            files={sent.name: sent.read() for sent in body["files"]},
            kind=body.get("kind", ""),
            profile=body.get("profile", ""),
            actor=actor_of(request),
            now=now,
        )
        return Response(shown(job), status=201)

    @extend_schema(request=serializers.NothingInput)
    @action(detail=True, methods=["post"], url_path="dry-run")
    def dry_run(self, request: Request, pk: str) -> Response:
        return Response(shown(check_import(job_id=self._job(pk).pk, now=timezone.now())))

    @extend_schema(request=serializers.NothingInput)
    @action(detail=True, methods=["post"], url_path="run")
    def start(self, request: Request, pk: str) -> Response:
        job = start_import(job_id=self._job(pk).pk, actor=actor_of(request), now=timezone.now())
        return Response(shown(job), status=202)

    @extend_schema(request=serializers.NothingInput)
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        job = undo_import(job_id=self._job(pk).pk, actor=actor_of(request), now=timezone.now())
        return Response(shown(job))

    @extend_schema(responses=serializers.IssueOutput(many=True))
    @action(detail=True, methods=["get"])
    def errors(self, request: Request, pk: str) -> Response:
        found = issues_of(job_id=self._job(pk).pk)
        return Response({"results": serializers.IssueOutput(found, many=True).data})

    @extend_schema(responses=serializers.ProgressOutput)
    @action(detail=True, methods=["get"])
    def progress(self, request: Request, pk: str) -> Response:
        job = self._job(pk)
        loadable = job.rows_total - job.rows_wrong
        share = Decimal(job.rows_done) / loadable if loadable else Decimal(0)
        return Response(
            {
                "state": job.state,
                "rows_total": job.rows_total,
                "rows_done": job.rows_done,
                "share": f"{share:.4f}",
            }
        )

    def _job(self, pk: str) -> ImportJob:
        job = import_job(job_id=int(pk), entity_ids=self.scope())
        if job is None:
            raise NotFound("There is no such import.")
        return job


WEBHOOK = ("name", "url", "events", "paused_at", "former_until", "created_at")
TELLING = (
    "event_id", "event", "state", "attempts", "created_at", "due_at", "settled_at", "last_status",
    "last_said",
)  # fmt: skip


def shown_webhook(found: Webhook, *, with_secret: bool = False) -> dict[str, Any]:
    said = {"id": found.pk, "entity": found.entity.code}
    said |= {name: getattr(found, name) for name in WEBHOOK}
    return {**said, "secret": found.secret} if with_secret else said


def shown_telling(found: WebhookDelivery) -> dict[str, Any]:
    return {"id": found.pk} | {name: getattr(found, name) for name in TELLING}


class WebhookViewSet(ResourceViewSet):
    """Systems that are told of facts: where to, with which secret, and what came of it."""

    queryset = Webhook.objects.select_related("entity")
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = serializers.WebhookOutput
    required_permissions: ClassVar = {
        "list": permissions.VIEW_WEBHOOK,
        "retrieve": permissions.VIEW_WEBHOOK,
        "deliveries": permissions.VIEW_WEBHOOK,
        "create": permissions.TELL_OUTSIDE,
        "update": permissions.TELL_OUTSIDE,
        "rotate": permissions.TELL_OUTSIDE,
        "pause": permissions.TELL_OUTSIDE,
        "test": permissions.TELL_OUTSIDE,
        "replay": permissions.TELL_OUTSIDE,
    }

    def list(self, request: Request) -> Response:
        return self.page(
            webhooks_within(self.scope()), lambda found: [shown_webhook(one) for one in found]
        )

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shown_webhook(self._webhook(pk)))

    @extend_schema(request=serializers.WebhookInput)
    def create(self, request: Request) -> Response:
        """Let a system be told; the answer says its secret, which is told nowhere else."""
        body = self.body(serializers.WebhookInput)
        made = add_webhook(
            entity_id=self.entity_id(body.get("entity", "")),
            draft=_draft(body),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(shown_webhook(made, with_secret=True), status=201)

    @extend_schema(request=serializers.WebhookInput)
    def update(self, request: Request, pk: str) -> Response:
        found = change_webhook(
            webhook_id=self._webhook(pk).pk,
            draft=_draft(self.body(serializers.WebhookInput)),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(shown_webhook(found))

    @extend_schema(request=serializers.NothingInput)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate(self, request: Request, pk: str) -> Response:
        """Give it another secret; the former signs as well for a day."""
        found = rotate_secret(
            webhook_id=self._webhook(pk).pk, actor=actor_of(request), now=timezone.now()
        )
        return Response(shown_webhook(found, with_secret=True))

    @extend_schema(request=serializers.PauseInput)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        body = self.body(serializers.PauseInput)
        found = pause_webhook(
            webhook_id=self._webhook(pk).pk,
            is_paused=body["paused"],
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(shown_webhook(found))

    @extend_schema(request=serializers.NothingInput, responses=serializers.TellingOutput)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send something that says nothing; what comes of it stands in its deliveries."""
        made = try_webhook(
            webhook_id=self._webhook(pk).pk, actor=actor_of(request), now=timezone.now()
        )
        return Response(shown_telling(made), status=202)

    @extend_schema(request=serializers.ReplayInput)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, pk: str) -> Response:
        """Send again what was taken or given up, under the same ids."""
        found, body = self._webhook(pk), self.body(serializers.ReplayInput)
        asked = tellings(webhook_id=found.pk, ids=body.get("deliveries"), since=body.get("since"))
        done = replay_tellings(
            delivery_ids=[one.pk for one in asked], actor=actor_of(request), now=timezone.now()
        )
        return Response({"replayed": done})

    @extend_schema(responses=serializers.TellingOutput(many=True))
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, pk: str) -> Response:
        """Return the newest five hundred tellings, with what came of each."""
        found = tellings(webhook_id=self._webhook(pk).pk)
        return Response([shown_telling(one) for one in found])

    def _webhook(self, pk: str) -> Webhook:
        found = webhook(webhook_id=int(pk), entity_ids=self.scope())
        if found is None:
            raise NotFound("There is no such webhook.")
        return found


def _draft(body: dict[str, Any]) -> WebhookDraft:
    return WebhookDraft(name=body["name"], url=body["url"], events=body.get("events") or TELLABLE)

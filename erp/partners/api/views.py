"""Imports over HTTP."""

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
from erp.partners.models import ImportJob
from erp.partners.selectors import import_job, issues_of
from erp.partners.services import check_import, receive_files, start_import, undo_import

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

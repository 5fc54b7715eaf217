"""The audit trail as a resource: read it, take it away, prove it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from erp.api.filters import Filter, IdFilter, MomentFilter, TextFilter
from erp.api.views import ResourceViewSet
from erp.governance import permissions
from erp.governance.api import serializers
from erp.governance.models import AuditEntry
from erp.governance.selectors import (
    AuditRow,
    audit_export,
    audit_heads,
    audit_within,
    in_the_clear,
    verify_audit,
)

COLUMNS = (
    "id", "at", "entity_code", "actor", "actor_kind", "on_behalf_of", "action", "thread", "before",
    "after", "reason", "request_id", "policy_version",
)  # fmt: skip


class AuditViewSet(ResourceViewSet):
    """Who did what, when and why. Append-only, sealed in one chain per entity."""

    required_permissions: ClassVar = dict.fromkeys(
        ("list", "verify", "heads", "export"), permissions.VIEW_AUDIT
    )
    filters: ClassVar[dict[str, Filter]] = {
        "thread": TextFilter("thread"),
        "action": TextFilter("action"),
        "actor": TextFilter("actor__username"),
        "subject_kind": TextFilter("subject_kind"),
        "subject_id": IdFilter("subject_id"),
        "request_id": TextFilter("request_id"),
        "after": MomentFilter("at__gte"),
        "before": MomentFilter("at__lt"),
    }
    ordering_fields = ("id",)
    inputs: ClassVar = {"verify": serializers.VerifyInput}
    outputs: ClassVar = {
        "list": serializers.AuditOutput,
        "verify": serializers.ChainOutput,
        "heads": serializers.HeadsOutput,
    }

    def list(self, request: Request) -> Response:
        return self.page(audit_within(self.scope()), _entries)

    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """Prove the chains, and that the heads sent along, kept elsewhere, are still in them."""
        kept = self.body().get("heads", [])
        report = asdict(verify_audit(entity_ids=self.scope(), heads=kept))
        return Response(report)

    @action(detail=False, methods=["get"], filters={})
    def heads(self, request: Request) -> Response:
        """Answer the last seal of each chain, to be kept elsewhere."""
        return Response({"heads": [asdict(head) for head in audit_heads(self.scope())]})

    @action(detail=False, methods=["get"], filters={
        "thread": TextFilter("thread"),
        "action": TextFilter("action"),
        "actor": TextFilter("actor__username"),
    })  # fmt: skip
    def export(self, request: Request) -> StreamingHttpResponse:
        """Stream up to 100,000 entries as JSON lines, the newest first."""
        asked = request.query_params
        found = audit_export(
            entity_ids=self.scope(),
            actor=asked.get("actor", ""),
            action=asked.get("action", ""),
            thread=asked.get("thread", ""),
        )
        return StreamingHttpResponse(json_lines(found), content_type="application/x-ndjson")


def json_lines(found: Iterable[AuditRow]) -> Iterator[str]:
    """Yield each entry as one line of JSON."""
    for row in found:
        yield json.dumps(asdict(row), default=_moment, ensure_ascii=False) + "\n"


def csv_lines(found: Iterable[AuditRow]) -> Iterator[str]:
    """Yield the header and each entry as a line of CSV; what changed is JSON.

    A cell that a spreadsheet would run as a formula is written as text.
    """
    yield _csv(COLUMNS)
    for row in found:
        kept = asdict(row)
        for name in ("before", "after"):
            kept[name] = "" if kept[name] is None else json.dumps(kept[name], ensure_ascii=False)
        kept["at"] = row.at.isoformat()
        yield _csv([_safe(str(kept[name])) for name in COLUMNS])


def _csv(cells: Iterable[Any]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] in set("=+-@\t\r") else cell


def _moment(value: Any) -> str:
    return str(value.isoformat())


def _entries(page: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    return in_the_clear([_entry(each) for each in page])


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": entry.at,
        "entity": entry.entity.code if entry.entity else None,
        "actor": entry.actor.username if entry.actor else None,
        "actor_kind": entry.actor_kind,
        "on_behalf_of": entry.on_behalf_of.username if entry.on_behalf_of else None,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "thread": entry.thread,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "request_id": entry.request_id,
        "policy_version": entry.policy_version,
    }

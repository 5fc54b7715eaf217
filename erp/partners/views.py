"""Pages about imports."""

import csv

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from erp.partners import permissions
from erp.partners.forms import ImportForm
from erp.partners.models import ImportJob
from erp.partners.rules.columns import KINDS
from erp.partners.rules.writing import neutralized
from erp.partners.selectors import import_board, import_job, issues_of
from erp.partners.services import check_import, receive_files, start_import, undo_import

PAGE = 50
BUSY = {ImportJob.State.RUNNING}


def _cursor(request: SignedInRequest) -> int | None:
    after = request.GET.get("after", "")
    return int(after) if after.isdecimal() and len(after) < 19 else None  # noqa: PLR2004  bigint


def _job(request: SignedInRequest, job_id: int, permission: str) -> ImportJob:
    job = import_job(job_id=job_id, entity_ids=request.scope(permission))
    if job is None:
        raise Http404
    return job


@require_GET
@requires(permissions.VIEW_IMPORT)
def imports(request: SignedInRequest) -> HttpResponse:
    """List imports, newest first, and say how to start one."""
    scope = request.scope(permissions.VIEW_IMPORT)
    rows = import_board(entity_ids=scope, after=_cursor(request), limit=PAGE)
    more = rows[-1].id if len(rows) == PAGE else None
    context = {
        "rows": rows,
        "next_cursor": more,
        "kinds": list(KINDS),
        "may_run": request.user.has_perm(permissions.RUN_IMPORT),
    }
    return render(request, "partners/imports.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.RUN_IMPORT)
def new_import(request: SignedInRequest) -> HttpResponse:
    """Take files, check them at once, and show what would happen."""
    scope = request.scope(permissions.RUN_IMPORT)
    form = ImportForm(request.POST or None, request.FILES or None, entity_ids=scope)
    if request.method != "POST" or not form.is_valid():
        status = 422 if request.method == "POST" else 200
        return render(request, "partners/new_import.html", {"form": form}, status=status)
    how, _, code = form.cleaned_data["what"].partition(":")
    now = timezone.now()
    job = receive_files(
        entity=form.cleaned_data["entity"],
        files={sent.name: sent.read() for sent in form.cleaned_data["uploads"]},
        kind=code if how == "kind" else "",
        profile=code if how == "profile" else "",
        actor=request.user,
        now=now,
    )
    check_import(job_id=job.pk, now=now)
    return redirect("partners:import", job.pk)


@require_GET
@requires(permissions.VIEW_IMPORT)
def show_import(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Show one import: what would happen, how far it is, what is wrong."""
    job = _job(request, job_id, permissions.VIEW_IMPORT)
    context = {
        "job": job,
        "issues": issues_of(job_id=job.pk),
        "busy": job.state in BUSY,
        "loadable": job.rows_total - job.rows_wrong,
        "may_run": job.entity_id in request.scope(permissions.RUN_IMPORT),
    }
    return render(request, "partners/import.html", context)


@require_POST
@requires(permissions.RUN_IMPORT)
def start(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Let a checked import run."""
    job = _job(request, job_id, permissions.RUN_IMPORT)
    start_import(job_id=job.pk, actor=request.user, now=timezone.now())
    return redirect("partners:import", job.pk)


@require_POST
@requires(permissions.RUN_IMPORT)
def undo(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Take back what an import brought."""
    job = _job(request, job_id, permissions.RUN_IMPORT)
    undone = undo_import(job_id=job.pk, actor=request.user, now=timezone.now())
    messages.success(request, undone.message)
    return redirect("partners:import", job.pk)


@require_GET
@requires(permissions.VIEW_IMPORT)
def template(request: SignedInRequest, kind: str) -> HttpResponse:
    """Download an empty file of one kind: our columns and one example."""
    if kind not in KINDS:
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    writer = csv.writer(response)
    writer.writerow([column.name for column in KINDS[kind]])
    writer.writerow([neutralized(column.example) for column in KINDS[kind]])
    return response


@require_GET
@requires(permissions.VIEW_IMPORT)
def issues(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Download every issue of an import."""
    job = _job(request, job_id, permissions.VIEW_IMPORT)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{job.pk}-issues.csv"'
    writer = csv.writer(response)
    writer.writerow(["file", "row", "column", "message"])
    for issue in issues_of(job_id=job.pk, limit=2_000):
        writer.writerow(
            [
                neutralized(issue.file),
                issue.row,
                neutralized(issue.column),
                neutralized(issue.message),
            ]
        )
    return response

"""Pages about imports, and about the systems that are told of facts."""

import csv

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from erp.partners import permissions
from erp.partners.forms import ImportForm
from erp.partners.models import ImportJob, Webhook
from erp.partners.rules.columns import KINDS
from erp.partners.rules.writing import neutralized
from erp.partners.selectors import (
    import_board,
    import_job,
    issues_of,
    tellings,
    webhook,
    webhooks_within,
)
from erp.partners.services import check_import, receive_files, start_import, undo_import
from erp.partners.services.telling import (
    WebhookDraft,
    add_webhook,
    pause_webhook,
    replay_tellings,
    rotate_secret,
    try_webhook,
)

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


@require_GET
@requires(permissions.VIEW_WEBHOOK)
def webhooks(request: SignedInRequest) -> HttpResponse:
    """List the systems that are told of facts."""
    return _webhooks(request, None)


@require_POST
@requires(permissions.TELL_OUTSIDE)
def new_webhook(request: SignedInRequest) -> HttpResponse:
    """Let a system be told, and show its secret, this once."""
    scope = request.scope(permissions.TELL_OUTSIDE)
    entity = Entity.objects.filter(code=request.POST.get("entity", ""), pk__in=scope).first()
    if entity is None:
        raise Http404
    draft = WebhookDraft(name=request.POST.get("name", ""), url=request.POST.get("url", ""))
    made = add_webhook(entity_id=entity.pk, draft=draft, actor=request.user, now=timezone.now())
    return _webhooks(request, made)


@require_GET
@requires(permissions.VIEW_WEBHOOK)
def show_webhook(request: SignedInRequest, webhook_id: int) -> HttpResponse:
    """Show what a system was told, and what came of it."""
    return _webhook_page(request, webhook_id, "")


@require_POST
@requires(permissions.TELL_OUTSIDE)
def act_on_webhook(request: SignedInRequest, webhook_id: int) -> HttpResponse:
    """Pause it, go on, test it, change its secret, or send something again."""
    scope = request.scope(permissions.TELL_OUTSIDE)
    found = webhook(webhook_id=webhook_id, entity_ids=scope)
    act, sent = request.POST.get("act", ""), request.POST.get("telling", "")
    who, now = request.user, timezone.now()
    if found is None:
        raise Http404
    if act == "rotate":
        changed = rotate_secret(webhook_id=found.pk, actor=who, now=now)
        return _webhook_page(request, found.pk, changed.secret)
    if act == "test":
        try_webhook(webhook_id=found.pk, actor=who, now=now)
        messages.success(request, "A test is on its way.")
    elif act == "replay" and sent.isdecimal():
        one = tellings(webhook_id=found.pk, ids=[int(sent)])
        replay_tellings(delivery_ids=[each.pk for each in one], actor=who, now=now)
        messages.success(request, "It is sent again.")
    elif act in {"pause", "resume"}:
        pause_webhook(webhook_id=found.pk, is_paused=act == "pause", actor=who, now=now)
    return redirect("partners:webhook", found.pk)


def _webhooks(request: SignedInRequest, made: Webhook | None) -> HttpResponse:
    may = request.scope(permissions.TELL_OUTSIDE)
    context = {
        "rows": webhooks_within(request.scope(permissions.VIEW_WEBHOOK)).order_by("name", "pk"),
        "may_change": bool(may),
        "entities": Entity.objects.filter(pk__in=may).order_by("code"),
        "secret": made,
    }
    return render(request, "partners/webhooks.html", context)


def _webhook_page(request: SignedInRequest, webhook_id: int, secret: str) -> HttpResponse:
    scope = request.scope(permissions.VIEW_WEBHOOK)
    found = webhook(webhook_id=webhook_id, entity_ids=scope)
    if found is None:
        raise Http404
    context = {
        "webhook": found,
        "tellings": tellings(webhook_id=found.pk)[:PAGE],
        "may_change": found.entity_id in request.scope(permissions.TELL_OUTSIDE),
        "secret": secret,
    }
    return render(request, "partners/webhook.html", context)

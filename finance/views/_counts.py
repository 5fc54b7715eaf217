"""Cycle counts: planned, counted blind with a scanner, reviewed, posted."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import approval_waiting_for, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance.forms import refused_at_its_field
from finance.forms.counts import CountForm, PlanCountForm
from finance.services import post_count
from finance.views._showing import moved_on, steps, told
from inventory import permissions
from inventory.selectors import CountPage, count_page, count_rows, nodes_to_move
from inventory.services.counting import (
    Counted,
    add_to_count,
    approve_count,
    cancel_count,
    plan_count,
    record_counts,
    submit_count,
)

LIMIT = 100
KIND = "inventory.count"
SHOWN = {"review", "approved", "posted"}
STATES = {
    "open": gettext_lazy("To count"),
    "recount": gettext_lazy("To recount"),
    "review": gettext_lazy("In review"),
    "approved": gettext_lazy("To post"),
    "posted": gettext_lazy("Posted"),
    "cancelled": gettext_lazy("Called off"),
}


@require_GET
@requires(permissions.VIEW_COUNT)
def counts(request: SignedInRequest) -> HttpResponse:
    """Show the sheets, the newest first."""
    state, after = request.GET.get("state", ""), request.GET.get("after", "")
    rows = count_rows(
        entity_ids=request.scope(permissions.VIEW_COUNT),
        state=state if state in STATES or state == "all" else "",
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None,  # noqa: PLR2004
        limit=LIMIT,
    )
    planned_in = request.scope(permissions.PLAN_COUNT)
    context = {
        "rows": rows,
        "next_cursor": rows[-1].id if len(rows) == LIMIT else "",
        "states": [("", _("Open")), *STATES.items(), ("all", _("All"))],
        "may_count": request.user.has_perm(permissions.COUNT),
        "form": PlanCountForm(nodes_to_move(entity_ids=planned_in)) if planned_in else None,
    }
    return render(request, "finance/counts.html", context)


@require_POST
@requires(permissions.PLAN_COUNT)
def plan(request: SignedInRequest) -> HttpResponse:
    """Make a sheet of what is due at a node."""
    scope = request.scope(permissions.PLAN_COUNT)
    form = PlanCountForm(nodes_to_move(entity_ids=scope), request.POST)
    if not form.is_valid():
        context = {"rows": [], "form": form, "states": []}
        return render(request, "finance/counts.html", context, status=422)
    place = form.place()
    made = plan_count(
        entity_id=place.entity_id,
        node_id=place.node_id,
        lines_max=form.cleaned_data["lines"],
        actor=request.user,
        now=timezone.now(),
    )
    said = _("%(number)s is to be counted.") % {"number": made.number}
    messages.success(request, said)
    return redirect("finance:count_sheet", made.number)


@require_GET
@requires(permissions.VIEW_COUNT)
def count(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one count; what was expected only to who may review, once it was handed in."""
    page = _page(request, number, permissions.VIEW_COUNT)
    scope = request.scope(permissions.VIEW_COUNT)
    user = request.user
    is_shown = user.has_perm(permissions.REVIEW_COUNT, page.entity_id) and page.state in SHOWN
    context = {
        "count": page,
        "open": sum(line.counted is None for line in page.lines),
        "is_shown": is_shown,
        "misplaced": page.misplaced if is_shown else 0,
        "steps": _steps(page),
        "told": told(timeline(thread=f"{KIND}:{page.id}", entity_ids=scope)),
        "waiting": approval_waiting_for(document_kind=KIND, document_id=page.id),
        "may": {
            "count": user.has_perm(permissions.COUNT, page.entity_id),
            "approve": user.has_perm(permissions.APPROVE_COUNT, page.entity_id),
            "post": user.has_perm(permissions.POST_COUNT, page.entity_id),
            "cancel": user.has_perm(permissions.PLAN_COUNT, page.entity_id)
            and page.state in {"open", "recount", "review", "approved"},
        },
    }
    return render(request, "finance/count.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.COUNT)
def sheet(request: SignedInRequest, number: str) -> HttpResponse:
    """Count one sheet, line by line, with a scanner or by hand: nobody says what is expected."""
    page = _page(request, number, permissions.COUNT)
    if page.state not in {"open", "recount"}:
        return redirect("finance:count", page.number)
    form = CountForm(page.to_count, request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        counted = [Counted(*each) for each in form.counted()]
        with refused_at_its_field(form):
            record_counts(count_id=page.id, counted=counted, actor=request.user, at=now, now=now)
    if request.method == "POST" and form.is_valid():
        if "keep" in request.POST:
            messages.success(request, _("%(number)s is kept.") % {"number": page.number})
            return redirect("finance:count_sheet", page.number)
        done = submit_count(count_id=page.id, actor=request.user, now=now)
        if done.state == "recount":
            said = _("Please count these lines of %(number)s once more.")
            messages.success(request, said % {"number": page.number})
            return redirect("finance:count_sheet", page.number)
        return moved_on(request, "finance:count", page.number, _("%(number)s was handed in."))
    status = 422 if request.method == "POST" else 200
    return render(request, "finance/count_sheet.html", {"count": page, "form": form}, status=status)


@require_POST
@requires(permissions.COUNT)
def add_found(request: SignedInRequest, number: str) -> HttpResponse:
    """Put something on the sheet that lies there and is not on it."""
    page = _page(request, number, permissions.COUNT)
    code = request.POST.get("product", "").strip()[:40]
    add_to_count(count_id=page.id, product_code=code, actor=request.user, now=timezone.now())
    messages.success(request, _("%(code)s is on the sheet.") % {"code": code})
    return redirect("finance:count_sheet", page.number)


@require_POST
@requires(permissions.APPROVE_COUNT)
def agree_to_count(request: SignedInRequest, number: str) -> HttpResponse:
    """Agree to what others counted."""
    page = _page(request, number, permissions.APPROVE_COUNT)
    approve_count(count_id=page.id, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:count", page.number, _("%(number)s is approved."))


@require_POST
@requires(permissions.POST_COUNT)
def post_found(request: SignedInRequest, number: str) -> HttpResponse:
    """Correct stock and ledger by what was found."""
    page = _page(request, number, permissions.POST_COUNT)
    post_count(count_id=page.id, actor=request.user, now=timezone.now())
    return moved_on(
        request, "finance:count", page.number, _("%(number)s is posted to stock and ledger.")
    )


@require_POST
@requires(permissions.PLAN_COUNT)
def call_off_count(request: SignedInRequest, number: str) -> HttpResponse:
    """Call a count off."""
    page = _page(request, number, permissions.PLAN_COUNT)
    reason = request.POST.get("reason", "")[:300]
    cancel_count(count_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:count", page.number, _("%(number)s is called off."))


def _page(request: SignedInRequest, number: str, permission: str) -> CountPage:
    found = count_page(number=number, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _steps(page: CountPage) -> Sequence[Mapping[str, Any]]:
    order = ["open", "recount", "review", "approved", "posted"]
    if page.state != "recount" and not any(line.is_again for line in page.lines):
        order.remove("recount")
    return steps(page.state, order, STATES)

"""Corrections of stock: asked for with a reason, agreed to by somebody else, posted."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import approval_waiting_for, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance.forms import refused_at_its_field
from finance.forms.corrections import CorrectionForm
from finance.services import post_correction
from finance.views._showing import moved_on, steps, told
from inventory import permissions
from inventory.selectors import (
    CorrectionPage,
    correction_page,
    correction_rows,
    kept_by_serial,
    lots_by_code,
    nodes_to_move,
    products_by_code,
)
from inventory.services.correcting import (
    CorrectionDraft,
    CorrectionLineDraft,
    approve_correction,
    cancel_correction,
    request_correction,
)

LIMIT = 100
KIND = "inventory.correction"
STATES = {
    "review": gettext_lazy("In review"),
    "approved": gettext_lazy("To post"),
    "posted": gettext_lazy("Posted"),
    "cancelled": gettext_lazy("Called off"),
}


@require_GET
@requires(permissions.VIEW_CORRECTION)
def corrections(request: SignedInRequest) -> HttpResponse:
    """Show what was found, written off or set aside, the newest first."""
    state, after = request.GET.get("state", ""), request.GET.get("after", "")
    rows = correction_rows(
        entity_ids=request.scope(permissions.VIEW_CORRECTION),
        state=state if state in STATES or state == "all" else "",
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None,  # noqa: PLR2004
        limit=LIMIT,
    )
    context = {
        "rows": rows,
        "next_cursor": rows[-1].id if len(rows) == LIMIT else "",
        "states": [("", _("Open")), *STATES.items(), ("all", _("All"))],
        "may_ask": bool(request.scope(permissions.REQUEST_CORRECTION)),
    }
    return render(request, "finance/corrections.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.REQUEST_CORRECTION)
def ask_to_correct(request: SignedInRequest) -> HttpResponse:
    """Ask for a correction."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        given, place = form.cleaned_data, form.place()
        draft = CorrectionDraft(
            entity_id=place.entity_id,
            node_id=place.node_id,
            reason=given["reason"],
            lines=[
                CorrectionLineDraft(
                    product_id=product_id,
                    lot_id=lot_id,
                    quantity=quantity,
                    status=given["status"],
                    to_status=given["to_status"],
                    serials=numbers,
                )
                for product_id, lot_id, quantity, numbers in form.lines()
            ],
        )
        with refused_at_its_field(form):
            made = request_correction(draft=draft, actor=request.user, now=timezone.now())
            said = (
                _("%(number)s waits for approval.")
                if made.state == "review"
                else _("%(number)s may be posted.")
            )
            return moved_on(request, "finance:correction", made.number, said)
    status = 422 if request.method == "POST" else 200
    return render(request, "finance/correction_ask.html", {"form": form}, status=status)


@require_POST
@requires(permissions.REQUEST_CORRECTION)
def pieces_to_correct(request: SignedInRequest) -> HttpResponse:
    """Show the fields of what is kept by serial number among the lines that are being typed."""
    form = _form(request)
    form.errors.clear()
    return render(request, "finance/_pieces.html", {"form": form})


@require_GET
@requires(permissions.VIEW_CORRECTION)
def correction(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one correction and its next step."""
    page = _page(request, number, permissions.VIEW_CORRECTION)
    scope = request.scope(permissions.VIEW_CORRECTION)
    user = request.user
    context = {
        "correction": page,
        "steps": _steps(page),
        "told": told(timeline(thread=f"{KIND}:{page.id}", entity_ids=scope)),
        "waiting": approval_waiting_for(document_kind=KIND, document_id=page.id),
        "may": {
            "approve": user.has_perm(permissions.APPROVE_CORRECTION, page.entity_id),
            "post": user.has_perm(permissions.POST_CORRECTION, page.entity_id),
            "cancel": user.has_perm(permissions.REQUEST_CORRECTION, page.entity_id)
            and page.state in {"review", "approved"},
        },
    }
    return render(request, "finance/correction.html", context)


@require_POST
@requires(permissions.APPROVE_CORRECTION)
def agree_to_correct(request: SignedInRequest, number: str) -> HttpResponse:
    """Agree to what somebody else asked for."""
    page = _page(request, number, permissions.APPROVE_CORRECTION)
    approve_correction(correction_id=page.id, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:correction", page.number, _("%(number)s is approved."))


@require_POST
@requires(permissions.POST_CORRECTION)
def post_corrected(request: SignedInRequest, number: str) -> HttpResponse:
    """Do what it says, in stock and ledger."""
    page = _page(request, number, permissions.POST_CORRECTION)
    post_correction(correction_id=page.id, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:correction", page.number, _("%(number)s is posted."))


@require_POST
@requires(permissions.REQUEST_CORRECTION)
def call_off_correction(request: SignedInRequest, number: str) -> HttpResponse:
    """Call a correction off."""
    page = _page(request, number, permissions.REQUEST_CORRECTION)
    reason = request.POST.get("reason", "")[:300]
    cancel_correction(correction_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:correction", page.number, _("%(number)s is called off."))


def _form(request: SignedInRequest) -> CorrectionForm:
    places = nodes_to_move(entity_ids=request.scope(permissions.REQUEST_CORRECTION))
    return CorrectionForm(
        places, products_by_code, lots_by_code, kept_by_serial, request.POST or None
    )


def _page(request: SignedInRequest, number: str, permission: str) -> CorrectionPage:
    found = correction_page(number=number, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _steps(page: CorrectionPage) -> Sequence[Mapping[str, Any]]:
    order = ["review", "approved", "posted"]
    return steps(page.state, order, STATES)

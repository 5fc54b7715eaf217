"""Transfers: asked for, sent, taken in."""

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
from finance.forms.transfers import TransferForm, TransferPickForm, TransferReceiveForm
from finance.services import receive_transfer, ship_transfers
from finance.views._showing import moved_on, told
from inventory import permissions
from inventory.selectors import (
    TransferPage,
    nodes_to_move,
    pieces_to_pick,
    products_by_code,
    transfer_counts,
    transfer_page,
    transfer_rows,
)
from inventory.services.transferring import (
    Came,
    TransferDraft,
    TransferPick,
    TransferShort,
    approve_transfer,
    cancel_transfer,
    pick_transfers,
    request_transfers,
)

LIMIT = 100
KIND = "inventory.transfer"
STATES = {
    "requested": gettext_lazy("Requested"),
    "approved": gettext_lazy("To pick"),
    "picked": gettext_lazy("Picked"),
    "in_transit": gettext_lazy("In transit"),
    "received": gettext_lazy("To settle"),
    "closed": gettext_lazy("Closed"),
    "cancelled": gettext_lazy("Cancelled"),
}
STEPS = ("requested", "approved", "picked", "in_transit", "closed")


@require_GET
@requires(permissions.VIEW_TRANSFER)
def transfers(request: SignedInRequest) -> HttpResponse:
    """Show what is on its way between nodes, the newest first."""
    entity_ids = request.scope(permissions.VIEW_TRANSFER)
    state, after = request.GET.get("state", ""), request.GET.get("after", "")
    rows = transfer_rows(
        entity_ids=entity_ids,
        state=state if state in STATES or state == "all" else "",
        node=request.GET.get("node", "")[:20],
        text=request.GET.get("q", "").replace("\0", "").strip()[:20],
        after=int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else None,  # noqa: PLR2004
        limit=LIMIT,
    )
    counts = transfer_counts(entity_ids=entity_ids)
    context = {
        "rows": rows,
        "next_cursor": rows[-1].id if len(rows) == LIMIT else "",
        "states": [
            ("", _("Open"), sum(counts.values())),
            *[(state, label, counts.get(state, 0)) for state, label in list(STATES.items())[:5]],
            *list(STATES.items())[5:],
            ("all", _("All")),
        ],
        "query": request.GET.get("q", ""),
        "may_ask": bool(request.scope(permissions.REQUEST_TRANSFER)),
    }
    return render(request, "finance/transfers.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.REQUEST_TRANSFER)
def ask(request: SignedInRequest) -> HttpResponse:
    """Ask for goods to go elsewhere."""
    scope = request.scope(permissions.REQUEST_TRANSFER)
    form = TransferForm(nodes_to_move(entity_ids=scope), products_by_code, request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        draft = TransferDraft(
            entity_id=given["entity"],
            to_entity_id=given["to_entity"],
            origin_id=given["origin"],
            destination_id=given["destination"],
            lines=given["lines"],
            reason=given["reason"],
        )
        made = request_transfers(drafts=[draft], actor=request.user, now=timezone.now())[0]
        said = (
            _("%(number)s waits for approval.")
            if made.state == "requested"
            else _("%(number)s may go: its goods are kept.")
        )
        messages.success(request, said % {"number": made.number})
        return redirect("finance:transfer", made.number)
    status = 422 if request.method == "POST" else 200
    return render(request, "finance/transfer_ask.html", {"form": form}, status=status)


@require_GET
@requires(permissions.VIEW_TRANSFER)
def transfer(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one transfer, what became of its goods and its next step."""
    page = _page(request, number, permissions.VIEW_TRANSFER)
    scope = request.scope(permissions.VIEW_TRANSFER)
    waiting = approval_waiting_for(document_kind=KIND, document_id=page.id)
    context = {
        "transfer": page,
        "steps": _steps(page),
        "told": told(timeline(thread=f"{KIND}:{page.id}", entity_ids=scope)),
        "waiting": waiting,
        "may": _may(request, page),
    }
    return render(request, "finance/transfer.html", context)


@require_POST
@requires(permissions.APPROVE_TRANSFER)
def agree(request: SignedInRequest, number: str) -> HttpResponse:
    """Agree to a transfer that somebody else asked for."""
    page = _own(request, number, permissions.APPROVE_TRANSFER)
    approve_transfer(transfer_id=page.id, actor=request.user, now=timezone.now())
    return moved_on(
        request, "finance:transfer", page.number, _("%(number)s may go: its goods are kept.")
    )


@require_POST
@requires(permissions.REQUEST_TRANSFER)
def call_off(request: SignedInRequest, number: str) -> HttpResponse:
    """Call a transfer off before it leaves."""
    page = _own(request, number, permissions.REQUEST_TRANSFER)
    reason = request.POST.get("reason", "")[:300]
    cancel_transfer(transfer_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:transfer", page.number, _("%(number)s is called off."))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.MOVE_TRANSFER)
def pick_transfer(request: SignedInRequest, number: str) -> HttpResponse:
    """Pick one transfer, line by line, with a scanner or by hand."""
    page = _own(request, number, permissions.MOVE_TRANSFER)
    if page.state != "approved":
        return redirect("finance:transfer", page.number)
    lying = (
        pieces_to_pick(transfer_id=page.id) if any(each.is_serial for each in page.lines) else {}
    )
    form = TransferPickForm(page.lines, request.POST or None, lying)
    if request.method == "POST" and form.is_valid():
        shorts = [TransferShort(line_id=i, picked=q, reason=why) for i, q, why in form.shorts()]
        wanted = TransferPick(
            transfer_id=page.id,
            shorts=shorts,
            serials=form.numbers("serials"),
            missing=form.numbers("missing"),
        )
        with refused_at_its_field(form):
            pick_transfers(picks=[wanted], actor=request.user, now=timezone.now())
        if not form.errors:
            return moved_on(request, "finance:transfer", page.number, _("%(number)s was picked."))
    status = 422 if request.method == "POST" else 200
    context = {"transfer": page, "form": form}
    return render(request, "finance/transfer_pick.html", context, status=status)


@require_POST
@requires(permissions.MOVE_TRANSFER)
def send_transfer(request: SignedInRequest, number: str) -> HttpResponse:
    """Confirm that one transfer left."""
    page = _own(request, number, permissions.MOVE_TRANSFER)
    ship_transfers(transfer_ids=[page.id], actor=request.user, now=timezone.now())
    return moved_on(request, "finance:transfer", page.number, _("%(number)s is on its way."))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.MOVE_TRANSFER)
def take_in(request: SignedInRequest, number: str) -> HttpResponse:
    """Take in what came of one transfer."""
    page = _page(request, number, permissions.MOVE_TRANSFER)
    if page.to_entity_id not in request.scope(permissions.MOVE_TRANSFER):
        raise Http404
    return _received(request, page, settling=False)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.SETTLE_TRANSFER)
def settle(request: SignedInRequest, number: str) -> HttpResponse:
    """Say what became of goods that did not come."""
    page = _page(request, number, permissions.SETTLE_TRANSFER)
    if page.to_entity_id not in request.scope(permissions.SETTLE_TRANSFER):
        raise Http404
    return _received(request, page, settling=True)


def _received(request: SignedInRequest, page: TransferPage, *, settling: bool) -> HttpResponse:
    open_in = ("in_transit", "received") if settling else ("in_transit",)
    if page.state not in open_in:
        return redirect("finance:transfer", page.number)
    form = TransferReceiveForm(page.pieces, request.POST or None, settling=settling)
    if request.method == "POST" and form.is_valid():
        said = _("%(number)s: what came is in stock, the rest is open.")
        with refused_at_its_field(form):
            done = receive_transfer(
                transfer_id=page.id,
                came=[Came(*each) for each in form.came()],
                is_last=form.cleaned_data["is_last"],
                said=form.cleaned_data["said"],
                actor=request.user,
                now=timezone.now(),
            )
            if done.state == "closed":
                said = _("%(number)s is closed: everything is accounted for.")
        if not form.errors:
            return moved_on(request, "finance:transfer", page.number, said)
    status = 422 if request.method == "POST" else 200
    context = {"transfer": page, "form": form, "settling": settling}
    return render(request, "finance/transfer_receive.html", context, status=status)


def _page(request: SignedInRequest, number: str, permission: str) -> TransferPage:
    found = transfer_page(number=number, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _own(request: SignedInRequest, number: str, permission: str) -> TransferPage:
    """Return a transfer that leaves a company in which the person may do that."""
    page = _page(request, number, permission)
    if page.entity_id not in request.scope(permission):
        raise Http404
    return page


def _may(request: SignedInRequest, page: TransferPage) -> Mapping[str, bool]:
    user = request.user
    return {
        "approve": user.has_perm(permissions.APPROVE_TRANSFER, page.entity_id),
        "cancel": user.has_perm(permissions.REQUEST_TRANSFER, page.entity_id)
        and page.state in {"requested", "approved", "picked"},
        "move": user.has_perm(permissions.MOVE_TRANSFER, page.entity_id),
        "receive": user.has_perm(permissions.MOVE_TRANSFER, page.to_entity_id),
        "settle": user.has_perm(permissions.SETTLE_TRANSFER, page.to_entity_id),
    }


def _steps(page: TransferPage) -> Sequence[Mapping[str, Any]]:
    at = {
        "requested": page.requested_at,
        "approved": page.approved_at,
        "picked": page.picked_at,
        "in_transit": page.shipped_at,
        "closed": page.closed_at,
    }
    labels = STATES | {"approved": _("Approved")}
    shown = "in_transit" if page.state == "received" else page.state
    steps = [
        {
            "label": labels[step],
            "state": "now" if step == shown and step != "closed" else "done" if moment else "",
            "note": f"{timezone.localtime(moment):%d %b %H:%M}" if moment else "",
        }
        for step, moment in at.items()
        if moment or page.state != "cancelled"
    ]
    if page.state in {"received", "cancelled"}:
        steps.insert(
            4 if page.state == "received" else len(steps),
            {"label": STATES[page.state], "state": "bad", "note": ""},
        )
    return steps

"""The floor: what to pick, pack, ship and take in."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance.forms import PackForm, PickForm, ReceiveForm, refused_at_its_field
from finance.selectors import (
    IncomingPage,
    ShipmentPaper,
    floor_nodes,
    incoming_order,
    incoming_orders,
    invoices_of_order,
    shipment_counts,
    shipment_paper,
    shipments_within,
)
from finance.selectors import shipments as shipment_rows
from finance.services import (
    confirm_direct_shipment,
    deliver_shipments,
    packing_slip_pdf,
    receive_purchase_order,
    ship_shipments,
    shipment_labels,
    void_shipment,
)
from finance.views._showing import moved_on, told
from inventory import permissions
from inventory.selectors import pick_places, pieces_to_pick
from inventory.services import Pack, Pick, ShortPick, fail_shipment, pack_shipments
from inventory.services.binning import BinPick
from orders.services import pick_shipments

LIMIT = 100
STATES = {
    "planned": gettext_lazy("To pick"),
    "picked": gettext_lazy("Picked"),
    "packed": gettext_lazy("Packed"),
    "shipped": gettext_lazy("Shipped"),
    "delivered": gettext_lazy("Delivered"),
    "failed": gettext_lazy("Failed"),
    "void": gettext_lazy("Void"),
}
STEPS = ("planned", "picked", "packed", "shipped", "delivered")


@require_GET
@requires(permissions.VIEW_SHIPMENT)
def shipments(request: SignedInRequest) -> HttpResponse:
    """Show what the floor has to do, by step and node; what has gone, the newest first."""
    return _board(request, request.GET.get("state", ""))


@require_GET
@requires(permissions.PICK)
def picking(request: SignedInRequest) -> HttpResponse:
    """Show what is to pick; the other steps are a tap away."""
    if "state" not in request.GET:
        return redirect(f"{request.path}?state=planned")
    return _board(request, request.GET["state"])


def _board(request: SignedInRequest, state: str) -> HttpResponse:
    entity_ids = request.scope(permissions.VIEW_SHIPMENT)
    node = request.GET.get("node", "")
    counts = shipment_counts(entity_ids=entity_ids, node=node)
    rows = shipment_rows(
        entity_ids=entity_ids,
        state=state if state in STATES else "",
        node=node,
        text=request.GET.get("q", "").strip()[:40],
        after=_cursor(request.GET.get("after", "")),
        limit=LIMIT,
    )
    context = {
        "rows": rows,
        "next_cursor": f"{rows[-1].planned_date}.{rows[-1].id}" if len(rows) == LIMIT else "",
        "states": [
            ("", _("To do"), sum(counts.values())),
            *[(s, label, counts.get(s, 0)) for s, label in list(STATES.items())[:3]],
            *list(STATES.items())[3:],
        ],
        "nodes": [("", _("All nodes")), *floor_nodes(entity_ids=entity_ids)],
        "may": _may(request),
        "state": state,
        "query": request.GET.get("q", ""),
    }
    return render(request, "finance/shipments.html", context)


@require_POST
@requires(permissions.PICK)
def pick_many(request: SignedInRequest) -> HttpResponse:
    """Confirm that whole shipments were found as planned."""
    ids = _chosen(request, permissions.PICK)
    picks = [Pick(shipment_id=each) for each in ids]
    done = pick_shipments(picks=picks, actor=request.user, now=timezone.now())
    return _counted(request, len(done.picked_ids), _("picked"), "picked")


@require_POST
@requires(permissions.PACK)
def pack_many(request: SignedInRequest) -> HttpResponse:
    """Put shipments into one carton each."""
    ids = _chosen(request, permissions.PACK)
    packs = [Pack(shipment_id=each) for each in ids]
    pack_shipments(packs=packs, actor=request.user, now=timezone.now())
    return _counted(request, len(ids), _("packed"), "packed")


@require_POST
@requires(permissions.SHIP)
def ship_many(request: SignedInRequest) -> HttpResponse:
    """Confirm that shipments left."""
    ids = _chosen(request, permissions.SHIP)
    done = ship_shipments(shipment_ids=ids, actor=request.user, now=timezone.now())
    return _counted(request, len(done), _("shipped"), "shipped")


@require_GET
@requires(permissions.VIEW_SHIPMENT)
def shipment(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one shipment and its next step."""
    return _shipment_page(request, _paper(request, number, permissions.VIEW_SHIPMENT), PackForm())


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.PICK)
def pick(request: SignedInRequest, number: str) -> HttpResponse:
    """Pick one shipment, line by line, with a scanner or by hand."""
    paper = _paper(request, number, permissions.PICK)
    if paper.state != "planned":
        return redirect("finance:shipment", paper.number)
    lying = (
        pieces_to_pick(shipment_id=paper.id) if any(each.is_serial for each in paper.lines) else {}
    )
    form = PickForm(paper.lines, request.POST or None, pick_places(paper.id), lying)
    if request.method == "POST" and form.is_valid():
        shorts = [
            ShortPick(line_id=line_id, picked=found, reason=reason)
            for line_id, found, reason in form.shorts()
        ]
        bins = [
            BinPick(line_id=line_id, bin_id=bin_id, quantity=found, is_empty=is_empty)
            for line_id, bin_id, found, is_empty in form.bins()
        ]
        wanted = Pick(shipment_id=paper.id, shorts=shorts, bins=bins, serials=form.serials())
        said = _("%(number)s was picked.")
        with refused_at_its_field(form):
            done = pick_shipments(picks=[wanted], actor=request.user, now=timezone.now())
            if done.shorts:
                said = _("%(number)s was picked short. What is missing is looked for elsewhere.")
        if not form.errors:
            return moved_on(request, "finance:shipment", paper.number, said)
    status = 422 if request.method == "POST" else 200
    return render(request, "finance/pick.html", {"shipment": paper, "form": form}, status=status)


@require_POST
@requires(permissions.PACK)
def pack(request: SignedInRequest, number: str) -> HttpResponse:
    """Put one shipment into cartons."""
    paper = _paper(request, number, permissions.PACK)
    form = PackForm(request.POST)
    if not form.is_valid():
        return _shipment_page(request, paper, form, status=422)
    wanted = Pack(shipment_id=paper.id, cartons=form.cleaned_data["weights"])
    pack_shipments(packs=[wanted], actor=request.user, now=timezone.now())
    return moved_on(request, "finance:shipment", paper.number, _("%(number)s is packed."))


@require_POST
@requires(permissions.SHIP)
def confirm_ship(request: SignedInRequest, number: str) -> HttpResponse:
    """Confirm that one shipment left."""
    paper = _paper(request, number, permissions.SHIP)
    ship_shipments(shipment_ids=[paper.id], actor=request.user, now=timezone.now())
    return moved_on(
        request, "finance:shipment", paper.number, _("%(number)s left. Its invoice follows.")
    )


@require_POST
@requires(permissions.SHIP)
def deliver(request: SignedInRequest, number: str) -> HttpResponse:
    """Note that the customer has it."""
    paper = _paper(request, number, permissions.SHIP)
    deliver_shipments(shipment_ids=[paper.id], actor=request.user, now=timezone.now())
    return moved_on(request, "finance:shipment", paper.number, _("%(number)s was delivered."))


@require_POST
@requires(permissions.SHIP)
def fail(request: SignedInRequest, number: str) -> HttpResponse:
    """Note that it did not arrive."""
    paper = _paper(request, number, permissions.SHIP)
    reason = request.POST.get("reason", "").strip()
    fail_shipment(shipment_id=paper.id, reason=reason, actor=request.user, now=timezone.now())
    return moved_on(request, "finance:shipment", paper.number, _("%(number)s did not arrive."))


@require_POST
@requires(permissions.PACK)
def void(request: SignedInRequest, number: str) -> HttpResponse:
    """Take it back before it leaves."""
    paper = _paper(request, number, permissions.PACK)
    reason = request.POST.get("reason", "").strip()
    void_shipment(shipment_id=paper.id, reason=reason, actor=request.user, now=timezone.now())
    return moved_on(
        request,
        "finance:shipment",
        paper.number,
        _("%(number)s is void. Its goods are planned anew."),
    )


@require_GET
@requires(permissions.VIEW_SHIPMENT)
def packing_slip(request: SignedInRequest, number: str) -> HttpResponse:
    """Give the packing slip as PDF."""
    paper = _paper(request, number, permissions.VIEW_SHIPMENT)
    name = f'inline; filename="{paper.number}.pdf"'
    content = packing_slip_pdf(shipment=paper)
    return HttpResponse(content, "application/pdf", headers={"Content-Disposition": name})


@require_GET
@requires(permissions.VIEW_SHIPMENT)
def labels(request: SignedInRequest, number: str) -> HttpResponse:
    """Give the carton labels as ZPL."""
    paper = _paper(request, number, permissions.VIEW_SHIPMENT)
    name = f'attachment; filename="{paper.number}.zpl"'
    text = shipment_labels(shipment=paper)
    return HttpResponse(
        text, "application/zpl; charset=utf-8", headers={"Content-Disposition": name}
    )


@require_GET
@requires(permissions.RECEIVE)
def receiving(request: SignedInRequest) -> HttpResponse:
    """Show the purchase orders that goods are expected of, the earliest first."""
    entity_ids = request.scope(permissions.RECEIVE)
    context = {
        "rows": incoming_orders(entity_ids=entity_ids, node=request.GET.get("node", "")),
        "nodes": [("", _("All nodes")), *floor_nodes(entity_ids=entity_ids)],
    }
    return render(request, "finance/receiving.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.RECEIVE)
def receive(request: SignedInRequest, number: str) -> HttpResponse:
    """Take in what came of one purchase order."""
    page = incoming_order(number=number, entity_ids=request.scope(permissions.RECEIVE))
    if page is None:
        raise Http404
    form = ReceiveForm(page.lines, request.POST or None, is_direct=bool(page.head.for_label))
    if request.method == "POST" and form.is_valid():
        with refused_at_its_field(form):
            said, state = _taken(request, page, form)
            messages.success(request, said)
            if state == "received":
                return redirect("finance:receiving")
            return redirect("finance:receive", number)
    status = 422 if request.method == "POST" else 200
    return render(request, "finance/receive.html", {"page": page, "form": form}, status=status)


def _taken(request: SignedInRequest, page: IncomingPage, form: ReceiveForm) -> tuple[str, str]:
    """Take in what came, or note what the supplier sent; return what to say, and the state."""
    given: dict[str, Any] = {
        "order_id": page.head.id,
        "lines": form.came(),
        "lots": form.lots(),
        "serials": form.serials(),
        "actor": request.user,
        "now": timezone.now(),
    }
    if not page.head.for_label:
        done = receive_purchase_order(**given)
        said = _("%(receipt)s was posted: what came is in stock.") % {"receipt": done.number}
        return said, done.state
    sent = confirm_direct_shipment(**given, tracking=form.cleaned_data["tracking"])
    names = {"shipment": sent.shipment, "order": page.head.for_label}
    return _("%(shipment)s was posted: the supplier sent it for %(order)s.") % names, sent.state


def _shipment_page(
    request: SignedInRequest, paper: ShipmentPaper, form: PackForm, status: int = 200
) -> HttpResponse:
    scope = request.scope(permissions.VIEW_SHIPMENT)
    thread = f"orders.order:{paper.order_id}"
    rows = [
        row
        for row in timeline(thread=thread, entity_ids=scope)
        if (row.subject_kind, row.subject_id) == ("inventory.shipment", paper.id)
    ]
    billed = [
        each
        for each in invoices_of_order(order_id=paper.order_id, entity_ids=scope)
        if each.shipment_number == paper.number
    ]
    context = {
        "shipment": paper,
        "form": form,
        "steps": _steps(paper),
        "told": told(rows),
        "invoices": billed,
        "address": [
            value
            for value in map(
                paper.ship_to.get, ("name", "address", "postal_code", "city", "country")
            )
            if value
        ],
        "may": _may(request, paper.entity_id),
    }
    return render(request, "finance/shipment.html", context, status=status)


def _may(request: SignedInRequest, entity_id: int | None = None) -> Mapping[str, bool]:
    steps = {
        "pick": permissions.PICK, "pack": permissions.PACK, "ship": permissions.SHIP,
    }  # fmt: skip
    return {
        step: request.user.has_perm(permission, entity_id) for step, permission in steps.items()
    }


def _steps(paper: ShipmentPaper) -> Sequence[Mapping[str, Any]]:
    at = {
        "picked": paper.picked_at,
        "packed": paper.packed_at,
        "shipped": paper.shipped_at,
        "delivered": paper.delivered_at,
    }
    reached = [step for step in STEPS if at.get(step)] or ["planned"]
    ended = paper.state in {"void", "failed"}
    steps = []
    for step in reached if ended else STEPS:
        moment = at.get(step)
        is_now = step == paper.state and step != "delivered"
        is_done = step in reached or STEPS.index(step) < STEPS.index(reached[-1])
        steps.append(
            {
                "label": STATES[step],
                "state": "now" if is_now else "done" if is_done else "",
                "note": "" if moment is None else f"{timezone.localtime(moment):%d %b %H:%M}",
            }
        )
    return [*steps, {"label": STATES[paper.state], "state": "bad"}] if ended else steps


def _paper(request: SignedInRequest, number: str, permission: str) -> ShipmentPaper:
    found = shipment_paper(number=number, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _chosen(request: SignedInRequest, permission: str) -> list[int]:
    """Return the shipments that were ticked; one of another entity is not found."""
    texts = request.POST.getlist("id")
    if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in texts):  # noqa: PLR2004
        raise Http404
    ids = sorted({int(text) for text in texts})
    if shipments_within(shipment_ids=ids, entity_ids=request.scope(permission)) != set(ids):
        raise Http404
    return ids


def _counted(request: SignedInRequest, count: int, verb: str, state: str) -> HttpResponse:
    said = ngettext("%(count)d shipment was %(verb)s.", "%(count)d shipments were %(verb)s.", count)
    messages.success(request, said % {"count": count, "verb": verb})
    return redirect(f"{reverse('finance:shipments')}?state={state}")


def _cursor(text: str) -> tuple[date, int] | None:
    day, _dot, number = text.partition(".")
    try:
        return (date.fromisoformat(day), int(number[:18])) if text else None
    except ValueError:
        return None

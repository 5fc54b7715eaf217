"""Bins: what lies where, what is to be put away, what is to be brought down."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions, selectors
from inventory.forms import BinForm
from inventory.models import Node
from inventory.services.binning import BadBinMove, BinTransfer, move_in_bins, save_bin

PAGE = 100
LIMIT = 200
KINDS = {
    "pick_face": gettext_lazy("Pick face"),
    "reserve": gettext_lazy("Reserve"),
    "receiving": gettext_lazy("Receiving"),
    "quarantine": gettext_lazy("Quarantine"),
}


def _text(request: SignedInRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:100]


@require_GET
@requires(permissions.VIEW_BIN)
def bins(request: SignedInRequest) -> HttpResponse:
    """Show bins as one walks past them, a hundred at a time."""
    scope = request.scope(permissions.VIEW_BIN)
    kind = _text(request, "kind")
    rows = selectors.bins(
        entity_ids=scope,
        node=_text(request, "node"),
        kind=kind if kind in KINDS else "",
        text=_text(request, "q"),
        shown=_text(request, "shown"),
        after=_text(request, "after"),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    nodes = selectors.nodes_with_bins(entity_ids=scope)
    context = {
        "rows": shown,
        "next_cursor": shown[-1].cursor if len(rows) > PAGE else "",
        "query": _text(request, "q"),
        "nodes": [("", _("All nodes")), *((code, code) for code, _name in nodes)],
        "kinds": [("", _("All kinds")), *KINDS.items()],
        "shows": [("", _("All")), ("filled", _("Something in it")), ("empty", _("Empty"))],
        "may_change": bool(request.scope(permissions.CHANGE_BIN)),
        "may_move": bool(request.scope(permissions.MOVE_IN_BINS)),
    }
    return render(request, "inventory/bins.html", context)


@require_GET
@requires(permissions.VIEW_BIN)
def bin_page(request: SignedInRequest, node: str, code: str) -> HttpResponse:
    """Show one bin: what lies in it, and what was moved in and out."""
    page = _page(request, node, code, permissions.VIEW_BIN)
    context = {
        "page": page,
        "bin": page.head,
        "may_move": bool(request.scope(permissions.MOVE_IN_BINS)),
        "may_change": page.head.entity_id in request.scope(permissions.CHANGE_BIN),
    }
    return render(request, "inventory/bin.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.CHANGE_BIN)
def edit_bin(request: SignedInRequest, node: str = "", code: str = "") -> HttpResponse:
    """Add a bin, or change one; its node and code stay as they are."""
    scope = request.scope(permissions.CHANGE_BIN)
    head = _page(request, node, code, permissions.CHANGE_BIN).head if code else None
    if head and head.entity_id not in scope:
        raise Http404
    nodes = Node.objects.filter(entity_id__in=scope, is_active=True).order_by("code")
    if head:
        nodes = Node.objects.filter(pk=head.node_id)
    choices = [(each.pk, f"{each.code} {each.name}") for each in nodes]
    data = request.POST.copy() if request.method == "POST" else None
    if head and data is not None:
        data["node"], data["code"] = str(head.node_id), head.code
    form = BinForm(data, nodes=choices, initial=_initial(head))
    if form.is_valid():
        draft = form.draft()
        save_bin(draft=draft, actor=request.user, now=timezone.now())
        messages.success(request, _("Bin %(code)s is kept.") % {"code": draft.code})
        place = Node.objects.values_list("code", flat=True).get(pk=draft.node_id)
        return redirect("inventory:bin", place, draft.code)
    status = 422 if form.is_bound else 200
    context = {"form": form, "bin": head}
    return render(request, "inventory/bin_edit.html", context, status=status)


@require_POST
@requires(permissions.MOVE_IN_BINS)
def move_out_of_bin(request: SignedInRequest, node: str, code: str) -> HttpResponse:
    """Move some of what lies in a bin into another, or onto the floor."""
    page = _page(request, node, code, permissions.MOVE_IN_BINS)
    stock_id = _number(request.POST.get("stock", ""))
    if stock_id not in {each.stock_id for each in page.contents}:
        raise Http404
    to = request.POST.get("to", "").strip()[:20]
    move = BinTransfer(
        stock_id=stock_id,
        quantity=_quantity(request.POST.get("quantity", "")),
        source_id=page.head.id,
        target_id=_bin_at(node, to) if to else None,
    )
    move_in_bins(moves=[move], actor=request.user, now=timezone.now())
    messages.success(request, _("Moved to %(to)s.") % {"to": to or _("the floor")})
    return redirect("inventory:bin", node, code)


@require_GET
@requires(permissions.MOVE_IN_BINS)
def put_away(request: SignedInRequest) -> HttpResponse:
    """Show what stands unput at a node and where to put it; what to bring down to pick faces."""
    scope = request.scope(permissions.MOVE_IN_BINS)
    nodes = selectors.nodes_with_bins(entity_ids=scope)
    codes = [code for code, _name in nodes]
    asked = _text(request, "node")
    node = asked if asked in codes else (codes[0] if codes else "")
    product = _text(request, "product")
    context = {
        "node": node,
        "nodes": [*((code, f"{code} {name}") for code, name in nodes)],
        "query": product,
        "rows": selectors.to_put_away(
            node=node, entity_ids=scope, product=product, limit=LIMIT
        ) if node else [],
        "faces": selectors.low_faces(
            node=node, entity_ids=scope, today=timezone.localdate(), limit=LIMIT
        ) if node else [],
    }  # fmt: skip
    return render(request, "inventory/put_away.html", context)


@require_POST
@requires(permissions.MOVE_IN_BINS)
def accept_put_away(request: SignedInRequest) -> HttpResponse:
    """Put goods away as proposed, or one of them into the bin that is named."""
    scope = request.scope(permissions.MOVE_IN_BINS)
    node = request.POST.get("node", "")
    wanted = request.POST.getlist("accept")
    rows = {row.key: row for row in selectors.to_put_away(node=node, entity_ids=scope, limit=LIMIT)}
    chosen = [rows[key] for key in wanted if key in rows]
    if not chosen:
        raise Http404
    to = request.POST.get("to", "").strip()[:20]
    if to and len(chosen) == 1:
        (row,) = chosen
        quantity = _quantity(request.POST.get("quantity", "") or f"{row.quantity}")
        moves = [_put(row, _bin_at(node, to), quantity)]
    else:
        moves = [_put(row, bin_id, part) for row in chosen for bin_id, _code, part in row.parts]
    if not moves:
        raise BadBinMove(0, "to", _("No bin has room for it: say which."))
    move_in_bins(moves=moves, actor=request.user, now=timezone.now())
    said = ngettext("One line is put away.", "%(count)s lines are put away.", len(chosen))
    messages.success(request, said % {"count": len(chosen)})
    return redirect(f"{reverse('inventory:put_away')}?node={node}")


@require_POST
@requires(permissions.MOVE_IN_BINS)
def bring_down(request: SignedInRequest) -> HttpResponse:
    """Fill pick faces up out of reserve, as proposed."""
    scope = request.scope(permissions.MOVE_IN_BINS)
    node, today = request.POST.get("node", ""), timezone.localdate()
    wanted = {_number(text) for text in request.POST.getlist("face")}
    low = selectors.low_faces(node=node, entity_ids=scope, today=today, limit=LIMIT)
    moves = [
        BinTransfer(
            stock_id=part.stock_id,
            quantity=part.quantity,
            source_id=part.bin_id,
            target_id=face.bin_id,
        )
        for face in low
        if face.bin_id in wanted
        for part in face.parts
    ]
    if not moves:
        raise Http404
    move_in_bins(moves=moves, actor=request.user, now=timezone.now())
    messages.success(request, _("The pick face is filled up."))
    return redirect(f"{reverse('inventory:put_away')}?node={node}")


def _put(row: selectors.PutAwayRow, bin_id: int, quantity: Decimal) -> BinTransfer:
    return BinTransfer(
        stock_id=row.stock_id,
        quantity=quantity,
        target_id=bin_id,
        source_id=row.source_id or None,
    )


def _page(request: SignedInRequest, node: str, code: str, permission: str) -> selectors.BinPage:
    found = selectors.bin_page(node=node, code=code, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _bin_at(node: str, code: str) -> int:
    found = selectors.bins_at(node=node, codes=[code])
    if code not in found:
        raise BadBinMove(0, "to", _("There is no bin %(code)s here.") % {"code": code})
    return found[code]


def _quantity(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", ".") or "0")
    except InvalidOperation:
        raise BadBinMove(0, "quantity", _("That is no quantity.")) from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0  # noqa: PLR2004


def _initial(head: selectors.BinRow | None) -> dict[str, Any]:
    if head is None:
        return {}
    return {
        "node": head.node_id,
        "code": head.code,
        "kind": head.kind,
        "sequence": head.sequence,
        "capacity": head.capacity,
        "product": head.product,
        "minimum": head.minimum or None,
        "is_active": head.is_active,
    }

"""Kits: the list, and what one is made of."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import KitEntry
from orders.selectors import KitPage, kit_board, kit_page
from orders.services.kitting import KitRefused, NestedKit, save_kit

PAGE = 100


@require_GET
@requires(permissions.VIEW_KIT)
def kits(request: SignedInRequest) -> HttpResponse:
    """Show the kits, by code."""
    asked = request.GET
    rows, following = kit_board(
        entity_ids=request.scope(permissions.VIEW_KIT),
        text=asked.get("q", ""),
        after=asked.get("after", ""),
        limit=PAGE,
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "text": asked.get("q", ""),
        "today": timezone.localdate(),
        "may_change": bool(request.scope(permissions.CHANGE_KIT)),
    }
    return render(request, "orders/kits.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_KIT)
def new_kit(request: SignedInRequest) -> HttpResponse:
    """Say that a product is a kit, and of what."""
    return _write(request, None)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_KIT)
def edit_kit(request: SignedInRequest, code: str) -> HttpResponse:
    """Change what a kit is made of; orders keep what they had."""
    return _write(request, _found(request, code))


@require_GET
@requires(permissions.VIEW_KIT)
def kit(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one kit, its parts and how many whole ones each node could send."""
    page = _found(request, code)
    context = {
        "kit": page,
        "bars": [
            {"label": each["node"], "value": each["kits"], "text": f"{each['kits']:f}"}
            for each in page.buildable
        ],
        "may_change": bool(request.scope(permissions.CHANGE_KIT)),
    }
    return render(request, "orders/kit.html", context)


def _write(request: SignedInRequest, page: KitPage | None) -> HttpResponse:
    if request.method == "GET":
        return _form(request, KitEntry(kit=page), page)
    entry = KitEntry(request.POST, kit=page)
    parts = entry.parts()
    if not entry.is_sound:
        return _form(request, entry, page, status=422)
    values = entry.head.cleaned_data
    try:
        save_kit(
            product_id=page.product_id if page else values["product"],
            parts=parts,
            actor=request.user,
            now=timezone.now(),
            is_active=values["is_active"],
            valid_from=values["valid_from"],
            valid_until=values["valid_until"],
        )
    except (KitRefused, NestedKit) as refusal:
        entry.head.add_error(None, str(refusal))
        return _form(request, entry, page, status=422)
    code = page.product if page else entry.head.data["product"].strip().upper()
    messages.success(request, _("%(code)s was saved; orders keep what they had.") % {"code": code})
    return redirect("orders:kit", code)


def _form(
    request: SignedInRequest, entry: KitEntry, page: KitPage | None, *, status: int = 200
) -> HttpResponse:
    context = {"entry": entry, "form": entry.head, "kit": page}
    return render(request, "orders/kit_form.html", context, status=status)


def _found(request: SignedInRequest, code: str) -> KitPage:
    page = kit_page(code=code, entity_ids=request.scope(permissions.VIEW_KIT))
    if page is None:
        raise Http404
    return page

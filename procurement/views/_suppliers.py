"""Whom we buy from."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from procurement import permissions
from procurement.selectors import offers_of, order_board, supplier_board, supplier_list


@require_GET
@requires(permissions.VIEW_SUPPLIER)
def suppliers(request: SignedInRequest) -> HttpResponse:
    """Show suppliers by code, with what they offer and what is on order."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:60]
    rows, following = supplier_board(
        entity_ids=request.scope(permissions.VIEW_SUPPLIER),
        text=text,
        after=request.GET.get("after", "").replace("\0", "")[:60],
    )
    context = {"rows": rows, "next_cursor": following, "query": text}
    return render(request, "procurement/suppliers.html", context)


@require_GET
@requires(permissions.VIEW_SUPPLIER)
def supplier(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one supplier, its offers and its open orders."""
    found = supplier_list().filter(code=code).first()
    if found is None:
        raise Http404
    entity_ids = request.scope(permissions.VIEW_SUPPLIER)
    placed, _more = order_board(
        entity_ids=request.scope(permissions.VIEW), supplier=code, state="open", limit=20
    )
    context = {
        "supplier": found,
        "offers": offers_of(supplier_id=found["id"], entity_ids=entity_ids),
        "orders": placed,
    }
    return render(request, "procurement/supplier.html", context)

"""Writing an order: by keyboard, by paste, by file."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import GRID_MAX, Entry, Row, typed
from orders.rules import TypedLine, read_lines
from orders.selectors import (
    OrderPage,
    customer_page,
    customer_search,
    ids_by_code,
    order_page,
    product_search,
    serving_terms,
)
from orders.services import (
    DraftRefused,
    OrderDraft,
    amend_draft,
    create_order,
    submit_order,
)
from orders.views._live import live_figures
from orders.views._order import tell_submitted

UPLOAD_MAX = 2_000_000  # bytes


@require_http_methods(["GET", "POST"])
@requires(permissions.SUBMIT)
def new(request: SignedInRequest) -> HttpResponse:
    """Take an order down; what is refused stands beside its field, and nothing typed is lost."""
    scope = request.scope(permissions.SUBMIT)
    if request.method == "GET":
        initial = {"customer": request.GET.get("customer", "")}
        return _form(request, Entry(entity_ids=scope, initial=initial))
    entry = Entry(request.POST, entity_ids=scope, upload=_uploaded(request))
    draft = entry.draft()
    if draft is None:
        return _form(request, entry, status=422)
    try:
        made = create_order(draft=draft, actor=request.user, now=timezone.now())
    except DraftRefused as refusal:
        entry.refuse(refusal.errors)
        return _form(request, entry, status=422)
    return _done(request, made.id, made.number)


@require_http_methods(["GET", "POST"])
@requires(permissions.SUBMIT)
def edit(request: SignedInRequest, number: str) -> HttpResponse:
    """Rewrite a draft."""
    scope = request.scope(permissions.SUBMIT)
    page = order_page(number=number, entity_ids=scope, line_limit=10_000)
    if page is None:
        raise Http404
    if request.method == "GET":
        return _form(request, _written(page, scope), page=page)
    entry = Entry(request.POST, entity_ids=scope, upload=_uploaded(request))
    draft = entry.draft()
    if draft is None:
        return _form(request, entry, status=422, page=page)
    try:
        draft = _kept(draft, page)
        amend_draft(order_id=page.id, draft=draft, actor=request.user, now=timezone.now())
    except DraftRefused as refusal:
        entry.refuse(refusal.errors)
        return _form(request, entry, status=422, page=page)
    return _done(request, page.id, number)


@require_GET
@requires(permissions.SUBMIT)
def customer_hits(request: SignedInRequest) -> HttpResponse:
    """Answer the customers that what was typed may mean."""
    entity = request.GET.get("entity", "")
    scope = Entity.objects.filter(pk__in=request.scope(permissions.SUBMIT), code=entity)
    text = request.GET.get("customer", "")
    found = customer_search(entity_ids=list(scope.values_list("pk", flat=True)), text=text)
    return render(request, "orders/_customer_hits.html", {"hits": found if text else []})


@require_GET
@requires(permissions.SUBMIT)
def product_hits(request: SignedInRequest) -> HttpResponse:
    """Answer the products that what was typed may mean, with stock and price."""
    asked = _priced_for(request)
    found = product_search(text=request.GET.get("product", ""), **asked) if asked else []
    return render(request, "orders/_product_hits.html", {"hits": found, **(asked or {})})


@require_POST
@requires(permissions.SUBMIT)
def read_pasted(request: SignedInRequest) -> HttpResponse:
    """Answer rows for what was pasted or uploaded; too many stay in the box."""
    lines = read_lines(request.POST.get("pasted", "")) + read_lines(_uploaded(request))
    if len(lines) > GRID_MAX:
        said = _("%(n)d lines stay in the box and are taken with the order.")
        context = {"refusal": said % {"n": len(lines)}}
        response = render(request, "components/refusal.html", context)
        response["HX-Retarget"], response["HX-Reswap"] = "#refusals", "innerHTML"
        return response
    rows = [Row(each) for each in lines]
    response = render(request, "orders/_rows.html", {"rows": rows})
    response["HX-Trigger-After-Swap"] = "lines:read"
    return response


@require_POST
@requires(permissions.SUBMIT)
def preview(request: SignedInRequest) -> HttpResponse:
    """Answer what each row and the order come to, and what is wrong, without taking it.

    One request whatever was typed: prices, stock and dates of all rows take a fixed number of
    queries.
    """
    scope = request.scope(permissions.SUBMIT)
    context = live_figures(request.POST, scope=scope, now=timezone.now())
    return render(request, "orders/_live.html", context)


def _form(
    request: SignedInRequest, entry: Entry, *, status: int = 200, page: OrderPage | None = None
) -> HttpResponse:
    context = {"entry": entry, "form": entry.head, "order": page}
    return render(request, "orders/new.html", context, status=status)


def _done(request: SignedInRequest, order_id: int, number: str) -> HttpResponse:
    """Submit what was saved if that was asked for, and show it."""
    if request.POST.get("then") == "submit":
        found = submit_order(order_id=order_id, actor=request.user, now=timezone.now())
        tell_submitted(request, found.number, found.holds)
    else:
        messages.success(request, _("%(number)s was saved as a draft.") % {"number": number})
    return redirect("orders:page", number)


def _written(page: OrderPage, scope: frozenset[int]) -> Entry:
    """Return a draft order as it would be typed."""
    head: Mapping[str, Any] = {
        "entity": page.entity,
        "customer": page.customer_code,
        "customer_po": page.customer_po,
        "requested_date": page.requested_date,
        "freight": page.freight or None,
        "ship_complete": page.ship_complete,
        "no_split": page.no_split,
        "no_substitutes": page.no_substitutes,
        **typed(serving_terms(order_id=page.id)),
    }
    lines = [
        TypedLine(
            product=each.product,
            quantity=f"{each.sold_quantity.normalize():f}",
            uom=each.sold_uom,
            price=f"{each.unit_price:f}" if each.price_source == "entered" else "",
            discount=f"{(each.discount * 100).normalize():f}" if each.discount else "",
        )
        for each in page.lines
    ]
    return Entry(entity_ids=scope, initial=head, lines=lines)


def _kept(draft: OrderDraft, page: OrderPage) -> OrderDraft:
    """Return the draft with what the form does not show as it was."""
    carrier = ids_by_code("carrier", [page.carrier]).get(page.carrier) if page.carrier else None
    return replace(
        draft,
        ship_to=draft.ship_to or page.ship_to,
        external_ref=page.external_ref,
        carrier_id=carrier,
        ship_complete=bool(draft.ship_complete),
        no_split=bool(draft.no_split),
        no_substitutes=bool(draft.no_substitutes),
    )


def _uploaded(request: SignedInRequest) -> str:
    """Return the text of an uploaded file; none, or one too large, is empty."""
    upload = request.FILES.get("file")
    if upload is None or (upload.size or 0) > UPLOAD_MAX:
        return ""
    return str(upload.read().decode("utf-8-sig", errors="replace"))


def _priced_for(request: SignedInRequest) -> dict[str, Any] | None:
    """Return for whom prices are asked; none when the company is not in view."""
    scope = request.scope(permissions.SUBMIT)
    entity = Entity.objects.filter(pk__in=scope, code=request.GET.get("entity", "")).first()
    if entity is None:
        return None
    found = customer_page(code=request.GET.get("customer", ""), entity_ids=[entity.pk])
    currency = found.accounts[0].exposure.currency if found else entity.currency
    return {
        "entity_id": entity.pk,
        "customer_id": found.id if found else None,
        "currency": currency,
        "on": timezone.now().astimezone(ZoneInfo(entity.time_zone)).date(),
    }

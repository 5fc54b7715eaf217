"""Quotes: the list, writing one, one with its story, and ordering from it."""

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import Entry
from orders.models import Quote
from orders.rules import TypedLine
from orders.selectors import QuoteLineRow, QuotePage, quote_board, quote_page
from orders.services import BadQuantity, DraftRefused, submit_order
from orders.services.quoting import (
    QuoteDraft,
    QuotePart,
    accept_quote,
    decline_quote,
    order_quote,
    quote_pdf,
    revise_quote,
    send_quote,
    write_quote,
)
from orders.views._order import tell_submitted

PAGE = 100
VALID_DAYS = 30
DIGITS_MAX = 40
TOLD = {
    "orders.write_quote": "Written",
    "orders.send_quote": "Sent to the customer",
    "orders.accept_quote": "Accepted",
    "orders.decline_quote": "Declined",
    "orders.expire_quote": "Expired",
    "orders.supersede_quote": "A later version took its place",
    "orders.order_quote": "Ordered from",
}
GOOD = {"orders.accept_quote", "orders.order_quote"}
HOT = {"orders.decline_quote", "orders.expire_quote"}


@require_GET
@requires(permissions.VIEW_QUOTE)
def quotes(request: SignedInRequest) -> HttpResponse:
    """Show the quotes that the filters in the address leave, page by page."""
    scope, asked = request.scope(permissions.VIEW_QUOTE), request.GET
    rows, following = quote_board(
        entity_ids=scope,
        state=asked.get("state", ""),
        text=asked.get("q", ""),
        after=asked.get("after", ""),
        limit=PAGE,
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "states": [("", _("All")), *Quote.State.choices],
        "text": asked.get("q", ""),
        "may_write": bool(request.scope(permissions.WRITE_QUOTE)),
    }
    return render(request, "orders/quotes.html", context)


@require_GET
@requires(permissions.VIEW_QUOTE)
def quote(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one quote with its story and what can be done about it."""
    page = _found(request, number, permissions.VIEW_QUOTE)
    entries = timeline(
        thread=page.thread, entity_ids=request.scope(permissions.VIEW_QUOTE), limit=100
    )
    context = {
        "quote": page,
        "address": [value for value in page.ship_to.values() if value],
        "timeline": [
            {
                "at": row.at,
                "text": TOLD.get(row.action, row.action),
                "detail": _detail(row.after, row.reason, row.actor_name),
                "tone": "good" if row.action in GOOD else "hot" if row.action in HOT else "",
            }
            for row in entries
        ],
        "may_write": page.entity_id in request.scope(permissions.WRITE_QUOTE),
        "may_answer": page.entity_id in request.scope(permissions.ANSWER_QUOTE),
        "may_order": page.may_be_ordered and page.entity_id in request.scope(permissions.SUBMIT),
        "may_revise": page.state in {"sent", "declined", "expired"},
    }
    return render(request, "orders/quote.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.WRITE_QUOTE)
def new_quote(request: SignedInRequest) -> HttpResponse:
    """Write a quote."""
    return _write(request, None)


@require_http_methods(["GET", "POST"])
@requires(permissions.WRITE_QUOTE)
def edit_quote(request: SignedInRequest, number: str) -> HttpResponse:
    """Write a draft anew, or the next version of a quote that was sent."""
    return _write(request, _found(request, number, permissions.WRITE_QUOTE))


@require_POST
@requires(permissions.WRITE_QUOTE)
def send(request: SignedInRequest, number: str) -> HttpResponse:
    """Call a draft sent: its prices hold from now."""
    page = _found(request, number, permissions.WRITE_QUOTE)
    send_quote(quote_id=page.id, actor=request.user, now=timezone.now())
    messages.success(request, _("%(n)s is sent: its prices hold.") % {"n": number})
    return redirect("orders:quote", number)


@require_POST
@requires(permissions.ANSWER_QUOTE)
def accept(request: SignedInRequest, number: str) -> HttpResponse:
    """Note that the customer accepts."""
    page = _found(request, number, permissions.ANSWER_QUOTE)
    accept_quote(quote_id=page.id, actor=request.user, now=timezone.now())
    messages.success(request, _("%(n)s was accepted.") % {"n": number})
    return redirect("orders:quote", number)


@require_POST
@requires(permissions.ANSWER_QUOTE)
def decline(request: SignedInRequest, number: str) -> HttpResponse:
    """Note that the customer declines."""
    page = _found(request, number, permissions.ANSWER_QUOTE)
    reason, now = request.POST.get("reason", ""), timezone.now()
    decline_quote(quote_id=page.id, reason=reason, actor=request.user, now=now)
    messages.info(request, _("%(n)s was declined.") % {"n": number})
    return redirect("orders:quote", number)


@require_POST
@requires(permissions.SUBMIT)
def order_it(request: SignedInRequest, number: str) -> HttpResponse:
    """Make an order of what was typed, or of all that is left, and submit it."""
    page, data = _found(request, number, permissions.SUBMIT), request.POST
    wanted = data.get("requested_date", "")
    made = order_quote(
        quote_id=page.id,
        parts=_parts(page, data),
        customer_po=data.get("customer_po", "")[:60],
        requested_date=parse_date(wanted) if wanted else None,
        actor=request.user,
        now=timezone.now(),
    )
    found = submit_order(order_id=made.id, actor=request.user, now=timezone.now())
    tell_submitted(request, found.number, found.holds)
    return redirect("orders:page", made.number)


@require_GET
@requires(permissions.VIEW_QUOTE)
def quote_paper(request: SignedInRequest, number: str) -> HttpResponse:
    """Answer the quote as PDF/A."""
    page = _found(request, number, permissions.VIEW_QUOTE)
    name = f'inline; filename="{page.number}.pdf"'
    content = quote_pdf(quote=page)
    return HttpResponse(content, "application/pdf", headers={"Content-Disposition": name})


def _write(request: SignedInRequest, page: QuotePage | None) -> HttpResponse:
    scope = request.scope(permissions.WRITE_QUOTE)
    if request.method == "GET":
        return _form(request, _typed(page, scope, request.GET.get("customer", "")), page)
    entry = Entry(request.POST, entity_ids=scope)
    draft, until = entry.draft(), parse_date(request.POST.get("valid_until") or "")
    if until is None:
        entry.head.add_error(None, _("Through which day do the prices hold?"))
    if draft is None or until is None:
        return _form(request, entry, page, status=422)
    wish = QuoteDraft(draft, until, request.POST.get("note", "")[:1_000])
    try:
        made = _save(request, wish, page)
    except DraftRefused as refusal:
        entry.refuse(refusal.errors)
        return _form(request, entry, page, status=422)
    if request.POST.get("then") == "send":
        send_quote(quote_id=made.pk, actor=request.user, now=timezone.now())
        messages.success(request, _("%(n)s is sent: its prices hold.") % {"n": made.number})
    else:
        messages.success(request, _("%(n)s was saved as a draft.") % {"n": made.number})
    return redirect("orders:quote", made.number)


def _save(request: SignedInRequest, wish: QuoteDraft, page: QuotePage | None) -> Quote:
    who: dict[str, Any] = {"actor": request.user, "now": timezone.now()}
    if page is not None and page.state != "draft":
        return revise_quote(quote_id=page.id, draft=wish, **who)
    return write_quote(draft=wish, quote_id=page.id if page else None, **who)


def _form(
    request: SignedInRequest, entry: Entry, page: QuotePage | None, *, status: int = 200
) -> HttpResponse:
    until = page.valid_until if page else timezone.localdate() + timedelta(days=VALID_DAYS)
    context = {
        "entry": entry,
        "form": entry.head,
        "quote": page,
        "valid_until": request.POST.get("valid_until") or until.isoformat(),
        "note": request.POST.get("note", page.note if page else ""),
    }
    return render(request, "orders/quote_form.html", context, status=status)


def _typed(page: QuotePage | None, scope: frozenset[int], customer: str) -> Entry:
    """Return a quote as it would be typed."""
    if page is None:
        return Entry(entity_ids=scope, initial={"customer": customer})
    head = {
        "entity": page.entity,
        "customer": page.customer_code,
        "customer_po": page.customer_po,
        "requested_date": page.requested_date,
        "freight": page.freight or None,
    }
    lines = [
        TypedLine(
            product=line.product,
            quantity=_plain(line.sold_quantity),
            uom=line.sold_uom,
            price=f"{line.unit_price:f}" if line.price_source == "entered" else "",
            discount=_plain(line.discount * 100) if line.discount else "",
        )
        for line in page.lines
    ]
    return Entry(entity_ids=scope, initial=head, lines=lines)


def _parts(page: QuotePage, data: QueryDict) -> list[QuotePart] | None:
    """Return what was typed beside the lines; nothing typed is all that is left."""
    typed = [(line, data.get(f"take-{line.position}", "").strip()) for line in page.lines]
    if not any(text for _line, text in typed):
        return None
    return [part for line, text in typed if (part := _part(line, text)) is not None]


def _part(line: QuoteLineRow, text: str) -> QuotePart | None:
    try:
        number = Decimal(text or "0") if len(text) <= DIGITS_MAX else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise BadQuantity(_("Write a number such as 12.5."), f"lines[{line.position - 1}].quantity")
    return QuotePart(line.id, number) if number else None


def _detail(after: Any, reason: str, actor: str) -> str:
    said = after or {}
    facts = [str(said[name]) for name in ("number", "order", "by", "total") if said.get(name)]
    return " · ".join([*([reason] if reason else []), *facts, actor or "system"])


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _found(request: SignedInRequest, number: str, permission: str) -> QuotePage:
    page = quote_page(number=number, entity_ids=request.scope(permission))
    if page is None:
        raise Http404
    return page

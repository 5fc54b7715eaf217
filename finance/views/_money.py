"""Invoices and payments."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance import permissions
from finance.forms import AllocationForm, PaymentForm
from finance.rules import rounded
from finance.selectors import (
    Ageing,
    InvoicePage,
    ageing_of_customer,
    invoice_board,
    invoices_of_order,
    journal,
    open_invoices,
    payer,
    payers,
    payment_board,
    unpaid_of_customer,
)
from finance.selectors import invoice as invoice_page
from finance.selectors import payment as payment_page
from finance.services import allocate_payment, invoice_pdf, post_payment

LIMIT = 100
OF_CUSTOMER_MAX = 10


@require_GET
@requires(permissions.VIEW_INVOICE)
def invoices(request: SignedInRequest) -> HttpResponse:
    """Show invoices, the newest first."""
    rows = invoice_board(
        entity_ids=request.scope(permissions.VIEW_INVOICE),
        state=_known_state(request.GET.get("state", "")),
        customer=_text(request, "customer"),
        text=_text(request, "q"),
        after=_cursor(request),
        limit=LIMIT,
    )
    context = {
        "rows": rows,
        "next_cursor": rows[-1].id if len(rows) == LIMIT else "",
        "states": [
            ("", _("All posted")), ("overdue", _("Overdue")), ("posted", _("Open")),
            ("partly_paid", _("Partly paid")), ("paid", _("Paid")), ("draft", _("To post")),
        ],
        "query": request.GET.get("q", ""),
    }  # fmt: skip
    return render(request, "finance/invoices.html", context)


@require_GET
@requires(permissions.VIEW_INVOICE)
def invoice(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one invoice: lines, payments, and what it did to the ledger."""
    page = _invoice(request, number)
    may_see_ledger = request.user.has_perm(permissions.VIEW_LEDGER, page.entity_id)
    context = {
        "invoice": page,
        "steps": [
            {"label": _("Shipped"), "state": "done", "note": page.shipment_number},
            {"label": _("Posted"), "state": "done", "note": f"{page.invoice_date:%d %b}"},
            {
                "label": _("Paid"),
                "state": "done" if page.state == "paid" else "now",
                "note": f"{page.paid_at:%d %b}" if page.paid_at else "",
            },
        ],
        "entries": journal(
            entity_ids=[page.entity_id],
            causes=[("finance.invoice", page.id)],
        )
        if may_see_ledger
        else [],
        "address": [
            value
            for value in (
                page.customer_address,
                f"{page.customer_postal_code} {page.customer_city}".strip(),
                page.customer_country,
            )
            if value
        ],
        "may_pay": page.open > 0
        and request.user.has_perm(permissions.POST_PAYMENT, page.entity_id),
    }
    return render(request, "finance/invoice.html", context)


@require_GET
@requires(permissions.VIEW_INVOICE)
def invoice_paper(request: SignedInRequest, number: str) -> HttpResponse:
    """Give one invoice as PDF."""
    page = _invoice(request, number)
    content = invoice_pdf(invoice=page)
    name = f'inline; filename="{page.number}.pdf"'
    return HttpResponse(content, "application/pdf", headers={"Content-Disposition": name})


@require_GET
@requires(permissions.VIEW_INVOICE)
def of_order(request: SignedInRequest, order_id: int) -> HttpResponse:
    """Show the invoices of an order, as a part of its page."""
    rows = invoices_of_order(order_id=order_id, entity_ids=request.scope(permissions.VIEW_INVOICE))
    return render(request, "finance/_of_order.html", {"rows": rows, "order_id": order_id})


@require_GET
@requires(permissions.VIEW_INVOICE)
def of_customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Show what a customer owes by how long it is due, as a part of their page."""
    scope = request.scope(permissions.VIEW_INVOICE)
    ages = ageing_of_customer(code=code, entity_ids=scope)
    context = {
        "code": code,
        "ages": [(each, ageing_bars(each)) for each in ages],
        "rows": unpaid_of_customer(code=code, entity_ids=scope, limit=OF_CUSTOMER_MAX),
        "count": sum(each.invoices for each in ages),
    }
    return render(request, "finance/_of_customer.html", context)


def ageing_bars(ageing: Ageing) -> list[dict[str, object]]:
    """Return the buckets as bars of the whole that is open; the later, the hotter."""
    tones = ("ok", "s3", "s2", "s1", "s1")
    return [
        {
            "label": _("%(days)s days late") % {"days": days} if days else _("Not yet due"),
            "value": amount,
            "share": amount / ageing.total if ageing.total else 0,
            "tone": tone,
        }
        for (days, amount), tone in zip(ageing.buckets, tones, strict=True)
    ]


@require_GET
@requires(permissions.VIEW_PAYMENT)
def payments(request: SignedInRequest) -> HttpResponse:
    """Show payments, the newest first, and the form to post one."""
    return _payments_page(request, _payment_form(request, _first_guess(request)), None)


@require_POST
@requires(permissions.POST_PAYMENT)
def post(request: SignedInRequest) -> HttpResponse:
    """Post a payment."""
    scope = request.scope(permissions.POST_PAYMENT)
    form = _payment_form(request, None, request.POST)
    if not form.is_valid():
        return _payments_page(request, form, None, status=422)
    entity_id = Entity.objects.get(code=form.cleaned_data["entity"], pk__in=scope).pk
    customer_id = payer(code=form.cleaned_data["customer"].strip(), entity_ids=[entity_id])
    if customer_id is None:
        form.add_error("customer", _("No customer of this entity has that code."))
        return _payments_page(request, form, None, status=422)
    owed = open_invoices(customer_id=customer_id, entity_ids=[entity_id])
    named = AllocationForm(owed, request.POST)
    if not named.is_valid():
        return _payments_page(request, form, named, status=422)
    posted = post_payment(
        entity_id=entity_id,
        customer_id=customer_id,
        amount=form.cleaned_data["amount"],
        reference=form.cleaned_data["reference"],
        received_date=form.cleaned_data["received_date"],
        allocations=named.allocations(),
        actor=request.user,
        now=timezone.now(),
    )
    if posted.created:
        said = _("%(number)s was posted.")
    else:
        said = _("%(number)s has that reference already: nothing was posted twice.")
    messages.success(request, said % {"number": posted.number})
    return redirect("finance:payment", posted.number)


@require_GET
@requires(permissions.VIEW_PAYMENT)
def open_of_customer(request: SignedInRequest) -> HttpResponse:
    """Show what a customer owes, for the form that posts a payment."""
    scope = request.scope(permissions.VIEW_PAYMENT)
    entity = request.GET.get("entity", "")
    within = list(Entity.objects.filter(code=entity, pk__in=scope).values_list("pk", flat=True))
    code = request.GET.get("customer", "").replace("\0", "").strip()
    customer_id = payer(code=code, entity_ids=within)
    owed = [] if customer_id is None else open_invoices(customer_id=customer_id, entity_ids=within)
    context = {"allocation": AllocationForm(owed), "known": customer_id is not None, "code": code}
    return render(request, "finance/_open_invoices.html", context)


@require_GET
@requires(permissions.VIEW_PAYMENT)
def payment(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one payment and where its cash is."""
    return _payment_page(request, number, None)


@require_POST
@requires(permissions.POST_PAYMENT)
def allocate(request: SignedInRequest, number: str) -> HttpResponse:
    """Put what is left of a payment on invoices."""
    scope = request.scope(permissions.POST_PAYMENT)
    found = payment_page(number=number, entity_ids=scope)
    if found is None:
        raise Http404
    named = AllocationForm(_owed(found[0].customer_code, found[0].entity, scope), request.POST)
    if not named.is_valid():
        return _payment_page(request, number, named, status=422)
    allocate_payment(
        payment_id=found[0].id,
        allocations=named.allocations(),
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("%(number)s was put on invoices.") % {"number": number})
    return redirect("finance:payment", number)


def _payment_page(
    request: SignedInRequest, number: str, form: AllocationForm | None, status: int = 200
) -> HttpResponse:
    scope = request.scope(permissions.VIEW_PAYMENT)
    found = payment_page(number=number, entity_ids=scope)
    if found is None:
        raise Http404
    row, applied = found
    may = row.unapplied > 0 and request.user.has_perm(permissions.POST_PAYMENT)
    if form is None and may:
        form = AllocationForm(_owed(row.customer_code, row.entity, scope))
    context = {"payment": row, "applied": applied, "allocation": form if may else None}
    return render(request, "finance/payment.html", context, status=status)


def _payments_page(
    request: SignedInRequest,
    form: PaymentForm,
    allocation: AllocationForm | None,
    status: int = 200,
) -> HttpResponse:
    scope = request.scope(permissions.VIEW_PAYMENT)
    rows = payment_board(
        entity_ids=scope,
        unapplied=request.GET.get("show") == "unapplied",
        customer="" if request.method == "POST" else _text(request, "customer"),
        text=_text(request, "q"),
        after=_cursor(request),
        limit=LIMIT,
    )
    context = {
        "rows": rows,
        "next_cursor": rows[-1].id if len(rows) == LIMIT else "",
        "shows": [("", _("All")), ("unapplied", _("With cash left"))],
        "query": request.GET.get("q", ""),
        "form": form,
        "allocation": allocation,
        "customers": payers(entity_ids=scope),
        "may_post": bool(request.scope(permissions.POST_PAYMENT)),
    }
    return render(request, "finance/payments.html", context, status=status)


def _payment_form(
    request: SignedInRequest, initial: Mapping[str, Any] | None, data: Any = None
) -> PaymentForm:
    scope = request.scope(permissions.POST_PAYMENT)
    entities = list(
        Entity.objects.filter(pk__in=scope).order_by("code").values_list("code", "name")
    )
    return PaymentForm(
        [(code, f"{code} · {name}") for code, name in entities], data, initial=initial
    )


def _first_guess(request: SignedInRequest) -> Mapping[str, Any]:
    """Fill the form for the invoice that somebody came from."""
    guess: dict[str, Any] = {"received_date": timezone.localdate()}
    page = invoice_page(
        number=_text(request, "invoice"), entity_ids=request.scope(permissions.VIEW_INVOICE)
    )
    if page is not None:
        guess |= {
            "entity": page.entity,
            "customer": page.customer_code,
            "amount": rounded(page.open),
        }
    return guess


def _owed(customer: str, entity: str, scope: frozenset[int]) -> Sequence[Any]:
    within = list(Entity.objects.filter(code=entity, pk__in=scope).values_list("pk", flat=True))
    customer_id = payer(code=customer, entity_ids=within)
    assert customer_id is not None, "the payment's customer has an account"
    return open_invoices(customer_id=customer_id, entity_ids=within)


def _invoice(request: SignedInRequest, number: str) -> InvoicePage:
    found = invoice_page(number=number, entity_ids=request.scope(permissions.VIEW_INVOICE))
    if found is None:
        raise Http404
    return found


def _known_state(text: str) -> str:
    return text if text in {"draft", "posted", "partly_paid", "paid", "overdue"} else ""


def _text(request: SignedInRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:100]


def _cursor(request: SignedInRequest) -> int | None:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004

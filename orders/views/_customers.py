"""Customers: the list, the page of one, and a new one."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.permissions import ERASE_PERSONAL
from erp.governance.selectors import TimelineRow, pending_changes, timeline
from erp.governance.services import ask_erasure
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import CustomerForm, worded
from orders.models import Customer
from orders.rules import completeness
from orders.selectors import (
    BoardFilters,
    CustomerPage,
    HoldFilters,
    Lookalike,
    MonthOrdered,
    certificates_within,
    customer_list,
    customer_page,
    hold_queue,
    lookalikes,
    order_board,
    order_trend,
    prices_within,
    serving_terms,
)
from orders.services import AccountRow, CustomerRow, hold_account, save_customer
from orders.services.crediting import foresee_credit
from orders.views._order import credit_bars, fragment

PAGE = 100
PLAIN = (
    "name", "tier", "tax_id", "contact", "email", "phone", "address", "city", "region",
    "postal_code", "country",
)  # fmt: skip


@require_GET
@requires(permissions.VIEW_CUSTOMER)
def customers(request: SignedInRequest) -> HttpResponse:
    """Show the customers whom the entities in view serve."""
    asked = request.GET
    rows, after = customer_list(
        entity_ids=request.scope(permissions.VIEW_CUSTOMER),
        text=asked.get("q", ""),
        tier=asked.get("tier", "")[:1],
        stopped=asked.get("view") == "stopped",
        after=asked.get("after", ""),
        limit=PAGE,
    )
    context = {
        "rows": rows,
        "next_cursor": after,
        "tiers": [("", _("All tiers")), *Customer.Tier.choices],
        "views": [("", _("All")), ("stopped", _("Stopped"))],
        "text": asked.get("q", ""),
        "may_add": request.user.has_perm(permissions.CHANGE_CUSTOMER),
    }
    return render(request, "orders/customers.html", context)


@require_GET
@requires(permissions.VIEW_CUSTOMER)
def customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one customer: terms, credit, orders and history."""
    page = found_customer(request, code, permissions.VIEW_CUSTOMER)
    scope = request.scope(permissions.VIEW_CUSTOMER)
    orders, now = request.scope(permissions.VIEW), timezone.now()
    context = {
        "customer": page,
        "accounts": _accounts(request, page, scope),
        "held": hold_queue(
            entity_ids=orders, filters=HoldFilters(customer=code), now=now, limit=20
        )[0],
        "certificates": list(
            certificates_within(scope).filter(customer_id=page.id).order_by("-valid_from")[:20]
        ),
        "agreements": list(
            prices_within(entity_ids=request.scope(permissions.VIEW_PRICE))
            .filter(customer_id=page.id)
            .order_by("product__code", "min_quantity")[:20]
        ),
        "orders": order_board(
            entity_ids=orders, filters=BoardFilters(customer=code), limit=20
        ).rows,
        "timeline": [
            _told(row)
            for row in timeline(thread=f"orders.customer:{page.id}", entity_ids=scope, limit=30)
        ],
        "trends": _trends(order_trend(customer_id=page.id, entity_ids=orders, now=now)),
        "invoices": fragment(request, "finance:of_customer", page.code),
        "cases": fragment(request, "exceptions:of_customer", page.code),
        "serving": worded(serving_terms(customer_id=page.id)),
        "may_serve": request.user.has_perm(permissions.CHANGE_CUSTOMER),
        "may_enter": request.user.has_perm(permissions.SUBMIT),
        "may_ask": bool(request.scope(permissions.ASK_TERMS)),
        "erasers": _erasers(request, page),
        "changes": pending_changes(thread=f"orders.customer:{page.id}", entity_ids=scope),
        **_quality(page, scope),
    }
    return render(request, "orders/customer.html", context)


@require_POST
@requires(ERASE_PERSONAL)
def erase_customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Ask a second person to agree that the customer's personal data is erased."""
    page = found_customer(request, code, ERASE_PERSONAL)
    wanted = request.POST.get("entity", "")
    entities = [pk for pk, named in _erasers(request, page) if named == wanted]
    if not entities:
        raise Http404
    if request.POST.get("code", "").strip() != page.code:
        messages.error(request, _("Type %(code)s to confirm.") % {"code": page.code})
        return redirect("orders:customer", code)
    ask_erasure(
        kind="orders.customer",
        code=page.code,
        entity_id=entities[0],
        reason=request.POST.get("reason", ""),
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Asked for. A second person decides in the approvals."))
    return redirect("orders:customer", code)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_CUSTOMER)
def new_customer(request: SignedInRequest) -> HttpResponse:
    """Take down a new customer with an account in one entity."""
    entities = request.scope(permissions.CHANGE_CUSTOMER)
    form = CustomerForm(request.POST or None, entity_ids=entities)
    alike: list[Lookalike] = []
    if request.method == "POST" and form.is_valid() and "another" not in request.POST:
        typed = form.cleaned_data
        alike = lookalikes(
            entity_ids=entities, name=typed["name"], tax_id=typed["tax_id"], email=typed["email"]
        )
    if request.method == "POST" and form.is_valid() and not alike:
        values = dict(form.cleaned_data)
        entity = values.pop("entity")
        terms = AccountRow(
            entity_id=entity.pk,
            customer_id=0,
            currency=entity.currency,
            terms_days=values.pop("terms_days"),
        )
        row = CustomerRow(**values)
        save_customer(row=row, terms=terms, actor=request.user, now=timezone.now())
        messages.success(request, _("%(name)s was added.") % {"name": row.name})
        return redirect("orders:customer", row.code)
    status = 422 if request.method == "POST" else 200
    return render(
        request, "orders/new_customer.html", {"form": form, "alike": alike}, status=status
    )


@require_POST
@requires(permissions.CHANGE_LIMIT)
def hold_customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Stop the customer's credit in one entity, or let it go on."""
    page = found_customer(request, code, permissions.CHANGE_LIMIT)
    allowed = request.scope(permissions.CHANGE_LIMIT)
    wanted = request.GET.get("account", "")
    found = [
        each.exposure
        for each in page.accounts
        if str(each.exposure.account_id) == wanted and each.entity_id in allowed
    ]
    if not found:
        raise Http404
    hold_account(
        account_id=found[0].account_id,
        on_hold=not found[0].on_hold,
        actor=request.user,
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
    )
    said = _("Credit goes on.") if found[0].on_hold else _("Credit is stopped.")
    messages.success(request, said)
    return redirect("orders:customer", code)


def _accounts(
    request: SignedInRequest, page: CustomerPage, scope: Collection[int]
) -> list[dict[str, Any]]:
    """Return each account with what credit would say of the next order."""
    may_stop = request.scope(permissions.CHANGE_LIMIT)
    found = foresee_credit(customer_id=page.id, entity_ids=scope, now=timezone.now())
    outlooks = {each.account_id: each for each in found}
    return [
        {
            "account": each,
            "outlook": outlooks.get(each.exposure.account_id),
            "bars": credit_bars(each.exposure),
            "may_stop": each.entity_id in may_stop,
            "dialog": f"stop-{each.exposure.account_id}",
            "account_text": str(each.exposure.account_id),
        }
        for each in page.accounts
    ]


def _quality(page: CustomerPage, scope: Collection[int]) -> dict[str, Any]:
    """Return how complete the customer is, and who may be the same."""
    score, missing = completeness({name: str(getattr(page, name)) for name in PLAIN})
    alike = lookalikes(entity_ids=scope, name=page.name, tax_id=page.tax_id, email=page.email)
    return {
        "completeness": score,
        "missing": [name.replace("_", " ") for name in missing],
        "alike": [each for each in alike if each.code != page.code],
    }


def _told(row: TimelineRow) -> dict[str, Any]:
    return {
        "at": row.at,
        "text": row.action.partition(".")[2].replace("_", " ").capitalize(),
        "detail": " · ".join(filter(None, [row.reason, row.actor_name or "system"])),
    }


def _trends(months: Sequence[MonthOrdered]) -> list[dict[str, Any]]:
    """Return one picture a currency: what was ordered by month, and how many orders."""
    by_currency: dict[str, list[MonthOrdered]] = {}
    for each in months:
        by_currency.setdefault(each.currency, []).append(each)
    return [
        {
            "currency": currency,
            "labels": [date_format(each.month, "M y") for each in row],
            "series": [{"name": currency, "values": [each.amount for each in row]}],
            "orders": sum(each.orders for each in row),
            "amount": sum(each.amount for each in row),
        }
        for currency, row in by_currency.items()
    ]


def _erasers(request: SignedInRequest, page: CustomerPage) -> list[tuple[int, str]]:
    """Return the entities for which this person may ask that the customer's data is erased."""
    if not request.user.has_perm(ERASE_PERSONAL):
        return []
    allowed = request.scope(ERASE_PERSONAL)
    return [(a.entity_id, a.exposure.entity) for a in page.accounts if a.entity_id in allowed]


def found_customer(request: SignedInRequest, code: str, permission: str) -> CustomerPage:
    page = customer_page(code=code, entity_ids=request.scope(permission))
    if page is None:
        raise Http404
    return page

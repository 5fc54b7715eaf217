"""Customers: the list, the page of one, and a new one."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import pending_changes, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import CustomerForm
from orders.models import Customer
from orders.selectors import (
    BoardFilters,
    CustomerPage,
    HoldFilters,
    Lookalike,
    certificates_within,
    customer_list,
    customer_page,
    hold_queue,
    lookalikes,
    order_board,
    prices_within,
)
from orders.services import AccountRow, CustomerRow, hold_account, save_customer
from orders.views._order import credit_bars

PAGE = 100


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
    page = _found(request, code, permissions.VIEW_CUSTOMER)
    scope = request.scope(permissions.VIEW_CUSTOMER)
    may_stop = request.scope(permissions.CHANGE_LIMIT)
    orders = request.scope(permissions.VIEW)
    filters = BoardFilters(customer=code)
    story = timeline(thread=f"orders.customer:{page.id}", entity_ids=scope, limit=30)
    context = {
        "customer": page,
        "accounts": [
            {
                "account": each,
                "bars": credit_bars(each.exposure),
                "may_stop": each.entity_id in may_stop,
                "dialog": f"stop-{each.exposure.account_id}",
                "account_text": str(each.exposure.account_id),
            }
            for each in page.accounts
        ],
        "held": hold_queue(
            entity_ids=orders, filters=HoldFilters(customer=code), now=timezone.now(), limit=20
        )[0],
        "certificates": list(
            certificates_within(scope).filter(customer_id=page.id).order_by("-valid_from")[:20]
        ),
        "agreements": list(
            prices_within(entity_ids=request.scope(permissions.VIEW_PRICE))
            .filter(customer_id=page.id)
            .order_by("product__code", "min_quantity")[:20]
        ),
        "orders": order_board(entity_ids=orders, filters=filters, limit=20).rows,
        "timeline": [
            {
                "at": row.at,
                "text": row.action.partition(".")[2].replace("_", " ").capitalize(),
                "detail": " · ".join(filter(None, [row.reason, row.actor_name or "system"])),
            }
            for row in story
        ],
        "may_enter": request.user.has_perm(permissions.SUBMIT),
        "changes": pending_changes(thread=f"orders.customer:{page.id}", entity_ids=scope),
    }
    return render(request, "orders/customer.html", context)


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
    page = _found(request, code, permissions.CHANGE_LIMIT)
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


def _found(request: SignedInRequest, code: str, permission: str) -> CustomerPage:
    page = customer_page(code=code, entity_ids=request.scope(permission))
    if page is None:
        raise Http404
    return page

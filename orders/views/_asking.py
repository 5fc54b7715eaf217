"""Asking for other terms of a customer: somebody else agrees in the inbox."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from erp.governance.selectors import pending_changes
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import TermsForm
from orders.selectors import AccountRow, CustomerPage, asked_terms
from orders.services import CreditTerms, request_customer_changes
from orders.services.crediting import request_credit_terms
from orders.views._customers import found_customer


@require_http_methods(["GET", "POST"])
@requires(permissions.ASK_TERMS)
def ask_terms(request: SignedInRequest, code: str) -> HttpResponse:
    """Show what stands of one account, and ask for what is typed otherwise."""
    page = found_customer(request, code, permissions.ASK_TERMS)
    account = _account(request, page)
    standing = asked_terms(account_id=account.exposure.account_id) or {}
    form = TermsForm(request.POST or None, initial=standing)
    if request.method == "POST" and form.is_valid():
        typed, now = form.cleaned_data, timezone.now()
        waiting = request_customer_changes(
            customer_id=page.id,
            entity_id=account.entity_id,
            wanted={name: typed[name] for name in TermsForm.PLAIN},
            reason=typed["reason"],
            actor=request.user,
            now=now,
        )
        agreed = request_credit_terms(
            account_id=account.exposure.account_id,
            terms=CreditTerms(**{name: typed[name] for name in TermsForm.AGREED}),
            reason=typed["reason"],
            actor=request.user,
            now=now,
        )
        _say(request, len(waiting) + (agreed is not None))
        return redirect("orders:customer", code)
    status = 422 if request.method == "POST" else 200
    scope = request.scope(permissions.ASK_TERMS)
    context = {
        "form": form,
        "customer": page,
        "account": account,
        "accounts": page.accounts,
        "changes": pending_changes(thread=f"orders.customer:{page.id}", entity_ids=scope),
    }
    return render(request, "orders/ask_terms.html", context, status=status)


def _say(request: SignedInRequest, waiting: int) -> None:
    if waiting:
        said = ngettext(
            "%(n)d change waits for somebody else to agree.",
            "%(n)d changes wait for somebody else to agree.",
            waiting,
        )
        messages.success(request, said % {"n": waiting})
    else:
        messages.info(request, _("Nothing is left to agree to."))


def _account(request: SignedInRequest, page: CustomerPage) -> AccountRow:
    """Return the account that the address names by its entity; else the first."""
    wanted = request.GET.get("entity", "")
    for each in page.accounts:
        if wanted in {"", each.exposure.entity}:
            return each
    raise Http404

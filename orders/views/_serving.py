"""How a customer, or one order, is to be served."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import ServingForm, typed
from orders.selectors import customer_page, order_page, serving_terms
from orders.services import DraftRefused
from orders.services.insisting import insist_customer, insist_order


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_CUSTOMER)
def serve_customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Change what a customer insists on in every order that says nothing else."""
    page = customer_page(code=code, entity_ids=request.scope(permissions.CHANGE_CUSTOMER))
    if page is None:
        raise Http404
    said = serving_terms(customer_id=page.id)
    form = ServingForm(request.POST or None, initial=typed(said))
    if request.method == "POST" and form.is_valid():
        try:
            insist_customer(
                customer_id=page.id, said=form.said(), actor=request.user, now=timezone.now()
            )
        except DraftRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, _("%(name)s is served so from now on.") % {"name": page.name})
            return redirect("orders:customer", code)
    return _form(request, form, page.name, ("orders:customer", code))


@require_http_methods(["GET", "POST"])
@requires(permissions.SUBMIT)
def serve_order(request: SignedInRequest, number: str) -> HttpResponse:
    """Change what one order insists on; what is kept for it is looked for anew."""
    page = order_page(number=number, entity_ids=request.scope(permissions.SUBMIT), line_limit=1)
    if page is None:
        raise Http404
    form = ServingForm(request.POST or None, initial=typed(serving_terms(order_id=page.id)))
    if request.method == "POST" and form.is_valid():
        try:
            insist_order(order_id=page.id, said=form.said(), actor=request.user, now=timezone.now())
        except DraftRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, _("%(number)s is served so.") % {"number": number})
            return redirect("orders:page", number)
    return _form(request, form, number, ("orders:page", number))


def _form(
    request: SignedInRequest, form: ServingForm, name: str, back: tuple[str, str]
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "name": name, "back": back[0], "key": back[1]}
    return render(request, "orders/serving.html", context, status=422 if form.errors else 200)

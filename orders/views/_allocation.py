"""What waits for stock, and having it allocated."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.models import Order
from orders.selectors import last_runs, waiting_lines
from orders.services import allocate_orders

SHOWN = 200
BATCH = 500


@require_GET
@requires(permissions.VIEW)
def allocation(request: SignedInRequest) -> HttpResponse:
    """Show the lines that wait, in the order in which they will be served, and the last runs."""
    scope = request.scope(permissions.VIEW)
    lines = waiting_lines(entity_ids=scope, limit=SHOWN)
    context = {
        "lines": lines,
        "is_more": len(lines) == SHOWN,
        "servable": sum(line.available > 0 for line in lines),
        "runs": last_runs(entity_ids=scope, limit=15),
        "may_allocate": request.user.has_perm(permissions.ALLOCATE),
    }
    return render(request, "orders/allocation.html", context)


@require_GET
@requires(permissions.VIEW)
def waiting_of_product(request: SignedInRequest, code: str) -> HttpResponse:
    """Show who waits for one product: a part of its page."""
    scope = request.scope(permissions.VIEW)
    lines = [] if "\0" in code else waiting_lines(entity_ids=scope, product=code, limit=50)
    return render(request, "orders/_waiting_of_product.html", {"lines": lines})


@require_POST
@requires(permissions.ALLOCATE)
def allocate_now(request: SignedInRequest) -> HttpResponse:
    """Have stock kept for everything that waits in the entities in view."""
    waiting = Order.objects.filter(
        entity_id__in=request.scope(permissions.ALLOCATE), state__in=Order.WAITING
    ).order_by("priority", "pk")
    ids = list(waiting.values_list("pk", flat=True)[:BATCH])
    found = allocate_orders(order_ids=ids, cause=_("Asked for by hand"), now=timezone.now())
    served = sum(bool(given) for given in found.given.values())
    said = _("%(served)d of %(lines)d lines were given stock.")
    messages.success(request, said % {"served": served, "lines": len(found.given)})
    return redirect("orders:allocation")

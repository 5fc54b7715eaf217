"""Who waits for what a purchase order brings, as a part of its page."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory.selectors import blast_radius
from procurement import permissions
from procurement.selectors import order_page

DELAYS = (0, 1, 3, 5, 10, 20)
USUAL = 5
SHOWN = 20


@require_GET
@requires(permissions.VIEW)
def impact(request: SignedInRequest, number: str) -> HttpResponse:
    """Show who depends on a purchase order, and who would be late if it were."""
    scope = request.scope(permissions.VIEW)
    page = None if "\0" in number else order_page(number=number, entity_ids=scope)
    if page is None:
        raise Http404
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(each) for each in DELAYS} else USUAL
    supplies = [("procurement.line", line.id) for line in page.lines]
    found = blast_radius(supplies=supplies, days=days, limit=SHOWN)
    context = {
        "number": page.number,
        "days": days,
        "delays": [(each, each == days) for each in DELAYS],
        "impact": found,
        "values": list(found.values.items()),
        "late_values": list(found.late_values.items()),
    }
    return render(request, "procurement/_impact.html", context)

"""Pages of serial numbers: which pieces there are, and the life of one."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions, selectors

PAGE = 100
ID_MAX = 2**63 - 1


def _text(request: SignedInRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:100]


def _cursor(request: SignedInRequest) -> int | None:
    text = request.GET.get("after", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):  # noqa: PLR2004
        return None
    return min(int(text), ID_MAX)


@requires(permissions.VIEW_STOCK)
def serials(request: SignedInRequest) -> HttpResponse:
    """Show the pieces that the person's entities have or had."""
    rows = selectors.serials(
        entity_ids=request.scope(permissions.VIEW_STOCK),
        number=_text(request, "q"),
        product=_text(request, "product"),
        node=_text(request, "node"),
        state=_text(request, "state"),
        after=_cursor(request),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE else "",
        "query": _text(request, "q"),
        "product": _text(request, "product"),
        "states": [
            ("", _("All")),
            ("available", _("Available")),
            ("picked", _("Picked")),
            ("in_transit", _("In transit")),
            ("quarantine", _("Quarantine")),
            ("damaged", _("Damaged")),
            ("inspection", _("In inspection")),
            ("shipped", _("Shipped")),
            ("gone", _("Written off")),
        ],
    }
    return render(request, "inventory/serials.html", context)


@requires(permissions.VIEW_STOCK)
def serial(request: SignedInRequest, number: str) -> HttpResponse:
    """Show where the piece of a number is, and all that happened to it."""
    traces = (
        []
        if "\0" in number
        else selectors.serial_traces(
            entity_ids=request.scope(permissions.VIEW_STOCK),
            number=number,
            product=_text(request, "product"),
        )
    )
    if not traces:
        raise Http404
    return render(request, "inventory/serial.html", {"number": number, "traces": traces})

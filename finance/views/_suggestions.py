"""Transfer suggestions: why, and asked for by a tap."""

from collections import defaultdict
from decimal import Decimal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance.selectors import commitments, transfer_suggestions
from inventory import permissions
from inventory.services.transferring import TransferDraft, request_transfers
from orders import permissions as orders_permissions


@require_GET
@requires(permissions.REQUEST_TRANSFER)
def suggestions(request: SignedInRequest) -> HttpResponse:
    """Show what had better lie elsewhere: shortages first, then imbalance."""
    shown = request.GET.get("why", "")
    found = transfer_suggestions(
        entity_ids=request.scope(permissions.REQUEST_TRANSFER), now=timezone.now()
    )
    short = sum(row.is_shortage for row in found)
    context = {
        "rows": [row for row in found if not shown or row.is_shortage == (shown == "shortage")],
        "reasons": [
            ("", _("All"), len(found)),
            ("shortage", _("Shortages"), short),
            ("imbalance", _("Imbalance"), len(found) - short),
        ],
    }
    return render(request, "finance/transfer_suggestions.html", context)


@require_POST
@requires(permissions.REQUEST_TRANSFER)
def ask_for_suggested(request: SignedInRequest) -> HttpResponse:
    """Ask for what was ticked: one transfer for each pair of nodes, as it is suggested now."""
    wanted = set(request.POST.getlist("id"))
    found = transfer_suggestions(
        entity_ids=request.scope(permissions.REQUEST_TRANSFER), now=timezone.now()
    )
    lines: dict[tuple[int, int, int], list[tuple[int, Decimal]]] = defaultdict(list)
    short: set[tuple[int, int, int]] = set()
    for row in found:
        if row.key in wanted:
            pair = (row.entity_id, row.origin_id, row.destination_id)
            lines[pair].append((row.product_id, row.quantity))
            if row.is_shortage:
                short.add(pair)
    drafts = [
        TransferDraft(
            entity_id=pair[0],
            origin_id=pair[1],
            destination_id=pair[2],
            lines=goods,
            reason=_("Orders wait for it there") if pair in short else _("It runs out there first"),
        )
        for pair, goods in sorted(lines.items())
    ]
    made = request_transfers(drafts=drafts, actor=request.user, now=timezone.now())
    said = ngettext("%(n)d transfer was asked for.", "%(n)d transfers were asked for.", len(made))
    messages.success(request, said % {"n": len(made)})
    if len(made) == 1:
        return redirect("finance:transfer", made[0].number)
    return redirect("finance:transfers")


@require_GET
@requires(orders_permissions.VIEW)
def bound_by_customers(request: SignedInRequest) -> HttpResponse:
    """Show, as a part of another page, what stock customers' commitments bind."""
    rows = commitments(entity_ids=request.scope(orders_permissions.VIEW))
    return render(request, "finance/_commitments.html", {"rows": rows})

"""What is promised to customers, and what stands behind it."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.selectors import (
    Commitment,
    CommitmentFilters,
    commitment_totals,
    commitments,
    committed_lines,
)

PAGE, DRAWN = 100, 12
BYS = {
    "customer": gettext_lazy("Customers"),
    "order": gettext_lazy("Orders"),
    "blanket": gettext_lazy("Blanket orders"),
    "product": gettext_lazy("Products"),
    "node": gettext_lazy("Nodes"),
}
COVERS = (
    ("on_hand", gettext_lazy("On hand"), "ok"),
    ("inbound", gettext_lazy("On its way"), "accent"),
    ("transfer", gettext_lazy("Transfer"), "s3"),
    ("nothing", gettext_lazy("Nothing yet"), "s1"),
)
NAMES = ("customer", "order", "blanket", "product", "node")


@require_GET
@requires(permissions.VIEW)
def commitment_board(request: SignedInRequest) -> HttpResponse:
    """Show what is promised by customer, order, blanket order, product or node, and its cover."""
    scope, asked, today = request.scope(permissions.VIEW), request.GET, timezone.localdate()
    by = asked.get("by", "") if asked.get("by", "") in BYS else "customer"
    filters = CommitmentFilters(
        **{name: asked.get(name, "")[:60] for name in NAMES}, risky=asked.get("risky") == "1"
    )
    who: dict[str, Any] = {"entity_ids": scope, "today": today}
    rows, following = commitments(
        by=by, filters=filters, after=asked.get("after", ""), limit=PAGE, **who
    )
    is_narrow = any(getattr(filters, name) for name in NAMES)
    context = {
        "by": by,
        "bys": [("" if key == "customer" else key, label) for key, label in BYS.items()],
        "risks": [("", _("All")), ("1", _("At risk"))],
        "rows": rows,
        "next_cursor": following,
        "totals": commitment_totals(by=by, filters=filters, **who),
        "narrowed": [(name, getattr(filters, name)) for name in NAMES if getattr(filters, name)],
        "lines": committed_lines(filters=filters, limit=PAGE, **who) if is_narrow else [],
        "limit": PAGE,
        **_drawn(rows),
    }
    return render(request, "orders/commitments.html", context)


def _drawn(rows: Sequence[Commitment]) -> dict[str, Any]:
    """Return the columns of the chart: the dearest of the first row's currency."""
    shown = [row for row in rows if row.currency == rows[0].currency][:DRAWN]
    return {
        "labels": [row.key or _("none yet") for row in shown],
        "series": [
            {"name": str(name), "tone": tone, "values": [getattr(row, cover) for row in shown]}
            for cover, name, tone in COVERS
        ],
        "drawn_currency": shown[0].currency if shown else "",
    }

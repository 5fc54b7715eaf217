"""How well exceptions are handled: the page that says what to mend for good."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.selectors import Analytics, Cause

SPANS = (30, 90, 365)
CAUSES_SHOWN = 12
LABELS = {
    "type": "Type",
    "severity": "Severity",
    "queue": "Queue",
    "owner": "Owner",
    "party": "Customer or supplier",
    "tier": "Tier",
    "entity": "Entity",
    "week": "Week",
}


@require_GET
@requires(permissions.VIEW)
def analytics_page(request: SignedInRequest) -> HttpResponse:
    """Show times, breaches, loads and root causes of what opened in the last weeks."""
    now, asked = timezone.now(), request.GET
    days = next((d for d in SPANS if str(d) == asked.get("days")), SPANS[1])
    by = asked.get("by", "")
    found = selectors.analytics(
        entity_ids=request.scope(permissions.VIEW),
        since=now - timedelta(days=days),
        until=now,
        now=now,
        by=by if by in selectors.DIMENSIONS else "type",
    )
    context = {
        "found": found,
        "days": days,
        "spans": [("" if d == SPANS[1] else str(d), f"{d} days") for d in SPANS],
        "dimensions": [("" if key == "type" else key, label) for key, label in LABELS.items()],
        "by_label": LABELS[found.by],
        "weeks": [week.label for week in found.weeks],
        "flow": flow(found),
        "rates": rates(found),
        "pareto": pareto(found),
    }
    return render(request, "exceptions/analytics.html", context)


def flow(found: Analytics) -> Sequence[dict[str, Any]]:
    """Return what became of each week's cases, for a stacked chart."""
    return [
        {"name": "Cleared alone", "values": [week.alone for week in found.weeks], "tone": "ok"},
        {
            "name": "Closed by people",
            "values": [week.opened - week.alone - week.live for week in found.weeks],
            "tone": "accent",
        },
        {"name": "Still open", "values": [week.live for week in found.weeks], "tone": "s1"},
    ]


def rates(found: Analytics) -> Sequence[dict[str, Any]]:
    """Return breaches and returns by week, in per cent."""
    return [
        {"name": "Late", "values": [per_cent(w.breach_rate) for w in found.weeks], "tone": "s1"},
        {"name": "Came back", "values": [per_cent(w.reopen_rate) for w in found.weeks],
         "tone": "s3"},
    ]  # fmt: skip


def pareto(found: Analytics) -> Sequence[dict[str, Any]]:
    """Return the worst root causes as bars: share of the loss, and of all with those above."""
    most = max((cause.rank for cause in found.causes), default=Decimal(0))
    return [
        {
            "label": cause.label,
            "value": cause.rank,
            "share": cause.rank / most if most else 0,
            "text": f"{said(cause)} · {per_cent(cause.upto)} % with those above",
        }
        for cause in found.causes[:CAUSES_SHOWN]
    ]


def said(cause: Cause) -> str:
    """Return how many cases a cause brought about: "23 cases", "400 cases of 2 causes"."""
    cases = f"{cause.cases:,} case{'' if cause.cases == 1 else 's'}"
    if cause.cases == cause.causes:
        return cases
    return f"{cases} of {cause.causes:,} cause{'' if cause.causes == 1 else 's'}"


def per_cent(share: Decimal) -> Decimal:
    return (share * 100).quantize(Decimal(1))

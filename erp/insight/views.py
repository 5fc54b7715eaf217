"""The control tower, and the rows behind each of its figures."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import pluralize
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from erp.insight import permissions, selectors
from erp.insight.selectors import AGE_ORDER, Bucket, Figure, Period, Tower, Unit
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest

SPANS = (30, 50)
SPAN_MAX = 400
TONES = {"S1": "s1", "S2": "s2", "S3": "s3", "S4": "muted"}


@require_GET
@requires(permissions.VIEW)
def tower_page(request: SignedInRequest) -> HttpResponse:
    """Show the state of the business now, each figure a way to its rows."""
    now = timezone.now()
    days = next((d for d in SPANS if str(d) == request.GET.get("days")), SPANS[0])
    found = selectors.tower(entity_ids=request.scope(permissions.VIEW), days=days, now=now)
    period = found.period
    context = {
        "tower": found,
        "now": now,
        "spans": [("" if d == SPANS[0] else str(d), f"{d} days") for d in SPANS],
        "days": days,
        "labels": [f"{day.day:%-d %b}" for day in found.otif_days],
        "service": [
            {"name": "Line fill", "values": shares(found.fill_days), "tone": "ok"},
            {"name": "OTIF", "values": shares(found.otif_days), "tone": "accent"},
        ],
        "tiles": tiles(found),
        "links": {code: link(code, found.period) for code in selectors.KPIS},
        "stages": bars("orders_by_stage", period, found.stages, "order"),
        "ages": bars("backlog_past_promise", period, found.ages, "line"),
        "severities": bars("open_exceptions", period, found.severities, "case"),
    }
    return render(request, "insight/tower.html", context)


@require_GET
@requires(permissions.VIEW)
def rows_page(request: SignedInRequest, code: str) -> HttpResponse:
    """Show exactly the rows that a figure counts."""
    kpi = selectors.kpi(code)
    if kpi is None:
        raise Http404
    scope, asked = request.scope(permissions.VIEW), request.GET
    period = period_of(asked, timezone.now())
    bucket = asked.get("bucket", "")[:60]
    hit = {"1": True, "0": False}.get(asked.get("hit", ""))
    page = selectors.kpi_rows(
        code, entity_ids=scope, period=period, bucket=bucket, hit=hit, after=asked.get("after", "")
    )
    parts = selectors.breakdown(code, entity_ids=scope, period=period)
    context = {
        "kpi": kpi,
        "figure": selectors.figure(code, entity_ids=scope, period=period),
        "period": period,
        "page": page,
        "rows": [(row, address_of(row.page, row.ref)) for row in page.rows],
        "buckets": [("", "All", sum(part.rows for part in parts.values()))]
        + [(name, name.capitalize(), part.rows) for name, part in sorted(parts.items()) if name],
        "hits": [("", "All"), ("0", "Missed"), ("1", "Met")] if kpi.unit is Unit.SHARE else [],
    }
    return render(request, "insight/rows.html", context)


def tiles(found: Tower) -> list[dict[str, Any]]:
    """Return the figures on top: each with its rows' address, its trend and what it means."""
    period, late = found.period, [part for part in found.ages if part.name != AGE_ORDER[0]]
    otif, fill, cycle = found.otif, found.fill, found.cycle
    return [
        tile(otif, link("otif", period), f"target {target(otif)}", found.earlier["otif"]),
        tile(
            fill, link("line_fill_rate", period), "first time, no substitute",
            found.earlier["line_fill_rate"],
        ),
        tile(
            cycle, link("order_cycle_time", period),
            "median" if cycle.high is None else f"median; P90 {cycle.high:.0f} h",
            found.earlier["order_cycle_time"],
        ),
        tile(found.exceptions, link("open_exceptions", period), "expected loss",
             of=(found.exceptions.rows, "case")),
        tile(found.backlog, link("backlog_past_promise", period, hit="1"), "past promise",
             of=(sum(part.rows for part in late), "line")),
        tile(found.held, link("held_cash", period), "on hold", of=(found.held.rows, "order")),
        tile(found.shipped_today, link("shipped", found.today), "shipments")
        | {"label": "Shipped today"},
        tile(found.approvals, link("approvals_waiting", period), "for a second pair of eyes"),
    ]  # fmt: skip


def tile(
    figure: Figure,
    href: str,
    note: str,
    earlier: Figure | None = None,
    of: tuple[int, str] = (0, ""),
) -> dict[str, Any]:
    """Return one figure for the top of the page; money is written by currency in the template."""
    step = change(figure, earlier) if earlier is not None else None
    better = step is not None and (step < 0 if figure.kpi.unit is Unit.HOURS else step > 0)
    unit = " h" if figure.kpi.unit is Unit.HOURS else ""
    return {
        "label": figure.kpi.label,
        "figure": figure,
        "unit": figure.kpi.unit.value,
        "href": href,
        "note": f"{of[0]:,} {of[1]}{pluralize(of[0])} · {note}" if of[1] else note,
        "count": of[0],
        "noun": of[1],
        "trend": f"{'▲' if step > 0 else '▼'} {abs(step)}{unit}" if step else "",
        "tone": "up" if better else "down",
    }


def target(figure: Figure) -> str:
    return f"{Decimal(figure.kpi.target) * 100:.0f} %"


def period_of(asked: Mapping[str, str], now: datetime) -> Period:
    """Read the days asked about; what cannot be read is the last thirty days."""
    default = Period.last(SPANS[0], now=now)
    since = day_of(asked.get("from", "")) or default.since
    until = day_of(asked.get("to", "")) or default.until
    if since > until or (until - since).days > SPAN_MAX:
        return default
    return Period(since, until, now)


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def link(code: str, period: Period, **more: str) -> str:
    """Return the address of the rows behind a figure."""
    query = {"from": period.since.isoformat(), "to": period.until.isoformat(), **more}
    return f"{reverse('insight:rows', args=[code])}?{urlencode(query)}"


def bars(code: str, period: Period, buckets: Sequence[Bucket], noun: str) -> list[dict[str, Any]]:
    """Return the parts of a figure as bars: as long as they have rows, each a way to them."""
    longest = max([part.rows for part in buckets] + [1])
    return [
        {
            "label": part.name if part.name in TONES else part.name.capitalize(),
            "rows": part.rows,
            "noun": noun,
            "width": max(1 if part.rows else 0, round(100 * part.rows / longest)),
            "amounts": list(part.amounts.items()),
            "href": link(code, period, bucket=part.name),
            "tone": TONES.get(part.name, ""),
        }
        for part in buckets
    ]


def shares(days: list[selectors.Day]) -> list[Decimal | None]:
    """Return the daily shares as per cent, one decimal; None where nothing was due."""
    return [None if day.value is None else round(day.value * 100, 1) for day in days]


def change(now: Figure, before: Figure) -> Decimal | None:
    """Return how much a figure rose against the period before: points, or hours."""
    if now.value is None or before.value is None:
        return None
    step = now.value - before.value
    return round(step * 100 if now.kpi.unit is Unit.SHARE else step, 1)


def address_of(page: str, ref: str) -> str:
    """Return where a row opens; empty where there is no such page."""
    try:
        return reverse(page, args=[ref] if ref else [])
    except NoReverseMatch:
        return ""

"""What lies where, for whom it is kept, and why somebody got what they got."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions, selectors
from inventory.forms import FinderForm
from inventory.models import StockStatus
from inventory.services.promising import Wish, offer_supply, promise_terms
from inventory.services.tracking import block_lot, release_lot

PAGE = 100
EXPIRY_DAYS = 30
ID_MAX = 2**63 - 1


def text_of(request: SignedInRequest, name: str) -> str:
    """Return a query parameter as it may be compared with a column."""
    return request.GET.get(name, "").replace("\0", "").strip()[:100]


def cursor_of(request: SignedInRequest) -> int | None:
    """Return the id after which the page begins; what is no id begins at the top."""
    text = request.GET.get("after", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):  # noqa: PLR2004
        return None
    return min(int(text), ID_MAX)


@requires(permissions.VIEW_STOCK)
def stock(request: SignedInRequest) -> HttpResponse:
    """Show balances by product, a hundred at a time."""
    scope = request.scope(permissions.VIEW_STOCK)
    last, _colon, code = text_of(request, "after").partition(":")
    after = (code, int(last)) if code and last.isascii() and last.isdecimal() else None
    rows = selectors.stock_rows(
        entity_ids=scope,
        text=text_of(request, "q"),
        node=text_of(request, "node"),
        status=text_of(request, "status"),
        shown=text_of(request, "shown"),
        after=after,
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    nodes = selectors.nodes_with_stock(entity_ids=scope)
    context = {
        "rows": shown,
        "next_cursor": f"{shown[-1].id}:{shown[-1].product}" if len(rows) > PAGE else "",
        "query": text_of(request, "q"),
        "nodes": [("", _("All nodes")), *((node, node) for node, _name in nodes)],
        "statuses": [("", _("All statuses")), *StockStatus.choices],
        "shows": [
            ("", _("All")),
            ("free", _("Some free")),
            ("reserved", _("Some reserved")),
            ("empty", _("Nothing free")),
        ],
    }
    return render(request, "inventory/stock.html", context)


@requires(permissions.VIEW_PRODUCT)
def products(request: SignedInRequest) -> HttpResponse:
    """Show products by code with what the person's entities have of them."""
    rows = selectors.products(
        entity_ids=request.scope(permissions.VIEW_STOCK),
        text=text_of(request, "q"),
        shown=text_of(request, "shown"),
        after=text_of(request, "after"),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].code if len(rows) > PAGE else "",
        "query": text_of(request, "q"),
        "shows": [
            ("", _("All")),
            ("sold", _("Sold")),
            ("blocked", _("Blocked")),
            ("discontinued", _("Discontinued")),
        ],
    }
    return render(request, "inventory/products.html", context)


@requires(permissions.VIEW_PRODUCT)
def product(request: SignedInRequest, code: str) -> HttpResponse:
    """Show one product: its stock per node, whom it is kept for, what was decided about it."""
    scope = request.scope(permissions.VIEW_STOCK)
    page = _product(code, scope)
    decided = request.scope(permissions.VIEW_ALLOCATION)
    context = {
        "product": page,
        "reservations": selectors.reservations_of(product_id=page.id, entity_ids=scope, limit=50),
        "moves": selectors.moves_of(product_id=page.id, entity_ids=scope, limit=15),
        "bins": selectors.bins_of_product(product_id=page.id, entity_ids=scope),
        "decisions": selectors.decisions_of_product(
            product_id=page.id, entity_ids=decided, limit=10
        ),
    }
    return render(request, "inventory/product.html", context)


@requires(permissions.VIEW_STOCK)
def moves(request: SignedInRequest, code: str) -> HttpResponse:
    """Show every change of a product's balances, newest first."""
    scope = request.scope(permissions.VIEW_STOCK)
    page = _product(code, scope)
    rows = selectors.moves_of(
        product_id=page.id,
        entity_ids=scope,
        node=text_of(request, "node"),
        after=cursor_of(request),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "product": page,
        "moves": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE else "",
        "nodes": [("", _("All nodes")), *((node, node) for node in _nodes(page))],
    }
    return render(request, "inventory/moves.html", context)


@requires(permissions.VIEW_STOCK)
def lots(request: SignedInRequest) -> HttpResponse:
    """Show the lots of which the person's entities have or had some."""
    rows = selectors.lots(
        entity_ids=request.scope(permissions.VIEW_STOCK),
        code=text_of(request, "q"),
        shown=text_of(request, "shown"),
        until=timezone.localdate() + timedelta(days=EXPIRY_DAYS),
        after=cursor_of(request),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE else "",
        "query": text_of(request, "q"),
        "shows": [
            ("", _("All")),
            ("there", _("Some on hand")),
            ("expiring", _("Expire within 30 days")),
            ("blocked", _("Blocked")),
            ("expired", _("Expired")),
        ],
    }
    return render(request, "inventory/lots.html", context)


@requires(permissions.VIEW_STOCK)
def lot(request: SignedInRequest, code: str) -> HttpResponse:
    """Show where a lot came from, where it lies and to whom it went."""
    traces = _traces(request, code, permissions.VIEW_STOCK)
    may_block = len(traces) == 1 and bool(request.scope(permissions.BLOCK_LOT))
    context = {"code": code, "traces": traces, "may_block": may_block}
    return render(request, "inventory/lot.html", context)


@require_POST
@requires(permissions.BLOCK_LOT)
def change_lot(request: SignedInRequest, code: str, verb: str) -> HttpResponse:
    """Stop a lot, or let it go again: `?product=` says whose."""
    change = {"block": block_lot, "release": release_lot}.get(verb)
    traces = _traces(request, code, permissions.BLOCK_LOT)
    if change is None or len(traces) != 1:
        raise Http404
    reason = request.POST.get("reason", "").replace("\0", "")
    change(lot_id=traces[0].lot.id, reason=reason, actor=request.user, now=timezone.now())
    said = _("Lot %(lot)s is blocked.") if verb == "block" else _("Lot %(lot)s may go again.")
    messages.success(request, said % {"lot": code})
    return redirect("inventory:lot", code)


def _traces(request: SignedInRequest, code: str, permission: str) -> list[selectors.LotTrace]:
    product = text_of(request, "product")
    found = (
        []
        if "\0" in code
        else selectors.lot_traces(entity_ids=request.scope(permission), code=code, product=product)
    )
    if not found:
        raise Http404
    return found


@requires(permissions.VIEW_ALLOCATION)
def allocation(request: SignedInRequest) -> HttpResponse:
    """Show what the allocation layer did, run by run."""
    rows = selectors.runs(
        entity_ids=request.scope(permissions.VIEW_ALLOCATION),
        only_short=request.GET.get("shown") == "short",
        after=cursor_of(request),
        limit=PAGE + 1,
    )
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].id if len(rows) > PAGE else "",
        "shows": [("", _("All runs")), ("short", _("With shortages"))],
    }
    return render(request, "inventory/allocation.html", context)


@requires(permissions.VIEW_ALLOCATION)
def run(request: SignedInRequest, run_id: int) -> HttpResponse:
    """Show the receipt of every line that a run decided about."""
    page = selectors.run_page(
        run_id=min(run_id, ID_MAX - 1),
        entity_ids=request.scope(permissions.VIEW_ALLOCATION),
        only_short=request.GET.get("shown") == "short",
        after=cursor_of(request),
        limit=PAGE + 1,
    )
    if page is None:
        raise Http404
    shown = page.decisions[:PAGE]
    context: dict[str, Any] = {
        "run": page.head,
        "decisions": shown,
        "next_cursor": shown[-1].id if len(page.decisions) > PAGE else "",
        "shows": [
            ("", _("All lines"), page.head.lines),
            ("short", _("Not in full"), page.head.short),
        ],
    }
    return render(request, "inventory/run.html", context)


@requires(permissions.VIEW_STOCK)
def health(request: SignedInRequest) -> HttpResponse:
    """Show one company's stock by age and class, and what of it is too much or too slow."""
    entities = list(Entity.objects.within(request.scope(permissions.VIEW_STOCK)).order_by("code"))
    if not entities:
        return render(request, "inventory/health.html", {"health": None})
    chosen = next((e for e in entities if e.code == text_of(request, "company")), entities[0])
    found = selectors.inventory_health(entity_id=chosen.pk, now=timezone.now())
    shown, of_class = text_of(request, "shown"), text_of(request, "class")
    rows = [
        row
        for row in found.rows
        if (not of_class or row.abc + row.xyz == of_class)
        and (shown != "excess" or row.excess)
        and (shown != "slow" or row.is_slow)
    ]
    whole = found.value or 1
    context = {
        "health": found,
        "entity": chosen,
        "entities": [(e.code, e.code) for e in entities],
        "ages": [
            {"label": b.label, "value": b.value, "share": b.value / whole} for b in found.ages
        ],
        "matrix": [
            (
                letter,
                [
                    {
                        "code": letter + other,
                        "value": found.matrix.get(letter + other, 0),
                        "count": found.counts.get(letter + other, 0),
                    }
                    for other in "XYZ"
                ],
            )
            for letter in "ABC"
        ],
        "excess_note": _("%(share)d %% of all") % {"share": found.excess_value / whole * 100},
        "slow_note": _("%(n)d products") % {"n": found.slow_count},
        "shows": [("", _("All")), ("excess", _("Excess")), ("slow", _("Slow movers"))],
        "rows": rows[:PAGE],
        "more": max(len(rows) - PAGE, 0),
    }
    return render(request, "inventory/health.html", context)


@requires(permissions.VIEW_STOCK)
def projection(request: SignedInRequest, code: str) -> HttpResponse:
    """Show day by day what will be there of a product and what of it is free to promise."""
    scope = request.scope(permissions.VIEW_STOCK)
    page, now = _product(code, scope), timezone.now()
    rows = [
        (entity, row)
        for entity_id, entity in _owners(scope)
        for row in selectors.projections(
            product_id=page.id,
            entity_ids=[entity_id],
            now=now,
            terms=promise_terms(entity_id=entity_id, now=now).terms,
        )
    ]
    keys = [f"{entity}/{row.node}" for entity, row in rows]
    asked = request.GET.get("at", "")
    place = keys.index(asked) if asked in keys else 0
    shown = rows[place][1] if rows else None
    context = {
        "product": page,
        "places": [
            (key, f"{entity} · {row.node or _('all nodes')}")
            for key, (entity, row) in zip(keys, rows, strict=True)
        ],
        "at": keys[place] if keys else "",
        "shown": shown,
        "labels": [f"{day.date:%d %b}" for day in shown.days] if shown else [],
        "series": _drawn(shown) if shown else [],
        "over": {
            "name": _("Projected"),
            "tone": "ok",
            "values": [day.projected for day in shown.days] if shown else [],
        },
        "overdue": sum((day.overdue for day in shown.days), Decimal(0)) if shown else 0,
    }
    return render(request, "inventory/projection.html", context)


def _drawn(row: selectors.ProjectionRow) -> list[dict[str, Any]]:
    """Return the columns of the chart: what comes, what of it is overdue, what goes."""
    return [
        {
            "name": _("Comes in"),
            "tone": "accent",
            "values": [day.inbound - day.overdue for day in row.days],
        },
        {"name": _("Overdue"), "tone": "s1", "values": [day.overdue for day in row.days]},
        {"name": _("Demand"), "tone": "s3", "values": [-day.demand for day in row.days]},
    ]


@requires(permissions.VIEW_STOCK)
def finder(request: SignedInRequest) -> HttpResponse:
    """Show every way to serve so much of a product: where from, when there, at what cost."""
    scope = request.scope(permissions.VIEW_STOCK)
    form = FinderForm(request.GET or None, owners=_owners(scope))
    context: dict[str, Any] = {"form": form, "found": None}
    if form.is_bound and form.is_valid():
        asked = form.cleaned_data
        wish = Wish(int(asked["entity"]), asked["product_id"], asked["quantity"], asked["node_id"])
        (found,) = offer_supply(wishes=[wish], now=timezone.now())
        by = asked["date"]
        context |= {
            "found": found,
            "asked": asked,
            "choices": [(each, by is not None and each.arrives_on > by) for each in found.choices],
        }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "inventory/finder.html", context, status=status)


def _owners(scope: frozenset[int]) -> list[tuple[int, str]]:
    return list(Entity.objects.filter(pk__in=scope).order_by("code").values_list("pk", "code"))


def _product(code: str, scope: frozenset[int]) -> selectors.ProductPage:
    page = None if "\0" in code else selectors.product_page(code=code, entity_ids=scope)
    if page is None:
        raise Http404
    return page


def _nodes(page: selectors.ProductPage) -> list[str]:
    return sorted({row.node for row in page.stock})

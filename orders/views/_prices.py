"""Prices and contracts: the grid, a new price, a change of many with its preview, CSV."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from erp.governance.selectors import changes_within, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import MassForm, PriceForm
from orders.models import Price
from orders.selectors import (
    PriceFilters,
    PriceLine,
    one_price,
    price_count,
    price_grid,
)
from orders.services import BadPrice, PriceOutcome, PriceRow, change_prices

PAGE = 100
PREVIEW = 50
MASS_MAX = 5_000
STEP = Decimal("0.0001")
WHENS = ("now", "future", "ended", "all")


@require_GET
@requires(permissions.VIEW_PRICE)
def prices(request: SignedInRequest) -> HttpResponse:
    """Show the prices that the filters leave, what waits for agreement, and what is to come."""
    scope, filters, today = request.scope(permissions.VIEW_PRICE), _filters(request), _today()
    rows, after = price_grid(
        entity_ids=scope,
        filters=filters,
        on=today,
        after=request.GET.get("after", ""),
        limit=PAGE,
    )
    waiting = changes_within(entity_ids=scope).filter(document_kind="orders.price", state="pending")
    context = {
        "rows": [(row, row.when(today)) for row in rows],
        "next_cursor": after,
        "count": price_count(entity_ids=scope, filters=filters, on=today),
        "filters": filters,
        "kinds": [("", _("All")), *Price.Kind.choices],
        "whens": list(
            zip(("", *WHENS[1:]), (_("Now"), _("To come"), _("Ended"), _("All times")), strict=True)
        ),
        "waiting": list(waiting.order_by("-pk")[:20]),
        "may_change": request.user.has_perm(permissions.CHANGE_PRICE),
        "mass": MassForm(initial={"starts": today}),
        "query": request.GET.urlencode(),
    }
    return render(request, "orders/prices.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_PRICE)
def new_price(request: SignedInRequest) -> HttpResponse:
    """Write a price down: it ends the one before it from its first day on."""
    scope = request.scope(permissions.CHANGE_PRICE)
    asked = request.GET.get("of", "")
    known = one_price(price_id=int(asked), entity_ids=scope) if asked.isdecimal() else None
    if asked and known is None:
        raise Http404
    form = PriceForm(request.POST or None, entity_ids=scope, initial=_initial(known))
    if request.method == "POST" and form.is_valid():
        try:
            found = change_prices(
                rows=[form.row()],
                actor=request.user,
                now=timezone.now(),
                reason=form.cleaned_data["reason"],
            )
        except BadPrice as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            _tell(request, found)
            return redirect("orders:prices")
    story = []
    if known is not None:
        about = f"orders.customer:{known.customer_id}" if known.customer_id else ""
        thread = about or f"inventory.product:{known.product_id}"
        story = [
            {
                "at": row.at,
                "text": row.action.partition(".")[2].replace("_", " ").capitalize(),
                "detail": _moved(row.before, row.after, row.actor_name, row.reason),
            }
            for row in timeline(thread=thread, entity_ids=scope, limit=30)
            if row.subject_kind == "orders.price"
        ]
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "known": known, "timeline": story}
    return render(request, "orders/new_price.html", context, status=status)


@dataclass(frozen=True, slots=True)
class Move:
    """One price of a mass change as it is and as it would be."""

    line: PriceLine
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.line.unit_price


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_PRICE)
def change_many(request: SignedInRequest) -> HttpResponse:
    """Show what a change of all filtered prices would do, and do it when told to."""
    scope, filters, today = request.scope(permissions.CHANGE_PRICE), _filters(request), _today()
    form = MassForm(request.POST or request.GET)
    if not form.is_valid():
        messages.error(request, _("Write a percentage and a first day."))
        return redirect(_back(request))
    values = form.cleaned_data
    found, more = price_grid(entity_ids=scope, filters=filters, on=today, limit=MASS_MAX)
    moves = _moves(found, values["percent"], values["starts"])
    if request.method == "POST" and not more:
        outcome = change_prices(
            rows=[_row(move, values["starts"]) for move in moves],
            actor=request.user,
            now=timezone.now(),
            reason=values["reason"] or f"{values['percent']:+f} %",
        )
        _tell(request, outcome)
        return redirect(_back(request))
    context = {
        "form": form,
        "moves": moves[:PREVIEW],
        "count": len(moves),
        "too_many": bool(more),
        "skipped": len(found) - len(moves),
        "values": values,
        "query": request.GET.urlencode(),
        "back": _back(request),
    }
    return render(request, "orders/change_prices.html", context)


@require_GET
@requires(permissions.VIEW_PRICE)
def export_prices(request: SignedInRequest) -> HttpResponse:
    """Answer the filtered prices as CSV, in the columns that the import of prices reads."""
    scope, filters = request.scope(permissions.VIEW_PRICE), _filters(request)
    found, _more = price_grid(entity_ids=scope, filters=filters, on=_today(), limit=50_000)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="prices.csv"'
    writer = csv.writer(response)
    writer.writerow(
        ["product", "customer", "group", "price_list", "uom", "min_quantity", "unit_price",
         "currency", "valid_from", "valid_until", "entity"]
    )  # fmt: skip
    for row in found:
        owners = [row.owner if row.kind == kind else "" for kind in ("contract", "group", "list")]
        writer.writerow([
            row.product, *owners, row.uom, row.min_quantity, row.unit_price, row.currency,
            row.valid_from, row.valid_until or "", row.entity,
        ])  # fmt: skip
    return response


def _filters(request: SignedInRequest) -> PriceFilters:
    asked = request.GET
    when = asked.get("when", "")
    return PriceFilters(
        kind=asked.get("kind", ""),
        product=asked.get("product", ""),
        category=asked.get("category", ""),
        owner=asked.get("owner", ""),
        when=when if when in WHENS else "now",
    )


def _back(request: SignedInRequest) -> str:
    """Return the address of the grid with the filters that were asked for."""
    return f"{reverse('orders:prices')}?{request.GET.urlencode()}"


def _today() -> date:
    return timezone.localdate()


def _moves(found: Sequence[PriceLine], percent: Decimal, starts: date) -> list[Move]:
    """Return the prices that would change: half up to the cent where they are whole cents."""
    moves = []
    for line in found:
        if line.valid_until is not None and line.valid_until <= starts:
            continue
        step = Decimal("0.01") if line.unit_price == round(line.unit_price, 2) else STEP
        after = (line.unit_price * (100 + percent) / 100).quantize(step, ROUND_HALF_UP)
        if after != line.unit_price and after >= 0:
            moves.append(Move(line, after))
    return moves


def _row(move: Move, starts: date) -> PriceRow:
    line = move.line
    first = max(starts, line.valid_from)
    return PriceRow(
        entity_id=line.entity_id,
        product_id=line.product_id,
        currency=line.currency,
        unit_price=move.after,
        valid_from=first,
        valid_until=line.valid_until,
        customer_id=line.customer_id,
        group_id=line.group_id,
        price_list_id=line.price_list_id,
        uom=line.uom,
        min_quantity=line.min_quantity,
        seen=line.seen,
    )


def _initial(known: PriceLine | None) -> dict[str, Any]:
    if known is None:
        return {"valid_from": _today()}
    owner = {"contract": "customer", "group": "group", "list": "price_list"}[known.kind]
    return {
        "entity": known.entity,
        "product": known.product,
        owner: known.owner,
        "uom": known.uom,
        "min_quantity": known.min_quantity.normalize(),
        "unit_price": known.unit_price,
        "currency": known.currency,
        "valid_from": max(_today(), known.valid_from),
        "seen": known.seen,
    }


def _tell(request: SignedInRequest, found: PriceOutcome) -> None:
    if found.changed:
        n = len(found.changed)
        said = ngettext("One price was written.", "%(n)d prices were written.", n)
        messages.success(request, said % {"n": n})
    if found.asked:
        roles = ", ".join(sorted({each.role.replace("_", " ") for each in found.waiting}))
        said = ngettext(
            "One price waits until %(role)s agrees.",
            "%(n)d prices wait until %(role)s agrees.",
            found.asked,
        )
        messages.info(request, said % {"n": found.asked, "role": roles})
    if not found.changed and not found.asked:
        messages.info(request, _("Nothing changed."))


def _moved(before: Any, after: Any, actor: str, reason: str) -> str:
    was, now = (before or {}).get("unit_price", ""), (after or {}).get("unit_price", "")
    moved = f"{was} → {now}" if was and now else was or now
    return " · ".join(part for part in (moved, reason, actor or "system") if part)

"""The ledger: trial balance, proofs, entries and months."""

from collections import defaultdict
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from finance import permissions
from finance.selectors import BalanceRow, journal, periods, tie_outs, trial_balance
from finance.services import close_period, reopen_period, soft_close_period

LIMIT = 50


@require_GET
@requires(permissions.VIEW_LEDGER)
def ledger(request: SignedInRequest) -> HttpResponse:
    """Show what every account stands at, and the control accounts beside what proves them."""
    scope = request.scope(permissions.VIEW_LEDGER)
    on = _day(request.GET.get("on", ""))
    books: dict[str, list[BalanceRow]] = defaultdict(list)
    for row in trial_balance(entity_ids=scope, on=on):
        books[row.entity].append(row)
    ties = tie_outs(entity_ids=scope)
    context = {
        "on": on,
        "books": [
            {
                "entity": entity,
                "currency": rows[0].currency,
                "rows": rows,
                "debit": sum((row.debit for row in rows), Decimal(0)),
                "credit": sum((row.credit for row in rows), Decimal(0)),
            }
            for entity, rows in sorted(books.items())
        ],
        "ties": ties,
        "apart": [tie for tie in ties if tie.difference],
    }
    return render(request, "finance/ledger.html", context)


@require_GET
@requires(permissions.VIEW_LEDGER)
def entries(request: SignedInRequest) -> HttpResponse:
    """Show journal entries, the newest first, of one account if asked."""
    account, after = _number(request.GET.get("account", "")), _number(request.GET.get("after", ""))
    rows = journal(
        entity_ids=request.scope(permissions.VIEW_LEDGER),
        account_id=account,
        after=after,
        limit=LIMIT,
    )
    context = {"rows": rows, "next_cursor": rows[-1].id if len(rows) == LIMIT else ""}
    return render(request, "finance/entries.html", context)


@require_GET
@requires(permissions.VIEW_LEDGER)
def months(request: SignedInRequest) -> HttpResponse:
    """Show the months of the books, and what keeps each from being closed."""
    context = {
        "rows": periods(entity_ids=request.scope(permissions.VIEW_LEDGER)),
        "may_close": bool(request.scope(permissions.CLOSE_PERIOD)),
        "today": timezone.localdate(),
    }
    return render(request, "finance/periods.html", context)


@require_POST
@requires(permissions.CLOSE_PERIOD)
def soft_close_month(request: SignedInRequest, period_id: int) -> HttpResponse:
    """Stop the daily posting into a month."""
    _check(request, period_id)
    soft_close_period(period_id=period_id, actor=request.user, now=timezone.now())
    messages.success(request, _("Only corrections go into it now."))
    return redirect("finance:periods")


@require_POST
@requires(permissions.CLOSE_PERIOD)
def close_month(request: SignedInRequest, period_id: int) -> HttpResponse:
    """Close a month."""
    _check(request, period_id)
    close_period(period_id=period_id, actor=request.user, now=timezone.now())
    messages.success(request, _("The month is closed."))
    return redirect("finance:periods")


@require_POST
@requires(permissions.CLOSE_PERIOD)
def reopen_month(request: SignedInRequest, period_id: int) -> HttpResponse:
    """Open a closed month again."""
    _check(request, period_id)
    reopen_period(period_id=period_id, actor=request.user, now=timezone.now())
    messages.success(request, _("The month is open again."))
    return redirect("finance:periods")


def _check(request: SignedInRequest, period_id: int) -> None:
    scope = request.scope(permissions.CLOSE_PERIOD)
    if all(row.id != period_id for row in periods(entity_ids=scope, limit=10_000)):
        raise Http404


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None  # noqa: PLR2004

"""Price lists and their holders, customer groups and their members, promotions."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import changes_within
from erp.governance.services import NothingChanges
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import Coded, GroupForm, PriceListForm, PromotionForm, ended
from orders.selectors import (
    PromotionLine,
    group_board,
    list_board,
    members_elsewhere,
    promotion_board,
)
from orders.services import AnotherCompany, GroupLoop, GroupRow, PriceListRow, PromotionRow
from orders.services.offering import OfferOutcome, change_offers

T = TypeVar("T")
PAGE = 100
WHENS = ("now", "future", "ended", "all")
REFUSALS = (AnotherCompany, GroupLoop, NothingChanges)


@require_GET
@requires(permissions.VIEW_PRICE)
def price_lists(request: SignedInRequest) -> HttpResponse:
    """Show the named lists: who buys by each, and how many prices it has today."""
    scope = request.scope(permissions.VIEW_PRICE)
    rows, following = list_board(
        entity_ids=scope, on=timezone.localdate(), after=request.GET.get("after", ""), limit=PAGE
    )
    return _board(request, "orders/price_lists.html", rows, following, "orders.price_list")


@require_GET
@requires(permissions.VIEW_PRICE)
def customer_groups(request: SignedInRequest) -> HttpResponse:
    """Show the customer groups, who is in each and which lists it holds."""
    scope = request.scope(permissions.VIEW_PRICE)
    rows, following = group_board(entity_ids=scope, after=request.GET.get("after", ""), limit=PAGE)
    return _board(request, "orders/customer_groups.html", rows, following, "orders.customer_group")


@require_GET
@requires(permissions.VIEW_PRICE)
def promotions(request: SignedInRequest) -> HttpResponse:
    """Show the promotions that run, are to come or have ended, the latest first."""
    asked, today = request.GET.get("when", ""), timezone.localdate()
    rows, following = promotion_board(
        entity_ids=request.scope(permissions.VIEW_PRICE),
        on=today,
        when=asked if asked in WHENS else "now",
        after=request.GET.get("after", ""),
        limit=PAGE,
    )
    labels = (_("Now"), _("To come"), _("Ended"), _("All times"))
    shown = [(row, row.when(today)) for row in rows]
    whens = list(zip(("", *WHENS[1:]), labels, strict=True))
    return _board(
        request, "orders/promotions.html", shown, following, "orders.promotion", whens=whens
    )


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_PRICE)
def write_price_list(request: SignedInRequest, code: str = "") -> HttpResponse:
    """Write a list and its holders; what moves somebody's prices waits for agreement."""
    scope = request.scope(permissions.CHANGE_PRICE)
    known = None
    if code:
        found, _more = list_board(entity_ids=scope, on=timezone.localdate(), code=code)
        known = _only(found)
    initial = PriceListForm.shown(known) if known else None
    form = PriceListForm(_fixed(request, initial, "entity", "code"), entity_ids=scope,
                         initial=initial)  # fmt: skip
    context = {"form": form, "known": known}
    if request.method == "POST" and form.is_valid():
        row = form.row()
        if _saved(request, form, row, row.entity_id):
            return redirect("orders:price_lists")
    return _form(request, "orders/price_list.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_PRICE)
def write_group(request: SignedInRequest, code: str = "") -> HttpResponse:
    """Write a group and its members; who moves in or out waits for agreement."""
    scope = request.scope(permissions.CHANGE_PRICE)
    known = _only(group_board(entity_ids=scope, code=code)[0]) if code else None
    initial = GroupForm.shown(known) if known else None
    form = GroupForm(_fixed(request, initial, "code"), initial=initial)
    context = {"form": form, "known": known}
    if request.method == "POST" and form.is_valid():
        elsewhere = members_elsewhere(code=form.cleaned_data["code"], entity_ids=scope)
        if _saved(request, form, form.row(elsewhere), min(scope)):
            return redirect("orders:customer_groups")
    return _form(request, "orders/customer_group.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_PRICE)
def write_promotion(request: SignedInRequest, promotion_id: int = 0) -> HttpResponse:
    """Write a promotion; beyond the tolerance it waits for agreement. Shows who is on it."""
    scope = request.scope(permissions.CHANGE_PRICE)
    known = _promotion(request, promotion_id) if promotion_id else None
    initial = PromotionForm.shown(known) if known else {"valid_from": timezone.localdate()}
    form = PromotionForm(_fixed(request, initial if known else None, "entity", "code"),
                         entity_ids=scope, initial=initial)  # fmt: skip
    on_it: Sequence[str] = ()
    if known and known.group:
        found, _more = group_board(entity_ids=scope, code=known.group)
        on_it = found[0].members if found else ()
    context = {"form": form, "known": known, "on_it": on_it[:PAGE], "on_it_count": len(on_it)}
    if request.method == "POST" and form.is_valid():
        row = form.row()
        if _saved(request, form, row, row.entity_id):
            return redirect("orders:promotions")
    return _form(request, "orders/promotion.html", context)


@require_POST
@requires(permissions.CHANGE_PRICE)
def end_promotion(request: SignedInRequest, promotion_id: int) -> HttpResponse:
    """End a promotion today; orders keep what they were told."""
    line, today = _promotion(request, promotion_id), timezone.localdate()
    row = ended(line, on=today)
    outcome = change_offers(
        rows=[row],
        entity_id=row.entity_id,
        actor=request.user,
        now=timezone.now(),
        reason=request.POST.get("reason", "").replace("\0", "")[:200],
    )
    _tell(request, line.code, outcome)
    return redirect("orders:promotions")


def _board(
    request: SignedInRequest,
    template: str,
    rows: Sequence[Any],
    following: str,
    kind: str,
    **more: Any,
) -> HttpResponse:
    scope = request.scope(permissions.VIEW_PRICE)
    waiting = changes_within(entity_ids=scope).filter(document_kind=kind, state="pending")
    context = {
        "rows": rows,
        "next_cursor": following,
        "waiting": list(waiting.select_related("requested_by").order_by("-pk")[:20]),
        "may_change": bool(request.scope(permissions.CHANGE_PRICE)),
    }
    return render(request, template, context | more)


def _form(request: SignedInRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, context, status=422 if request.method == "POST" else 200)


def _fixed(request: SignedInRequest, initial: dict[str, Any] | None, *names: str) -> Any:
    """Return what was typed; what tells a known record from others stays as it is."""
    if request.method != "POST":
        return None
    data = request.POST.copy()
    for name in names if initial else ():
        data[name] = (initial or {})[name]
    return data


def _saved(
    request: SignedInRequest,
    form: Coded,
    row: GroupRow | PriceListRow | PromotionRow,
    entity_id: int,
) -> bool:
    """Write what was typed, or ask for agreement; a refusal is said beside the form."""
    try:
        outcome = change_offers(
            rows=[row],
            entity_id=entity_id,
            actor=request.user,
            now=timezone.now(),
            reason=form.cleaned_data["reason"],
        )
    except REFUSALS as refusal:
        form.add_error(None, str(refusal))
        return False
    _tell(request, row.code, outcome)
    return True


def _tell(request: SignedInRequest, code: str, outcome: OfferOutcome) -> None:
    if outcome.waiting:
        role = outcome.waiting[0].role.replace("_", " ")
        said = _("%(code)s waits until %(role)s agrees.") % {"code": code, "role": role}
        messages.info(request, said)
    else:
        messages.success(request, _("%(code)s was saved.") % {"code": code})


def _promotion(request: SignedInRequest, promotion_id: int) -> PromotionLine:
    found, _more = promotion_board(
        entity_ids=request.scope(permissions.CHANGE_PRICE),
        on=timezone.localdate(),
        promotion_id=promotion_id,
    )
    return _only(found)


def _only(found: Sequence[T]) -> T:
    if not found:
        raise Http404
    return found[0]

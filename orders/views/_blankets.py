"""Blanket orders: the list, writing one, one with its story, and calling off from it."""

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.governance.selectors import timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import BlanketEntry
from orders.models import Blanket
from orders.rules import pace_points
from orders.selectors import BlanketLineRow, BlanketPage, blanket_board, blanket_pace, blanket_page
from orders.services import BadQuantity, DraftRefused
from orders.services.agreeing import (
    CallOffDraft,
    CallOffPart,
    activate_blanket,
    call_off,
    drop_call_off,
    end_blanket,
    retry_call_off,
    schedule_call_offs,
    write_blanket,
)

PAGE = 100
VALID_DAYS = 365
DIGITS_MAX = 40
TOLD = {
    "orders.write_blanket": "Written",
    "orders.activate_blanket": "Active: it can be called off",
    "orders.call_off": "Called off",
    "orders.schedule_call_offs": "Deliveries planned",
    "orders.fail_call_off": "A planned call-off could not be made",
    "orders.retry_call_off": "Planned again",
    "orders.drop_call_off": "Taken out of the plan",
    "orders.announce_end": "Ends soon",
    "orders.end_blanket": "Ended before its time",
    "orders.expire_blanket": "Its period is over",
}
GOOD = {"orders.activate_blanket", "orders.call_off"}
HOT = {"orders.fail_call_off", "orders.announce_end", "orders.expire_blanket"}


@require_GET
@requires(permissions.VIEW_BLANKET)
def blankets(request: SignedInRequest) -> HttpResponse:
    """Show the agreements that the filters in the address leave, page by page."""
    asked = request.GET
    rows, following = blanket_board(
        entity_ids=request.scope(permissions.VIEW_BLANKET),
        now=timezone.now(),
        state=asked.get("state", ""),
        text=asked.get("q", ""),
        after=asked.get("after", ""),
        limit=PAGE,
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "states": [("", _("All")), ("ending", _("Ending soon")), *Blanket.State.choices],
        "text": asked.get("q", ""),
        "may_write": bool(request.scope(permissions.WRITE_BLANKET)),
    }
    return render(request, "orders/blankets.html", context)


@require_GET
@requires(permissions.VIEW_BLANKET)
def blanket(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one agreement: what is left, how fast it goes, what is planned, what became of it."""
    page = _found(request, number, permissions.VIEW_BLANKET)
    scope = request.scope(permissions.VIEW_BLANKET)
    labels, even, taken = pace_points(
        page.valid_from, page.valid_until, page.today, blanket_pace(page=page)
    )
    context = {
        "blanket": page,
        "address": [value for value in page.ship_to.values() if value],
        "progress": _progress(page),
        "labels": labels,
        "series": [
            {"name": _("Called off"), "values": taken, "tone": "accent"},
            {"name": _("Even pace"), "values": even, "tone": "muted"},
        ],
        "timeline": [
            {
                "at": row.at,
                "text": TOLD.get(row.action, row.action),
                "detail": _detail(row.after, row.reason, row.actor_name),
                "tone": "good" if row.action in GOOD else "hot" if row.action in HOT else "",
            }
            for row in timeline(thread=page.thread, entity_ids=scope, limit=100)
        ],
        "may_write": page.entity_id in request.scope(permissions.WRITE_BLANKET),
        "may_call": page.may_be_called and page.entity_id in request.scope(permissions.CALL_OFF),
        "may_end": page.state in {"draft", "active"},
        "may_plan": page.state in {"draft", "active"} and page.days_left >= 0,
    }
    return render(request, "orders/blanket.html", context)


@require_http_methods(["GET", "POST"])
@requires(permissions.WRITE_BLANKET)
def new_blanket(request: SignedInRequest) -> HttpResponse:
    """Write an agreement; what is refused stands beside its field, and nothing typed is lost."""
    scope = request.scope(permissions.WRITE_BLANKET)
    if request.method == "GET":
        today = timezone.localdate()
        initial = {
            "customer": request.GET.get("customer", ""),
            "valid_from": today,
            "valid_until": today + timedelta(days=VALID_DAYS),
        }
        return _form(request, BlanketEntry(entity_ids=scope, initial=initial))
    entry = BlanketEntry(request.POST, entity_ids=scope)
    draft = entry.draft()
    if draft is None:
        return _form(request, entry, status=422)
    who: dict[str, Any] = {"actor": request.user, "now": timezone.now()}
    try:
        made = write_blanket(draft=draft, **who)
    except DraftRefused as refusal:
        entry.refuse(refusal.errors)
        return _form(request, entry, status=422)
    if request.POST.get("then") == "activate":
        activate_blanket(blanket_id=made.pk, **who)
        messages.success(request, _("%(n)s is active.") % {"n": made.number})
    else:
        messages.success(request, _("%(n)s was saved as a draft.") % {"n": made.number})
    return redirect("orders:blanket", made.number)


@require_POST
@requires(permissions.WRITE_BLANKET)
def activate(request: SignedInRequest, number: str) -> HttpResponse:
    """Let it be called off."""
    page = _found(request, number, permissions.WRITE_BLANKET)
    activate_blanket(blanket_id=page.id, actor=request.user, now=timezone.now())
    messages.success(request, _("%(n)s is active.") % {"n": number})
    return redirect("orders:blanket", number)


@require_POST
@requires(permissions.WRITE_BLANKET)
def end(request: SignedInRequest, number: str) -> HttpResponse:
    """End it before its time."""
    page = _found(request, number, permissions.WRITE_BLANKET)
    reason = request.POST.get("reason", "")
    end_blanket(blanket_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    messages.info(request, _("%(n)s has ended.") % {"n": number})
    return redirect("orders:blanket", number)


@require_POST
@requires(permissions.CALL_OFF)
def call(request: SignedInRequest, number: str) -> HttpResponse:
    """Make an order of what was typed beside the lines."""
    page, data = _found(request, number, permissions.CALL_OFF), request.POST
    made = call_off(
        blanket_id=page.id,
        parts=_parts(page, data),
        requested_date=parse_date(data.get("requested_date", "") or "-"),
        customer_po=data.get("customer_po", "")[:60],
        client_key=data.get("client_key", "")[:64] or None,
        actor=request.user,
        now=timezone.now(),
    )
    said = _("%(order)s was called off from %(n)s.")
    messages.success(request, said % {"order": made.number, "n": number})
    return redirect("orders:page", made.number)


@require_POST
@requires(permissions.WRITE_BLANKET)
def plan(request: SignedInRequest, number: str) -> HttpResponse:
    """Plan one delivery: the order is made by itself on its day."""
    page, data = _found(request, number, permissions.WRITE_BLANKET), request.POST
    due, placed = (_day(data.get(name, "")) for name in ("due_date", "order_date"))
    position = data.get("line", "")
    wish = CallOffDraft(
        position=int(position) if position.isdecimal() and len(position) < DIGITS_MAX else 0,
        due_date=due or date.min,
        quantity=_number(data.get("quantity", ""), 0),
        order_date=placed or due or date.min,
    )
    who: dict[str, Any] = {"actor": request.user, "now": timezone.now()}
    schedule_call_offs(blanket_id=page.id, call_offs=[wish], **who)
    messages.success(request, _("The delivery is planned."))
    return redirect("orders:blanket", number)


@require_POST
@requires(permissions.WRITE_BLANKET)
def replan(request: SignedInRequest, number: str, call_off_id: int, verb: str) -> HttpResponse:
    """Try a failed call-off again, or take one out of the plan."""
    page = _found(request, number, permissions.WRITE_BLANKET)
    if call_off_id not in {each.id for each in page.call_offs}:
        raise Http404
    change = retry_call_off if verb == "retry" else drop_call_off
    row = change(call_off_id=call_off_id, actor=request.user, now=timezone.now())
    if row.failure:
        messages.warning(request, row.failure)
    else:
        messages.success(request, _("The call-off is %(s)s.") % {"s": row.get_state_display()})
    return redirect("orders:blanket", number)


def _form(request: SignedInRequest, entry: BlanketEntry, *, status: int = 200) -> HttpResponse:
    context = {"entry": entry, "form": entry.head}
    return render(request, "orders/blanket_form.html", context, status=status)


def _progress(page: BlanketPage) -> list[dict[str, Any]]:
    """Return bars: how far each line is called off, and how much of the time is over."""
    behind = page.state == "active" and page.called < page.passed
    lines = [
        {
            "label": line.product,
            "share": min(line.share, Decimal(1)),
            "value": line.share,
            "text": f"{line.share:.0%}",
            "tone": "s2" if behind and line.share < page.passed else "ok",
        }
        for line in page.lines[:12]
    ]
    time = {
        "label": _("Time"),
        "share": page.passed,
        "value": page.passed,
        "text": f"{page.passed:.0%}",
        "tone": "muted",
    }
    return [*lines, time]


def _parts(page: BlanketPage, data: QueryDict) -> list[CallOffPart]:
    """Return what was typed beside the lines.

    Raises:
        BadQuantity: nothing was, or it is no number.
    """
    typed = [(line, data.get(f"take-{line.position}", "").strip()) for line in page.lines]
    parts = [_part(line, text) for line, text in typed if text]
    if not parts:
        raise BadQuantity(_("Write how much of which line is called off."), "lines")
    return parts


def _part(line: BlanketLineRow, text: str) -> CallOffPart:
    return CallOffPart(line.id, _number(text, line.position))


def _number(text: str, position: int) -> Decimal:
    try:
        number = Decimal(text or "0") if len(text) <= DIGITS_MAX else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise BadQuantity(_("Write a number such as 12.5."), f"lines[{position - 1}].quantity")
    return number


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a business date
    except ValueError:
        return None


def _detail(after: Any, reason: str, actor: str) -> str:
    said = after or {}
    facts = [str(said["order"])] if said.get("order") else []
    if said.get("days_left") is not None:
        facts.append(_("%(n)s days left") % {"n": said["days_left"]})
    if said.get("open") not in (None, "0", "0.000"):
        facts.append(_("%(n)s not called off") % {"n": f"{Decimal(said['open']).normalize():f}"})
    facts += [str(said["call_offs"])] if said.get("call_offs") else []
    why = reason or str(said.get("reason") or "")
    return " · ".join([*([why] if why else []), *facts, actor or "system"])


def _found(request: SignedInRequest, number: str, permission: str) -> BlanketPage:
    page = blanket_page(number=number, entity_ids=request.scope(permission), now=timezone.now())
    if page is None:
        raise Http404
    return page

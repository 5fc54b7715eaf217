"""The page of one order, and what is pressed there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role, RoleAssignment
from erp.governance.selectors import TimelineRow, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import worded
from orders.selectors import (
    LINK_DAYS,
    Exposure,
    HoldRow,
    OrderPage,
    Receipt,
    blankets_of_order,
    classes_of,
    exposure,
    followers_of,
    order_page,
    plan_of,
    quotes_of_order,
    receipts_of,
    serving_terms,
    shipments_of,
    substitution_rows,
    tracking_token,
)
from orders.services import allocate_orders, cancel_order, lift_hold, place_hold, submit_order
from orders.views._amend import NEW_ROWS, amend_rows, dispositions

WAITING = ("released", "partly_allocated", "backordered")
WAY = ("draft", "released", "allocated", "fulfilling", "shipped", "invoiced", "closed")
REACHED = {
    "submitted": 0, "held": 0, "released": 1, "partly_allocated": 1, "backordered": 1,
    "allocated": 2, "fulfilling": 3, "partly_shipped": 3, "shipped": 4, "invoiced": 5, "closed": 6,
}  # fmt: skip
BEFORE_LEAVING = (
    "draft", "submitted", "held", *WAITING, "allocated", "fulfilling", "partly_shipped",
)  # fmt: skip
STOPPABLE = ("draft", *WAITING, "allocated")
TOLD = {
    "orders.create": "Received",
    "orders.amend": "Changed",
    "orders.submit": "Checked",
    "orders.allocate": "Allocation",
    "orders.hold": "Put on hold",
    "orders.reclass": "Classed anew",
    "orders.start_picking": "Picking began",
    "orders.ship": "Left",
    "orders.invoice": "Invoiced in full",
    "orders.law_found_too_late": "The law was found against it too late",
    "orders.close": "Paid and closed",
    "orders.cancel": "Cancelled",
    "orders.cancel_lines": "Lines cancelled",
    "orders.tell_milestone": "Message to the customer",
    "orders.follow_milestones": "Somebody is told of milestones",
    "orders.stop_following": "Somebody is told nothing more",
    "orders.revoke_tracking": "Tracking links revoked",
    "orders.serve_from_node": "Served from another node",
    "orders.keep_backorder": "Promised to another day",
    "orders.promise": "Promised",
}
ADDRESS = ("name", "address", "postal_code", "city", "region", "country")
MONEY = ("total", "subtotal", "freight", "amount", "net", "tax", "price")
HOT = {"held", "backordered", "partly_allocated", "cancelled", "failed", "void"}
GOOD = {"released", "allocated", "shipped", "invoiced", "closed", "delivered", "paid"}


@dataclass(frozen=True, slots=True)
class Step:
    """The one next thing this person may do about the order: a form, a dialog or a link."""

    label: str
    post: str = ""
    dialog: str = ""
    href: str = ""


@require_GET
@requires(permissions.VIEW)
def order(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one order with its whole story and the next action."""
    page = _found(request, number, permissions.VIEW)
    scope = request.scope(permissions.VIEW)
    liftable = _liftable(request, page)
    shipments = shipments_of(order_id=page.id)
    credit = exposure(account_id=page.account_id)
    may_amend = page.state in BEFORE_LEAVING and _may(request, page, permissions.SUBMIT)
    amending = may_amend and not page.is_rewritten_whole and "amend" in request.GET
    context = {
        "order": page,
        "amending": amending,
        "amend_rows": amend_rows(page) if amending else [],
        "new_rows": NEW_ROWS,
        "dispositions": dispositions(),
        "next": _next(request, page, liftable, shipments),
        "steps": _steps(page),
        "receipts": [_why(each) for each in receipts_of(order_id=page.id, limit=20)],
        "timeline": [
            _told(row, page.currency)
            for row in timeline(thread=f"orders.order:{page.id}", entity_ids=scope, limit=100)
        ],
        "credit": credit,
        "exposure": credit_bars(credit) if credit else [],
        "address": [page.ship_to[name] for name in ADDRESS if page.ship_to.get(name)],
        "liftable": liftable,
        "classes": classes_of(order_id=page.id),
        "plan": plan_of(order_id=page.id),
        "shipments": shipments,
        "quotes": quotes_of_order(order_id=page.id),
        "blankets": blankets_of_order(order_id=page.id),
        **_told_of(request, page),
        "serving": worded(serving_terms(order_id=page.id)),
        "proposed": substitution_rows(entity_ids=scope, state="proposed", number=page.number),
        "may_answer": _may(request, page, permissions.SUBMIT),
        "may_cancel": page.state in BEFORE_LEAVING and _may(request, page, permissions.CANCEL),
        "may_hold": page.state in STOPPABLE and _may(request, page, permissions.RELEASE),
        "may_amend": may_amend,
        "invoices": fragment(request, "finance:of_order", page.id),
        "cases": fragment(request, "exceptions:of_order", page.number),
    }
    return render(request, "orders/order.html", context)


@require_POST
@requires(permissions.SUBMIT)
def submit(request: SignedInRequest, number: str) -> HttpResponse:
    """Check a draft and release it, or hold it."""
    page = _found(request, number, permissions.SUBMIT)
    found = submit_order(order_id=page.id, actor=request.user, now=timezone.now())
    tell_submitted(request, found.number, found.holds)
    return redirect("orders:page", number)


@require_POST
@requires(permissions.ALLOCATE)
def allocate(request: SignedInRequest, number: str) -> HttpResponse:
    """Have stock kept now for what waits."""
    page = _found(request, number, permissions.ALLOCATE)
    found = allocate_orders(order_ids=[page.id], cause=_("Asked for by hand"), now=timezone.now())
    if any(found.given.values()):
        messages.success(request, _("Stock was reserved for %(number)s.") % {"number": number})
    else:
        messages.info(request, _("There is nothing to give %(number)s now.") % {"number": number})
    return redirect("orders:page", number)


@require_POST
@requires(permissions.CANCEL)
def cancel(request: SignedInRequest, number: str) -> HttpResponse:
    """Cancel the order, or what has not left of it."""
    page = _found(request, number, permissions.CANCEL)
    reason = request.POST.get("reason", "")
    cancel_order(order_id=page.id, actor=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("%(number)s was cancelled.") % {"number": number})
    return redirect("orders:page", number)


@require_POST
@requires(permissions.RELEASE)
def hold(request: SignedInRequest, number: str) -> HttpResponse:
    """Stop the order by hand."""
    page = _found(request, number, permissions.RELEASE)
    reason = request.POST.get("reason", "")
    place_hold(order_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    messages.success(request, _("%(number)s is on hold.") % {"number": number})
    return redirect("orders:page", number)


@require_POST
@requires(permissions.RELEASE)
def lift(request: SignedInRequest, number: str, hold_id: int) -> HttpResponse:
    """Lift one hold of the order."""
    page = _found(request, number, permissions.RELEASE)
    if hold_id not in {each.id for each in page.holds}:
        raise Http404
    reason = request.POST.get("reason", "")
    after = lift_hold(hold_id=hold_id, actor=request.user, reason=reason, now=timezone.now())
    if after.state == "held":
        messages.info(request, _("The hold was lifted; %(n)s stays held.") % {"n": number})
    else:
        messages.success(request, _("%(number)s was released.") % {"number": number})
    return redirect("orders:page", number)


def _told_of(request: SignedInRequest, page: OrderPage) -> dict[str, Any]:
    """Return what the customer can open, and who is told of milestones."""
    path = reverse("orders:track", args=[tracking_token(order_id=page.id)])
    return {
        "tracking": request.build_absolute_uri(path),
        "link_days": LINK_DAYS,
        "followers": followers_of(order_id=page.id),
        "may_follow": _may(request, page, permissions.FOLLOW),
    }


def tell_submitted(request: SignedInRequest, number: str, holds: Any) -> None:
    """Say what became of an order that was submitted."""
    if holds:
        said = _("%(number)s is on hold: %(holds)s.")
        messages.warning(request, said % {"number": number, "holds": ", ".join(holds)})
    else:
        messages.success(request, _("%(number)s was released.") % {"number": number})


def _found(request: SignedInRequest, number: str, permission: str) -> OrderPage:
    page = order_page(number=number, entity_ids=request.scope(permission))
    if page is None:
        raise Http404
    return page


def _may(request: SignedInRequest, page: OrderPage, permission: str) -> bool:
    return page.entity_id in request.scope(permission)


def _liftable(request: SignedInRequest, page: OrderPage) -> list[HoldRow]:
    """Return the active holds that this person may lift: of their roles, not of their own order."""
    if not page.active_holds or page.created_by_id == request.user.pk:
        return []
    held = RoleAssignment.objects.filter(user=request.user, entity_id=page.entity_id)
    roles = set(held.values_list("role", flat=True))
    return [each for each in page.active_holds if each.owner_role in roles]


def _next(
    request: SignedInRequest,
    page: OrderPage,
    liftable: list[HoldRow],
    shipments: list[dict[str, Any]],
) -> Step | None:
    if page.state == "draft" and _may(request, page, permissions.SUBMIT):
        return Step(_("Submit"), post=reverse("orders:submit", args=[page.number]))
    if liftable:
        return Step(_("Lift the hold"), dialog=liftable[0].dialog)
    if page.state in WAITING and _may(request, page, permissions.ALLOCATE):
        return Step(_("Allocate now"), post=reverse("orders:allocate", args=[page.number]))
    verbs = {"planned": _("Pick"), "picked": _("Pack"), "packed": _("Ship")}
    for shipment in shipments:
        href = fragment(request, "finance:shipment", shipment["number"])
        if shipment["state"] in verbs and href:
            label = f"{verbs[shipment['state']]} {shipment['number']}"
            return Step(label, href=href)
    return None


def _steps(page: OrderPage) -> list[dict[str, str]]:
    if page.state == "cancelled":
        return [
            {"label": _("Received"), "state": "done"},
            {"label": _("Cancelled"), "state": "bad"},
        ]
    notes = {
        "released": ", ".join(each.kind for each in page.active_holds),
        "allocated": _("%(done)s of %(all)s")
        % {
            "done": f"{(page.reserved + page.shipped).normalize():f}",
            "all": f"{page.ordered.normalize():f}",
        },
    }
    labels = (
        _("Received"), _("Released"), _("Allocated"), _("Picked"), _("Shipped"), _("Invoiced"),
        _("Paid"),
    )  # fmt: skip
    reached = REACHED.get(page.state, 0)
    steps = []
    for index, (key, label) in enumerate(zip(WAY, labels, strict=True)):
        state = "done" if index <= reached else "now" if index == reached + 1 else ""
        if state == "now" and (page.active_holds or page.state == "backordered"):
            state = "bad"
        note = notes.get(key, "") if index <= reached + 1 else ""
        steps.append({"label": label, "state": state, "note": note})
    return steps


def _why(receipt: Receipt) -> dict[str, Any]:
    """Return one decision receipt as bars: what each node had and gave."""
    return {
        "receipt": receipt,
        "dropped": "; ".join(receipt.dropped),
        "bars": [
            {
                "label": f"{each.node} · {each.instead}" if each.instead else each.node,
                "value": f"{each.taken.normalize():f}",
                "text": _("%(taken)s of %(available)s")
                % {
                    "taken": f"{each.taken.normalize():f}",
                    "available": f"{each.available.normalize():f}",
                }
                + (f" · {each.why}" if each.why else ""),
                "tone": "ok" if each.taken else "muted",
            }
            for each in receipt.candidates
        ],
    }


def _told(row: TimelineRow, currency: str) -> dict[str, Any]:
    """Return one entry of the audit trail as a line of the story; money is in `currency`."""
    verb = row.action.rpartition(".")[2]
    after = _facts(row.after)
    text = TOLD.get(row.action) or f"{verb} {row.subject_kind.rpartition('.')[2]}".replace("_", " ")
    if verb.startswith("lift_") and verb.endswith("_hold"):
        text = _("Hold cleared (%(kind)s)") % {"kind": verb[5:-5]}
    state = str(after.get("state", ""))
    if state and row.action not in {"orders.create", "orders.close", "orders.cancel"}:
        text += f": {state.replace('_', ' ')}"
    shown = after if row.action.startswith(("orders.", "inventory.", "finance.")) else {}
    facts = [
        f"{name.replace('_', ' ')} {_shown(value)}"
        for name, value in shown.items()
        if name not in {"state", *MONEY}
        and value not in (None, "", [], {})
        and not isinstance(value, dict)
    ]
    own = str(after.get("currency") or currency)
    amounts = [(name.replace("_", " "), shown[name], own) for name in MONEY if shown.get(name)]
    detail = " · ".join([*([row.reason] if row.reason else []), *facts, row.actor_name or "system"])
    tone = "hot" if state in HOT else "good" if state in GOOD else ""
    told = {"at": row.at, "text": text[:1].upper() + text[1:], "detail": detail, "tone": tone}
    return told | {"amounts": amounts}


def _shown(value: Any) -> str:
    """Return a value as people read it: lists by their members, flags as yes or no."""
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def _facts(said: Any) -> Mapping[str, Any]:
    """Return an entry's values, whether they come as an object or as its text."""
    return (json.loads(said) if isinstance(said, str) else said) or {}


def credit_bars(found: Exposure) -> list[dict[str, Any]]:
    """Return what an account owes as bars whose full length is its limit."""
    limit = found.credit_limit or max(found.exposure, Decimal(1))
    parts = (
        (_("Open invoices"), found.receivable),
        (_("Shipped, not invoiced"), found.unbilled),
        (_("Open orders"), found.committed),
        (_("Cash not yet applied"), -found.unapplied),
    )
    return [
        {
            "label": label,
            "value": value,
            "share": min(1, abs(value) / limit),
        }
        for label, value in parts
        if value or label != parts[-1][0]
    ]


def fragment(request: SignedInRequest, url_name: str, *args: object) -> str:
    """Return the address of another app's page, if it is there and this person may see it."""
    try:
        href = reverse(url_name, args=args)
    except NoReverseMatch:
        return ""
    permission = getattr(resolve(href).func, "required_permission", "")
    return href if not permission or request.user.has_perm(permission) else ""


def role_label(role: str) -> str:
    """Return a role as people say it."""
    return str(Role(role).label) if role in Role.values else role

"""Purchase orders: the list, one of them, and what can be done to it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.accounts.models import Role
from erp.governance.selectors import (
    PendingApproval,
    TimelineRow,
    approval_waiting_for,
    timeline,
)
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from procurement import permissions
from procurement.forms import DatesForm, DecisionForm, OrderForm
from procurement.models import PurchaseOrder
from procurement.selectors import (
    OrderPage,
    choices,
    node_codes,
    open_orders_by_state,
    order_board,
    order_page,
    suggested_suppliers,
)
from procurement.services import (
    acknowledge_order,
    approve_order,
    cancel_order,
    close_order,
    reject_order,
    send_order,
    submit_order,
    write_order,
)

STATES = dict(PurchaseOrder.State.choices)
STEPS = ("draft", "pending", "approved", "sent", "acknowledged", "received", "closed")
RECEIVABLE = {"sent", "acknowledged", "partly_received"}
CANCELLABLE = {"draft", "pending", "approved", "sent", "acknowledged"}
SAID = {
    "procurement.write": gettext_lazy("Written"),
    "procurement.submit": gettext_lazy("Submitted"),
    "procurement.approve": gettext_lazy("Approved"),
    "procurement.reject": gettext_lazy("Sent back"),
    "procurement.send": gettext_lazy("Sent to the supplier"),
    "procurement.acknowledge": gettext_lazy("Confirmed by the supplier"),
    "procurement.reschedule": gettext_lazy("Expected on another day"),
    "procurement.receive": gettext_lazy("Goods came in"),
    "procurement.close": gettext_lazy("Closed"),
    "procurement.cancel": gettext_lazy("Cancelled"),
    "governance.request_approval": gettext_lazy("Approval asked for"),
    "governance.approve": gettext_lazy("Approval given"),
    "governance.reject": gettext_lazy("Approval refused"),
    "governance.void_approval": gettext_lazy("Approval withdrawn"),
    "governance.escalate_approval": gettext_lazy("Approval handed on"),
    "governance.strand_approval": gettext_lazy("Nobody can approve"),
}


@require_GET
@requires(permissions.VIEW)
def orders(request: SignedInRequest) -> HttpResponse:
    """Show purchase orders, the newest first."""
    entity_ids = request.scope(permissions.VIEW)
    state = request.GET.get("state", "open")
    rows, following = order_board(
        entity_ids=entity_ids,
        state=state if state in STATES or state == "open" else "",
        supplier=request.GET.get("supplier", "").replace("\0", "")[:40],
        node=request.GET.get("node", "").replace("\0", "")[:20],
        after=request.GET.get("after", "")[:20],
    )
    counts = open_orders_by_state(entity_ids=entity_ids)
    context = {
        "rows": rows,
        "next_cursor": following,
        "states": [
            ("open", _("Open"), sum(counts.values())),
            *[(s, label, counts.get(s, 0)) for s, label in list(STATES.items())[:6]],
            *list(STATES.items())[6:],
            ("all", _("All")),
        ],
        "nodes": [("", _("All nodes")), *((c, c) for c in node_codes(entity_ids=entity_ids))],
        "may_write": bool(request.scope(permissions.WRITE)),
    }
    return render(request, "procurement/orders.html", context)


@require_GET
@requires(permissions.VIEW)
def order(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one purchase order, its story and the next step."""
    return _page(request, _order(request, number, permissions.VIEW))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.WRITE)
def new(request: SignedInRequest) -> HttpResponse:
    """Write a purchase order."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        return _written(request, form, None)
    return _form_page(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.WRITE)
def edit(request: SignedInRequest, number: str) -> HttpResponse:
    """Rewrite a draft."""
    draft = _order(request, number, permissions.WRITE)
    form = _form(request, draft)
    if request.method == "POST" and form.is_valid():
        return _written(request, form, draft)
    return _form_page(request, form, draft)


@require_POST
@requires(permissions.WRITE)
def submit(request: SignedInRequest, number: str) -> HttpResponse:
    """Ask for approval."""
    page = _order(request, number, permissions.WRITE)
    done = submit_order(order_id=page.id, actor=request.user, now=timezone.now())
    asked = done.state == PurchaseOrder.State.PENDING
    said = _("{number} waits for approval.") if asked else _("{number} was approved.")
    return _done(request, number, said)


@require_POST
@requires(permissions.APPROVE)
def approve(request: SignedInRequest, number: str) -> HttpResponse:
    """Agree to what somebody else wrote."""
    page = _order(request, number, permissions.APPROVE)
    done = approve_order(order_id=page.id, actor=request.user, now=timezone.now())
    waits = done.state == PurchaseOrder.State.PENDING
    said = _("You agreed to {number}; others must agree as well.")
    return _done(request, number, said if waits else _("{number} was approved."))


@require_POST
@requires(permissions.APPROVE)
def reject(request: SignedInRequest, number: str) -> HttpResponse:
    """Send an order back to its author."""
    page = _order(request, number, permissions.APPROVE)
    reject_order(order_id=page.id, actor=request.user, reason=_reason(request), now=timezone.now())
    return _done(request, number, _("{number} was sent back to its author."))


@require_POST
@requires(permissions.SEND)
def send(request: SignedInRequest, number: str) -> HttpResponse:
    """Tell the supplier."""
    page = _order(request, number, permissions.SEND)
    send_order(order_id=page.id, actor=request.user, now=timezone.now())
    return _done(request, number, _("{number} was sent: it counts as incoming."))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(permissions.SEND)
def acknowledge(request: SignedInRequest, number: str) -> HttpResponse:
    """Note that the supplier confirmed, as ordered or on other days."""
    page = _order(request, number, permissions.SEND)
    form = DatesForm(request.POST or None, lines=page.lines)
    if request.method == "POST" and form.is_valid():
        acknowledge_order(
            order_id=page.id, actor=request.user, now=timezone.now(), dates=form.dates()
        )
        return _done(request, number, _("{number} was confirmed."))
    context = {"page": page, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "procurement/acknowledge.html", context, status=status)


@require_POST
@requires(permissions.WRITE)
def close(request: SignedInRequest, number: str) -> HttpResponse:
    """Expect nothing more of an order."""
    page = _order(request, number, permissions.WRITE)
    reason = request.POST.get("reason", "").strip()[:200]
    close_order(order_id=page.id, actor=request.user, now=timezone.now(), reason=reason)
    return _done(request, number, _("{number} was closed."))


@require_POST
@requires(permissions.WRITE)
def cancel(request: SignedInRequest, number: str) -> HttpResponse:
    """Call an order off."""
    page = _order(request, number, permissions.WRITE)
    cancel_order(order_id=page.id, actor=request.user, reason=_reason(request), now=timezone.now())
    return _done(request, number, _("{number} was cancelled."))


def _order(request: SignedInRequest, number: str, permission: str) -> OrderPage:
    found = order_page(number=number, entity_ids=request.scope(permission))
    if found is None:
        raise Http404
    return found


def _reason(request: SignedInRequest) -> str:
    form = DecisionForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


def _done(request: SignedInRequest, number: str, said: str) -> HttpResponse:
    messages.success(request, said.format(number=number))
    return redirect("procurement:order", number)


def _page(request: SignedInRequest, page: OrderPage) -> HttpResponse:
    waiting = approval_waiting_for(
        document_kind="procurement.order", document_id=page.id, user=request.user
    )
    story = timeline(thread=f"procurement.order:{page.id}", entity_ids=[page.entity_id])

    def may(permission: str) -> bool:
        return request.user.has_perm(permission, page.entity_id)

    context = {
        "page": page,
        "steps": _steps(page),
        "story": [_told(entry) for entry in story],
        "approval": waiting,
        "approver": dict(Role.choices).get(waiting.role, waiting.role) if waiting else "",
        "may": _may(page, waiting, may),
    }
    return render(request, "procurement/order.html", context)


def _may(
    page: OrderPage, waiting: PendingApproval | None, may: Callable[[str], bool]
) -> dict[str, bool]:
    writes, sends = may(permissions.WRITE), may(permissions.SEND)
    return {
        "edit": writes and page.state == "draft" and not page.for_label,
        "submit": writes and page.state == "draft",
        "approve": waiting is not None and not waiting.is_own and may(waiting.permission),
        "send": sends and page.state == "approved",
        "acknowledge": sends and page.state == "sent",
        "receive": page.state in RECEIVABLE and may("inventory.receive_goods"),
        "close": writes and page.state in {"received", "partly_received"},
        "cancel": writes and page.state in CANCELLABLE,
    }


def _steps(page: OrderPage) -> list[dict[str, Any]]:
    if page.state == "cancelled":
        return [{"label": STATES["cancelled"], "state": "bad", "note": page.close_reason}]
    here = STEPS.index("received" if page.state == "partly_received" else page.state)
    steps = [
        {"label": STATES[s], "state": "done" if n < here else "now" if n == here else ""}
        for n, s in enumerate(STEPS)
    ]
    if page.state == "partly_received":
        steps[here]["label"] = STATES["partly_received"]
    elif page.state == "closed":
        steps[here]["state"] = "done"
    return steps


def _told(entry: TimelineRow) -> dict[str, Any]:
    who = entry.actor_name or _("Crossdock")
    detail = " · ".join(part for part in (who, entry.reason, entry.policy_version) if part)
    text = SAID.get(entry.action, entry.action.partition(".")[2].replace("_", " "))
    return {"at": entry.at, "text": text, "detail": detail}


def _form(request: SignedInRequest, draft: OrderPage | None = None) -> OrderForm:
    scope = request.scope(permissions.WRITE)
    entities = choices("entity", entity_ids=scope)
    nodes = choices("node", entity_ids=scope)
    if draft is None:
        return OrderForm(request.POST or None, entities=entities, nodes=nodes)
    rows = [
        {"product": line.product_code, "quantity": line.quantity, "price": line.unit_price}
        for line in draft.lines
    ]
    node = next((str(each.id) for each in nodes if each.label.startswith(draft.node_code)), "")
    initial = {"entity": str(draft.entity_id), "supplier": draft.supplier_code, "node": node}
    return OrderForm(
        request.POST or None, initial=initial, entities=entities, nodes=nodes, rows=rows
    )


def _form_page(request: SignedInRequest, form: OrderForm, draft: OrderPage | None) -> HttpResponse:
    context = {"form": form, "draft": draft, "suppliers": suggested_suppliers()}
    status = 422 if form.is_bound else 200
    return render(request, "procurement/write.html", context, status=status)


def _written(request: SignedInRequest, form: OrderForm, draft: OrderPage | None) -> HttpResponse:
    values = form.cleaned_data
    entity_id = int(values["entity"]) if draft is None else draft.entity_id
    written = write_order(
        entity_id=entity_id,
        supplier_id=values["supplier"],
        node_id=int(values["node"]),
        lines=values["lines"],
        actor=request.user,
        now=timezone.now(),
        order_id=None if draft is None else draft.id,
    )
    written.refresh_from_db(fields=["number"])
    return _done(request, written.number, _("{number} was written."))

"""The planner's queue."""

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from procurement import permissions
from procurement.selectors import node_codes, proposal_board, proposal_list
from procurement.services import WrittenOrder, accept_proposals, reject_proposal

STATES = ("open", "accepted", "rejected")
CHOSEN_MAX = 500


@require_GET
@requires(permissions.VIEW_PROPOSAL)
def board(request: SignedInRequest) -> HttpResponse:
    """Show what replenishment proposes, the first needed first, with the figures behind it."""
    entity_ids = request.scope(permissions.VIEW_PROPOSAL)
    state = request.GET.get("state", "")
    rows, following = proposal_board(
        entity_ids=entity_ids,
        state=state if state in STATES else "open",
        supplier=_typed(request, "supplier"),
        node=_typed(request, "node"),
        product=_typed(request, "q"),
        after=_typed(request, "after"),
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "states": [("", _("Open")), ("accepted", _("Accepted")), ("rejected", _("Rejected"))],
        "nodes": [("", _("All nodes")), *((c, c) for c in node_codes(entity_ids=entity_ids))],
        "is_open": state not in STATES[1:],
        "may_decide": bool(request.scope(permissions.DECIDE)),
        "may_write": bool(request.scope(permissions.WRITE)),
        "query": _typed(request, "q"),
    }
    return render(request, "procurement/board.html", context)


@require_POST
@requires(permissions.DECIDE)
def accept_many(request: SignedInRequest) -> HttpResponse:
    """Write draft orders out of the chosen proposals."""
    asked = [int(text) for text in request.POST.getlist("id")[:CHOSEN_MAX] if text.isdecimal()]
    within = proposal_list(entity_ids=request.scope(permissions.DECIDE)).filter(pk__in=asked)
    found = [row["id"] for row in within]
    if not asked or len(found) != len(set(asked)):
        raise Http404
    written = accept_proposals(proposal_ids=found, actor=request.user, now=timezone.now())
    return _told(request, written)


@require_POST
@requires(permissions.DECIDE)
def accept_one(request: SignedInRequest, proposal_id: int) -> HttpResponse:
    """Write a draft order out of one proposal, with another quantity where one was typed."""
    _proposal(request, proposal_id)
    quantity = _quantity(request.POST.get("quantity", ""))
    written = accept_proposals(
        proposal_ids=[proposal_id],
        actor=request.user,
        now=timezone.now(),
        quantities=None if quantity is None else {proposal_id: quantity},
    )
    return _told(request, written)


@require_POST
@requires(permissions.DECIDE)
def reject_one(request: SignedInRequest, proposal_id: int) -> HttpResponse:
    """Decline one proposal, with the reason."""
    _proposal(request, proposal_id)
    reason = request.POST.get("reason", "")
    reject_proposal(proposal_id=proposal_id, actor=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("The proposal was rejected."))
    return redirect("procurement:board")


def _proposal(request: SignedInRequest, proposal_id: int) -> None:
    within = proposal_list(entity_ids=request.scope(permissions.DECIDE))
    if not within.filter(pk=proposal_id).exists():
        raise Http404


def _quantity(text: str) -> Decimal | None:
    """Return the number that was typed; what is no number is refused by the service as one."""
    if not text.strip():
        return None
    try:
        return Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return Decimal("NaN")


def _told(request: SignedInRequest, written: list[WrittenOrder]) -> HttpResponse:
    numbers = ", ".join(order.number for order in written[:5])
    more = _(" and {count} more").format(count=len(written) - 5) if len(written) > 5 else ""  # noqa: PLR2004
    messages.success(request, _("Written: {orders}.").format(orders=numbers + more))
    if len(written) == 1:
        return redirect("procurement:order", written[0].number)
    return redirect("procurement:orders")


def _typed(request: SignedInRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:60]

"""The workbench of what is too little: who gets what, sharing out anew, taking for one order."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.accounts.models import Entity
from erp.governance.selectors import approval_waiting_for, timeline
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory.models import Product
from orders import permissions
from orders.models import Reallocation
from orders.selectors import (
    Claim,
    ReallocationPage,
    claim_of,
    claims_on,
    reallocation_changes,
    reallocation_list,
    reallocation_page,
    reallocation_segments,
    short_products,
)
from orders.services.reallocating import (
    BadReallocation,
    NotEnoughToTake,
    approve_reallocation,
    commit_run,
    discard_run,
    foresee_override,
    propose_override,
    propose_reallocation,
    reject_reallocation,
)

RECENT = 15
CHANGES_SHOWN = 300
DIGITS_MAX = 20
SEGMENTS = ("A", "B", "C", "D")
STRATEGIES = [
    ("", gettext_lazy("By policy")),
    ("win", gettext_lazy("Win")),
    ("gain", gettext_lazy("Gain")),
    ("redistribute", gettext_lazy("Redistribute")),
    ("fill", gettext_lazy("Fill")),
    ("lose", gettext_lazy("Lose")),
]
TOLD = {
    "orders.propose_reallocation": gettext_lazy("Simulated"),
    "orders.propose_override": gettext_lazy("Asked for"),
    "orders.ask_reallocation": gettext_lazy("Approval asked for"),
    "orders.commit_reallocation": gettext_lazy("Committed"),
    "orders.discard_reallocation": gettext_lazy("Let go"),
}


@require_GET
@requires(permissions.VIEW_REALLOCATION)
def workbench(request: SignedInRequest) -> HttpResponse:
    """Show the products of which there is too little, and who has and wants the one chosen."""
    scope = request.scope(permissions.VIEW_REALLOCATION)
    products = short_products(entity_ids=scope, today=timezone.localdate())
    chosen = request.GET.get("product", products[0].code if products else "")
    recent = reallocation_list(entity_ids=scope)[:RECENT]
    context = {
        "products": products,
        "chosen": chosen,
        "claims": claims_on(product=chosen, entity_ids=scope) if chosen else [],
        "recent": list(recent),
        "segments": SEGMENTS,
        "strategies": STRATEGIES,
        "companies": [
            company
            for company in Entity.objects.filter(pk__in=request.scope(permissions.REALLOCATE))
            if company.code in {row.entity for row in products if row.code == chosen}
        ],
        "may_share": bool(request.scope(permissions.REALLOCATE)),
        "may_take": bool(request.scope(permissions.OVERRIDE)),
    }
    return render(request, "orders/workbench.html", context)


@require_POST
@requires(permissions.REALLOCATE)
def share_out(request: SignedInRequest) -> HttpResponse:
    """Simulate sharing out anew: one product, or everything of the entity in view."""
    scope = request.scope(permissions.REALLOCATE)
    asked = request.POST.get("entity", "")
    if asked.isdecimal():
        scope &= {int(asked)}
    if len(scope) != 1:
        raise BadReallocation("entity", _("Choose the company whose stock is shared out."))
    code = request.POST.get("product", "")
    products = list(Product.objects.filter(code=code).values_list("pk", flat=True)) if code else []
    if code and not products:
        raise Http404
    made = propose_reallocation(
        entity_id=next(iter(scope)),
        product_ids=products,
        node_ids=[],
        strategy={
            segment: chosen
            for segment in SEGMENTS
            if (chosen := request.POST.get(f"strategy_{segment}", ""))
        },
        reason=request.POST.get("reason", ""),
        actor=request.user,
        now=timezone.now(),
    )
    return redirect("orders:reallocation", made.number)


@require_http_methods(["GET", "POST"])
@requires(permissions.OVERRIDE)
def take(request: SignedInRequest, line_id: int) -> HttpResponse:
    """Show who would lose if stock were taken for a line, and ask for it with a reason."""
    claim = claim_of(line_id=line_id, entity_ids=request.scope(permissions.OVERRIDE))
    if claim is None:
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    holders = _holders(request, claim)
    taken_from = [int(each) for each in asked.getlist("from") if each.isdecimal()]
    held = sum((each.held for each in holders if each.id in taken_from), Decimal(0))
    quantity = _number(asked.get("quantity"), min(held, claim.waiting) or claim.waiting)
    if request.method == "POST":
        made = propose_override(
            line_id=line_id,
            quantity=quantity,
            taken_from=taken_from,
            reason=asked.get("reason", ""),
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, _("%(n)s waits for approval.") % {"n": made.number})
        return redirect("orders:reallocation", made.number)
    context: dict[str, Any] = {
        "claim": claim,
        "holders": holders,
        "taken_from": taken_from,
        "quantity_text": f"{quantity.normalize():f}",
        "refusal": "",
        "changes": [],
    }
    try:
        foreseen = foresee_override(
            line_id=line_id, quantity=quantity, taken_from=taken_from, now=timezone.now()
        )
        context |= {"changes": foreseen.changes, "beyond": foreseen.beyond}
    except (BadReallocation, NotEnoughToTake) as refusal:
        context["refusal"] = str(refusal)
    context["losers"] = [each for each in context["changes"] if each.after < each.before]
    return render(request, "orders/take.html", context)


@require_GET
@requires(permissions.VIEW_REALLOCATION)
def reallocation(request: SignedInRequest, number: str) -> HttpResponse:
    """Show one: who gains, who loses, what it is worth by segment, and what became of it."""
    page = _found(request, number, permissions.VIEW_REALLOCATION)
    scope = request.scope(permissions.VIEW_REALLOCATION)
    segments = reallocation_segments(reallocation_id=page.id)
    waiting = approval_waiting_for(
        document_kind="orders.reallocation", document_id=page.id, user=request.user
    )
    context = {
        "run": page,
        "segments": segments,
        "bars": [
            {"label": f"{each.segment} {when}", "value": value, "tone": tone}
            for each in segments
            for when, value, tone in (
                (_("before"), each.before, "muted"),
                (_("after"), each.after, "accent"),
            )
        ],
        "gainers": reallocation_changes(
            reallocation_id=page.id, which="gainers", limit=CHANGES_SHOWN
        ),
        "losers": reallocation_changes(
            reallocation_id=page.id, which="losers", limit=CHANGES_SHOWN
        ),
        "timeline": [
            {
                "at": row.at,
                "text": TOLD.get(row.action, row.action),
                "detail": " · ".join(part for part in (row.actor_name, row.reason) if part),
            }
            for row in timeline(thread=page.thread, entity_ids=scope, limit=50)
        ],
        "state_name": Reallocation.State(page.state).label,
        "may_commit": page.state == "simulated"
        and page.entity_id in request.scope(permissions.REALLOCATE),
        "may_discard": page.state not in {"committed", "discarded"}
        and page.entity_id in request.scope(permissions.REALLOCATE),
        "may_approve": waiting is not None
        and page.state == "awaiting_approval"
        and page.entity_id in request.scope(permissions.APPROVE_REALLOCATION),
    }
    return render(request, "orders/reallocation.html", context)


@require_POST
@requires(permissions.REALLOCATE)
def commit_reallocation(request: SignedInRequest, number: str) -> HttpResponse:
    """Do it, or ask whoever has to agree."""
    page = _found(request, number, permissions.REALLOCATE)
    made = commit_run(reallocation_id=page.id, actor=request.user, now=timezone.now())
    is_done = made.state == Reallocation.State.COMMITTED
    said = _("%(n)s was committed.") if is_done else _("%(n)s waits for approval.")
    messages.success(request, said % {"n": number})
    return redirect("orders:reallocation", number)


@require_POST
@requires(permissions.REALLOCATE)
def discard_reallocation(request: SignedInRequest, number: str) -> HttpResponse:
    """Let it go."""
    page = _found(request, number, permissions.REALLOCATE)
    reason = request.POST.get("reason", "")
    discard_run(reallocation_id=page.id, reason=reason, actor=request.user, now=timezone.now())
    messages.success(request, _("%(n)s was let go: nothing was changed.") % {"n": number})
    return redirect("orders:reallocation", number)


@require_POST
@requires(permissions.APPROVE_REALLOCATION)
def agree_reallocation(request: SignedInRequest, number: str) -> HttpResponse:
    """Agree to what others lose."""
    page = _found(request, number, permissions.APPROVE_REALLOCATION)
    approve_reallocation(reallocation_id=page.id, actor=request.user, now=timezone.now())
    messages.success(request, _("You agreed to %(n)s.") % {"n": number})
    return redirect("orders:reallocation", number)


@require_POST
@requires(permissions.APPROVE_REALLOCATION)
def refuse_reallocation(request: SignedInRequest, number: str) -> HttpResponse:
    """Refuse it, and say why."""
    page = _found(request, number, permissions.APPROVE_REALLOCATION)
    reason = request.POST.get("reason", "")
    reject_reallocation(
        reallocation_id=page.id, reason=reason, actor=request.user, now=timezone.now()
    )
    messages.success(request, _("%(n)s was refused.") % {"n": number})
    return redirect("orders:reallocation", number)


def _found(request: SignedInRequest, number: str, permission: str) -> ReallocationPage:
    page = reallocation_page(number=number, entity_ids=request.scope(permission))
    if page is None:
        raise Http404
    return page


def _holders(request: SignedInRequest, claim: Claim) -> list[Claim]:
    """Return the other lines of the company from which stock may be taken for one."""
    found = claims_on(product=claim.product, entity_ids=request.scope(permissions.OVERRIDE))
    return [
        each
        for each in found
        if each.entity == claim.entity and each.id != claim.id and each.may_give
    ]


def _number(text: str | None, otherwise: Decimal) -> Decimal:
    """Return a quantity as typed, to a thousandth; nothing typed is all that waits."""
    if not text or len(text) > DIGITS_MAX:
        return otherwise
    try:
        value = Decimal(text.strip())
        return value.quantize(Decimal("0.001")) if value.is_finite() else Decimal(0)
    except InvalidOperation:
        return Decimal(0)

"""The order board."""

from collections import Counter

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.models import Order
from orders.selectors import STAGES, BoardFilters, board_totals, order_board, stages
from orders.services import lift_holds_bulk, reevaluate_holds, submit_orders

PAGE = 100
LABELS = {
    "open": gettext_lazy("Open"),
    "draft": gettext_lazy("Drafts"),
    "held": gettext_lazy("On hold"),
    "waiting": gettext_lazy("Waiting for stock"),
    "allocated": gettext_lazy("Allocated"),
    "fulfilling": gettext_lazy("Being fulfilled"),
    "shipped": gettext_lazy("Shipped"),
    "invoiced": gettext_lazy("Invoiced"),
    "closed": gettext_lazy("Closed"),
    "cancelled": gettext_lazy("Cancelled"),
}


OVER = ("invoiced", "closed", "cancelled")  # not counted: they are most orders of all time
STAGE_OF = {"": "open", "all": ""}


@require_GET
@requires(permissions.VIEW)
def board(request: SignedInRequest) -> HttpResponse:
    """Show the orders that the filters in the address leave, page by page."""
    scope, asked = request.scope(permissions.VIEW), request.GET
    view, stage = asked.get("view", ""), asked.get("stage", "")
    filters = BoardFilters(
        stage=STAGE_OF.get(stage, stage),
        text=asked.get("q", ""),
        customer=asked.get("customer", "")[:40],
        author_id=request.user.pk if view == "mine" else None,
        late_on=timezone.localdate() if view == "late" else None,
        sort=asked.get("sort", "-number"),
    )
    after = asked.get("after", "")
    page = order_board(entity_ids=scope, filters=filters, after=after, limit=PAGE)
    counts: Counter[str] = Counter()
    for each in stages(entity_ids=scope):
        counts[each.state] += each.count
    context = {
        "rows": page.rows,
        "next_cursor": page.after,
        "totals": board_totals(entity_ids=scope, filters=filters),
        "stages": [
            *(
                ("" if key == "open" else key, label, sum(counts[s] for s in STAGES[key]))
                for key, label in LABELS.items()
                if key not in OVER
            ),
            *((key, LABELS[key]) for key in OVER),
            ("all", _("All")),
        ],
        "views": [("", _("Everybody's")), ("mine", _("Mine")), ("late", _("Past promise"))],
        "text": filters.text,
        "customer": filters.customer,
        "may_enter": request.user.has_perm(permissions.SUBMIT),
        "may_release": request.user.has_perm(permissions.RELEASE),
    }
    return render(request, "orders/board.html", context)


@require_POST
@requires(permissions.SUBMIT)
def submit_many(request: SignedInRequest) -> HttpResponse:
    """Check and release the drafts that were ticked."""
    chosen = [int(text) for text in request.POST.getlist("id") if text.isdecimal()]
    drafts = Order.objects.filter(
        pk__in=chosen, state=Order.State.DRAFT, entity_id__in=request.scope(permissions.SUBMIT)
    )
    ids = list(drafts.values_list("pk", flat=True))
    found = submit_orders(order_ids=ids, actor=request.user, now=timezone.now()) if ids else []
    held = sum(bool(each.holds) for each in found)
    said = ngettext("%(n)d order was submitted", "%(n)d orders were submitted", len(found))
    more = _(", %(held)d of them held.") % {"held": held} if held else "."
    messages.success(request, said % {"n": len(found)} + more)
    return redirect("orders:board")


@require_POST
@requires(permissions.RELEASE)
def reevaluate_many(request: SignedInRequest) -> HttpResponse:
    """Ask the checks of the ticked held orders again; those that all clear go on."""
    found = reevaluate_holds(
        order_ids=_held(request),
        cause=_("Checked again from the board"),
        actor=request.user,
        now=timezone.now(),
    )
    gone = sum(not each.holds for each in found)
    said = _("%(gone)d of %(n)d orders went on.") % {"gone": gone, "n": len(found)}
    messages.success(request, said)
    return redirect("orders:board")


@require_POST
@requires(permissions.RELEASE)
def lift_many(request: SignedInRequest) -> HttpResponse:
    """Lift those holds of the ticked orders that this person may lift."""
    found = lift_holds_bulk(
        order_ids=_held(request),
        actor=request.user,
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
    )
    refused = [each for each in found if each.refusal is not None]
    said = ngettext("%(n)d hold was lifted", "%(n)d holds were lifted", len(found) - len(refused))
    more = _(", %(n)d were not: %(why)s") if refused else "."
    why = {"n": len(refused), "why": str(refused[0].refusal) if refused else ""}
    messages.success(request, said % {"n": len(found) - len(refused)} + more % why)
    return redirect("orders:board")


def _held(request: SignedInRequest) -> list[int]:
    """Return the ticked orders that are held and within reach."""
    chosen = [int(text) for text in request.POST.getlist("id") if text.isdecimal()]
    held = Order.objects.filter(
        pk__in=chosen, state=Order.State.HELD, entity_id__in=request.scope(permissions.RELEASE)
    )
    return list(held.values_list("pk", flat=True))

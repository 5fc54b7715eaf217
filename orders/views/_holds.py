"""The hold queue: look, release, ask again, force."""

from collections import Counter

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.models import Hold, Order
from orders.selectors import HoldFilters, hold_counts, hold_queue
from orders.services import force_holds, lift_holds_bulk, reevaluate_holds
from orders.services.claiming import claim_holds, give_back_holds

PAGE = 100
AGES = (0, 1, 3, 7)
SAID_MAX = 5


@require_GET
@requires(permissions.VIEW)
def holds(request: SignedInRequest) -> HttpResponse:
    """Show every held order of the entities in view, most money first."""
    scope, asked = request.scope(permissions.VIEW), request.GET
    days = asked.get("days", "")
    filters = HoldFilters(
        kind=asked.get("kind", "")[:20],
        owner=asked.get("owner", "")[:30],
        days=int(days) if days in {"1", "3", "7"} else 0,
        customer=asked.get("customer", "").replace("\0", "")[:40],
        assignee={"mine": request.user.pk, "nobody": 0}.get(asked.get("whose", "")),
    )
    rows, following = hold_queue(
        entity_ids=scope, filters=filters, now=timezone.now(), after=asked.get("after", ""),
        limit=PAGE,
    )  # fmt: skip
    kinds: Counter[str] = Counter()
    owners: Counter[str] = Counter()
    for each in hold_counts(entity_ids=scope):
        kinds[each["kind"]] += each["count"]
        owners[each["owner_role"]] += each["count"]
    labels = dict(Role.choices)
    context = {
        "rows": rows,
        "next_cursor": following,
        "kinds": [
            ("", _("All"), sum(kinds.values())),
            *((kind, label, kinds[kind]) for kind, label in Hold.Kind.choices if kinds[kind]),
        ],
        "owners": [
            ("", _("Everybody's")),
            *((role, labels.get(role, role), count) for role, count in sorted(owners.items())),
        ],
        "ages": [("" if not d else str(d), _("Any age") if not d else f"> {d} d") for d in AGES],
        "whose": [("", _("All")), ("mine", _("Mine")), ("nobody", _("Nobody's yet"))],
        "may_release": request.user.has_perm(permissions.RELEASE),
    }
    return render(request, "orders/holds.html", context)


@require_POST
@requires(permissions.RELEASE)
def lift_queued(request: SignedInRequest) -> HttpResponse:
    """Lift the holds of the ticked orders, each that this person may lift."""
    done = lift_holds_bulk(
        order_ids=_chosen(request),
        actor=request.user,
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
    )
    lifted = [each for each in done if each.refusal is None]
    if lifted:
        said = ngettext("%(n)d hold was lifted.", "%(n)d holds were lifted.", len(lifted))
        messages.success(request, said % {"n": len(lifted)})
    refused = [each for each in done if each.refusal is not None]
    for each in refused[:SAID_MAX]:
        messages.warning(request, f"{each.number}: {each.refusal}")
    if len(refused) > SAID_MAX:
        messages.warning(request, _("… and %(n)d more.") % {"n": len(refused) - SAID_MAX})
    return redirect("orders:holds")


@require_POST
@requires(permissions.RELEASE)
def claim_many(request: SignedInRequest) -> HttpResponse:
    """Take the ticked orders' holds to work on, those that this person may lift."""
    taken = claim_holds(order_ids=_chosen(request), actor=request.user, now=timezone.now())
    said = ngettext("%(n)d hold is yours now.", "%(n)d holds are yours now.", len(taken))
    messages.success(request, said % {"n": len(taken)})
    return redirect(f"{reverse('orders:holds')}?whose=mine")


@require_POST
@requires(permissions.RELEASE)
def give_back_many(request: SignedInRequest) -> HttpResponse:
    """Give back the ticked orders' holds that this person had taken."""
    gone = give_back_holds(order_ids=_chosen(request), actor=request.user, now=timezone.now())
    said = ngettext("%(n)d hold was given back.", "%(n)d holds were given back.", len(gone))
    messages.info(request, said % {"n": len(gone)})
    return redirect("orders:holds")


@require_POST
@requires(permissions.RELEASE)
def ask_many(request: SignedInRequest) -> HttpResponse:
    """Ask the checks again about the ticked orders; what passes goes on."""
    done = reevaluate_holds(
        order_ids=_chosen(request),
        cause=_("Asked again by hand"),
        actor=request.user,
        now=timezone.now(),
    )
    gone = sum(not each.holds for each in done)
    said = _("%(gone)d of %(all)d went on; the others still wait.")
    messages.info(request, said % {"gone": gone, "all": len(done)})
    return redirect("orders:holds")


@require_POST
@requires(permissions.RELEASE)
def force_many(request: SignedInRequest) -> HttpResponse:
    """Hold the ticked orders until a person lets them go, whatever their checks say."""
    done = force_holds(
        order_ids=_chosen(request),
        actor=request.user,
        reason=request.POST.get("reason", ""),
        now=timezone.now(),
    )
    said = ngettext("%(n)d order is held by force.", "%(n)d orders are held by force.", len(done))
    messages.success(request, said % {"n": len(done)})
    return redirect("orders:holds")


def _chosen(request: SignedInRequest) -> list[int]:
    """Return the ticked orders that are this person's to let go."""
    ticked = [int(text) for text in request.POST.getlist("id") if text.isdecimal()][:500]
    within = Order.objects.filter(pk__in=ticked, entity_id__in=request.scope(permissions.RELEASE))
    return list(within.values_list("pk", flat=True))

"""Pages of what is kept for customers without an order."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Entity
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.forms import SetAsideForm
from orders.models import Order
from orders.selectors import SetAsideRow, set_asides
from orders.services.reserving import (
    extend_set_aside,
    give_back_set_aside,
    set_aside,
    use_set_aside,
)

PAGE, ID_MAX = 100, 2**63 - 1
MORE_DAYS = 7
STATES = (
    ("", gettext_lazy("Kept")),
    ("used", gettext_lazy("Used")),
    ("lapsed", gettext_lazy("Lapsed")),
    ("released", gettext_lazy("Given back")),
)


@require_GET
@requires(permissions.VIEW)
def set_aside_list(request: SignedInRequest) -> HttpResponse:
    """Show what is kept, for whom and until when; `?product=` is what the finder asks."""
    scope, asked = request.scope(permissions.VIEW), request.GET
    state = asked.get("state", "")
    after = asked.get("after", "")
    is_id = after.isascii() and after.isdecimal() and len(after) < 20  # noqa: PLR2004
    rows = set_asides(
        entity_ids=scope,
        state=state if state in {"used", "lapsed", "released"} else "kept",
        customer=asked.get("customer", "")[:40],
        product=asked.get("product", "")[:40],
        before=min(int(after), ID_MAX) if is_id else None,
        limit=PAGE + 1,
    )
    may = request.scope(permissions.SET_ASIDE)
    context = {
        "rows": rows[:PAGE],
        "next_cursor": rows[PAGE - 1].id if len(rows) > PAGE else "",
        "states": STATES,
        "product": asked.get("product", "")[:40],
        "may": bool(may),
        "form": SetAsideForm(owners=_owners(may), initial=asked.dict()),
    }
    return render(request, "orders/set_asides.html", context)


@require_POST
@requires(permissions.SET_ASIDE)
def new_set_aside(request: SignedInRequest) -> HttpResponse:
    """Keep so much of a product for a customer."""
    scope = request.scope(permissions.SET_ASIDE)
    form = SetAsideForm(request.POST, owners=_owners(scope))
    if not form.is_valid():
        context = {"rows": [], "states": STATES, "may": True, "form": form}
        return render(request, "orders/set_asides.html", context, status=422)
    last = datetime.combine(form.cleaned_data["until"], time(23, 59))
    draft = form.draft(until=timezone.make_aware(last))
    made = set_aside(draft=draft, actor=request.user, now=timezone.now())
    messages.success(request, _("%(number)s is kept.") % {"number": made.number})
    return redirect("orders:set_asides")


@require_POST
@requires(permissions.SET_ASIDE)
def release_set_aside(request: SignedInRequest, number: str) -> HttpResponse:
    """Give it back."""
    kept = _kept(request, number)
    give_back_set_aside(set_aside_id=kept.id, actor=request.user, now=timezone.now())
    messages.success(request, _("%(number)s was given back.") % {"number": number})
    return redirect("orders:set_asides")


@require_POST
@requires(permissions.SET_ASIDE)
def prolong_set_aside(request: SignedInRequest, number: str) -> HttpResponse:
    """Keep it a week longer."""
    kept, now = _kept(request, number), timezone.now()
    until = kept.kept_until + timedelta(days=MORE_DAYS)
    extend_set_aside(set_aside_id=kept.id, until=until, actor=request.user, now=now)
    messages.success(request, _("%(number)s is kept a week longer.") % {"number": number})
    return redirect("orders:set_asides")


@require_POST
@requires(permissions.SET_ASIDE)
def give_to_order(request: SignedInRequest, number: str) -> HttpResponse:
    """Give it to a released order of the same customer."""
    kept = _kept(request, number)
    asked = request.POST.get("reason", "").replace("\0", "").strip()[:20]
    scope = request.scope(permissions.SET_ASIDE)
    order = Order.objects.filter(number=asked, entity_id__in=scope).first()
    if order is None:
        raise Http404
    use_set_aside(set_aside_id=kept.id, order_id=order.pk, actor=request.user, now=timezone.now())
    said = {"number": number, "order": order.number}
    messages.success(request, _("%(number)s went to %(order)s.") % said)
    return redirect("orders:page", order.number)


def _kept(request: SignedInRequest, number: str) -> SetAsideRow:
    scope = request.scope(permissions.SET_ASIDE)
    found = set_asides(entity_ids=scope, number=number, limit=1)
    if not found:
        raise Http404
    return found[0]


def _owners(scope: frozenset[int]) -> list[tuple[int, str]]:
    return list(Entity.objects.filter(pk__in=scope).order_by("code").values_list("pk", "code"))

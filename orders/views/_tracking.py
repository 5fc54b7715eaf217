"""The page a customer opens by a signed link, and what is set about it on the order's page."""

import time
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import public, requires
from erp.kernel.breaker import Breaker
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.selectors import OrderPage, TrackedOrder, followers_of, order_page, tracked_order
from orders.services.telling import (
    SubscriptionDraft,
    follow_milestones,
    revoke_tracking,
    stop_following,
)

PER_MINUTE = 30  # pages that one address opens, found or not
SECONDS = 60
TOKEN_MAX = 200
# Why an order waits is ours to know.
STATES = {
    "draft": gettext_lazy("Being written"),
    "submitted": gettext_lazy("Being checked"),
    "held": gettext_lazy("Being checked"),
    "released": gettext_lazy("Confirmed"),
    "backordered": gettext_lazy("Waiting for goods"),
    "partly_allocated": gettext_lazy("Being prepared"),
    "allocated": gettext_lazy("Being prepared"),
    "fulfilling": gettext_lazy("Being packed"),
    "partly_shipped": gettext_lazy("Partly on its way"),
    "shipped": gettext_lazy("On its way"),
    "invoiced": gettext_lazy("On its way"),
    "closed": gettext_lazy("On its way"),
    "cancelled": gettext_lazy("Cancelled"),
}
SHIPMENT_STATES = {
    "planned": gettext_lazy("Being prepared"),
    "picked": gettext_lazy("Picked"),
    "packed": gettext_lazy("Packed"),
    "shipped": gettext_lazy("On its way"),
    "delivered": gettext_lazy("Delivered"),
    "failed": gettext_lazy("Could not be delivered"),
}
breaker = Breaker("counting tracking pages")


@require_GET
@public
def track(request: HttpRequest, token: str) -> HttpResponse:
    """Show one order to whoever holds a link to it that is signed, young enough and not revoked."""
    if _is_too_often(request):
        return _plain(request, "orders/track_closed.html", {"too_often": True}, 429)
    found = tracked_order(token=token) if len(token) <= TOKEN_MAX else None
    if found is None:
        return _plain(request, "orders/track_closed.html", {}, 404)
    context = {
        "order": found,
        "state": _("Delivered") if found.is_delivered else STATES[found.state],
        "steps": _steps(found),
        "shipments": [{**each, "said": SHIPMENT_STATES[each["state"]]} for each in found.shipments],
    }
    return _plain(request, "orders/track.html", context, 200)


@require_POST
@requires(permissions.FOLLOW)
def revoke(request: SignedInRequest, number: str) -> HttpResponse:
    """Make the links to an order that are about worthless."""
    page = _found(request, number)
    revoke_tracking(order_id=page.id, actor=request.user, now=timezone.now())
    messages.success(
        request, _("Links to %(n)s that were given away open nothing now.") % {"n": number}
    )
    return redirect("orders:page", number)


@require_POST
@requires(permissions.FOLLOW)
def follow(request: SignedInRequest, number: str) -> HttpResponse:
    """Have somebody told of the milestones of this order, or of all of its customer."""
    page, data = _found(request, number), request.POST
    channel = data.get("channel", "email")
    draft = SubscriptionDraft(
        entity_id=page.entity_id,
        customer_id=page.customer_id,
        channel=channel,
        address=data.get("address", "")[:254] if channel == "email" else "",
        order_id=None if data.get("every") else page.id,
    )
    follow_milestones(draft=draft, actor=request.user, now=timezone.now())
    messages.success(request, _("They are told from now on."))
    return redirect("orders:page", number)


@require_POST
@requires(permissions.FOLLOW)
def unfollow(request: SignedInRequest, number: str, subscription_id: int) -> HttpResponse:
    """Tell a party nothing more."""
    page = _found(request, number)
    if subscription_id not in {each.id for each in followers_of(order_id=page.id)}:
        raise Http404
    stop_following(subscription_id=subscription_id, actor=request.user, now=timezone.now())
    messages.info(request, _("They are told nothing more."))
    return redirect("orders:page", number)


def _plain(
    request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    """Answer a page that nobody finds, keeps or tells where it came from."""
    response = render(request, template, context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "private, no-store"
    return response


def _steps(found: TrackedOrder) -> list[dict[str, Any]]:
    """Return the milestones with the moments at which they were reached."""
    sent = found.shipments

    def last(name: str) -> Any:
        """Return when the last of the shipments got there; none until all have."""
        moments = [each[name] for each in sent]
        return max(moments) if moments and all(moments) else None

    if found.cancelled_at:
        return [
            {"label": _("Received"), "at": found.submitted_at or found.created_at, "state": "done"},
            {"label": _("Cancelled"), "at": found.cancelled_at, "state": "bad"},
        ]
    reached = [
        (_("Received"), found.submitted_at or found.created_at),
        (_("Confirmed"), found.released_at),
        (_("Picked"), last("picked_at")),
        (_("Packed"), last("packed_at")),
        (_("Shipped"), found.shipped_at),
        (_("Delivered"), last("delivered_at") if found.is_delivered else None),
        (_("Invoiced"), found.invoiced_at),
    ]
    return [{"label": label, "at": at, "state": "done" if at else ""} for label, at in reached]


def _is_too_often(request: HttpRequest) -> bool:
    """Count what an address opened this minute; a cache that does not answer refuses nobody."""
    window = int(time.time() // SECONDS)
    key = f"tracking:{request.META.get('REMOTE_ADDR', '')}:{window}"

    def count() -> int:
        if cache.add(key, 1, timeout=SECONDS + 1):
            return 1
        return int(cache.incr(key))

    return breaker.attempt(count, otherwise=0) > PER_MINUTE


def _found(request: SignedInRequest, number: str) -> OrderPage:
    page = order_page(number=number, entity_ids=request.scope(permissions.FOLLOW))
    if page is None:
        raise Http404
    return page

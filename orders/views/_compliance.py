"""Compliance: matches to review, licences, restrictions, exceptions, certificates, lists."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.models import PartyMatch
from orders.selectors import (
    certificates_within,
    exceptions_within,
    last_screening,
    licence_list,
    party_lists,
    party_matches,
    restrictions_within,
)
from orders.services.complying import review_match

PAGE = 100
ROWS_MAX = 200
TABS = {
    "licences": gettext_lazy("Licences"),
    "rules": gettext_lazy("Restrictions and exceptions"),
    "certificates": gettext_lazy("Certificates"),
    "lists": gettext_lazy("Denied-party lists"),
}


@require_GET
@requires(permissions.VIEW_COMPLIANCE)
def compliance(request: SignedInRequest) -> HttpResponse:
    """Show what the law asks of orders, by what it is."""
    scope = request.scope(permissions.VIEW_COMPLIANCE)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else "licences"
    context: dict[str, object] = {"tab": tab, "tabs": list(TABS.items())}
    if tab == "licences":
        context["licences"] = licence_list(entity_ids=scope)
    elif tab == "rules":
        context["restrictions"] = list(restrictions_within(scope).order_by("code")[:ROWS_MAX])
        context["exceptions"] = list(exceptions_within(scope).order_by("code")[:ROWS_MAX])
    elif tab == "certificates":
        found = certificates_within(scope).order_by("valid_until", "id")
        context["certificates"] = list(found[:ROWS_MAX])
    else:
        context |= {"lists": party_lists(), "walk": last_screening()}
    return render(request, "orders/compliance.html", context)


@require_GET
@requires(permissions.REVIEW_MATCH)
def matches(request: SignedInRequest) -> HttpResponse:
    """Show the matches to review, and both sides of one of them."""
    scope, asked = request.scope(permissions.REVIEW_MATCH), request.GET
    wanted = asked.get("state", "")
    state = wanted if wanted in PartyMatch.State.values else PartyMatch.State.OPEN.value
    rows, following = party_matches(
        entity_ids=scope, state=state, after=asked.get("after", ""), limit=PAGE
    )
    chosen = [row for row in rows if str(row.id) == asked.get("match", "")] or rows[:1]
    context = {
        "rows": rows,
        "next_cursor": following,
        "match": chosen[0] if chosen else None,
        "states": [("", _("To review")), *PartyMatch.State.choices[1:]],
    }
    return render(request, "orders/matches.html", context)


@require_POST
@requires(permissions.REVIEW_MATCH)
def review(request: SignedInRequest, match_id: int, verdict: str) -> HttpResponse:
    """Confirm or reject a match."""
    scope = request.scope(permissions.REVIEW_MATCH)
    found = [
        row
        for state in PartyMatch.State.values
        for row in party_matches(entity_ids=scope, state=state, match_id=match_id)[0]
    ]
    if not found:
        raise Http404
    review_match(
        match_id=match_id,
        is_real=verdict == "confirm",
        reason=request.POST.get("reason", ""),
        actor=request.user,
        now=timezone.now(),
    )
    said = _("%(party)s: confirmed.") if verdict == "confirm" else _("%(party)s: rejected.")
    messages.success(request, said % {"party": found[0].party})
    return redirect("orders:matches")

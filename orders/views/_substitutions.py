"""What customers are to be asked about: another product in place of theirs."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from orders import permissions
from orders.selectors import substitution_rows
from orders.services.substituting import accept_substitution, decline_substitution

SHOWN = 200
RECENT = 50
VERBS: dict[str, Any] = {"accept": accept_substitution, "decline": decline_substitution}


@require_GET
@requires(permissions.VIEW)
def substitutions(request: SignedInRequest) -> HttpResponse:
    """Show what is to be asked, and what was answered or sent unasked lately."""
    scope = request.scope(permissions.VIEW)
    recent = substitution_rows(entity_ids=scope, limit=RECENT)
    context = {
        "open": substitution_rows(entity_ids=scope, state="proposed", limit=SHOWN),
        "recent": [row for row in recent if row.state != "proposed"],
        "may_answer": bool(request.scope(permissions.SUBMIT)),
    }
    return render(request, "orders/substitutions.html", context)


@require_POST
@requires(permissions.SUBMIT)
def answer_substitution(request: SignedInRequest, substitution_id: int, verb: str) -> HttpResponse:
    """Take the customer's word on one."""
    scope = request.scope(permissions.SUBMIT)
    found = substitution_rows(entity_ids=scope, ids=[substitution_id])
    if not found or verb not in VERBS:
        raise Http404
    VERBS[verb](
        substitution_id=substitution_id,
        answer=request.POST.get("reason", "").strip(),
        actor=request.user,
        now=timezone.now(),
    )
    said = {
        "accept": _("%(other)s goes out on %(number)s."),
        "decline": _("%(number)s waits on: %(other)s is not wanted."),
    }[verb]
    messages.success(request, said % {"other": found[0].other, "number": found[0].order_number})
    if request.POST.get("back") == "order":
        return redirect("orders:page", found[0].order_number)
    return redirect("orders:substitutions")

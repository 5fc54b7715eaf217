"""The page of the audit trail."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from erp.governance import permissions
from erp.governance.selectors import audit_page
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest


@require_GET
@requires(permissions.VIEW_AUDIT)
def audit(request: SignedInRequest) -> HttpResponse:
    """Show who did what, the newest first."""

    def typed(name: str) -> str:
        return request.GET.get(name, "").replace("\0", "").strip()[:64]

    rows, following = audit_page(
        entity_ids=request.scope(permissions.VIEW_AUDIT),
        actor=typed("actor"),
        action=typed("action"),
        thread=typed("thread"),
        after=typed("after"),
    )
    context = {
        "rows": rows,
        "next_cursor": following,
        "asked": {name: typed(name) for name in ("actor", "action", "thread")},
    }
    return render(request, "governance/audit.html", context)

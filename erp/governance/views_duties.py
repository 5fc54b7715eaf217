"""Pages about duties: who holds conflicting ones, what bears it, who approves for one another."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import User
from erp.governance import permissions
from erp.governance.api.audit import csv_lines, json_lines
from erp.governance.models import DutyMitigation
from erp.governance.selectors import (
    approval_rings,
    audit_export,
    duty_conflicts,
    role_conflicts,
    timeline,
    verify_audit,
)
from erp.governance.services import mitigate_conflict, revoke_mitigation
from erp.kernel.access import requires, signed_in
from erp.kernel.http import SignedInRequest

# Who may read a record may read its story.
STORIES = {
    "orders.order": "orders.view_order",
    "orders.customer": "orders.view_customer",
    "inventory.product": "inventory.view_product",
    "procurement.order": "procurement.view_purchaseorder",
    "procurement.supplier": "procurement.view_supplier",
    "finance.payment": "finance.view_payment",
    "finance.period": "finance.view_journalentry",
    "governance.policy": permissions.VIEW_POLICY,
    "accounts.user": permissions.VIEW_AUDIT,
}
DAYS = 90
DAYS_MAX = 3 * 366
STORY_MAX = 50


@require_GET
@signed_in
def story(request: SignedInRequest, kind: str, subject: int) -> HttpResponse:
    """Show what happened to one record, to who may read such records: a part of its page."""
    permission = STORIES.get(kind, "")
    if not permission or not request.user.has_perm(permission):
        raise Http404
    found = timeline(
        thread=f"{kind}:{subject}", entity_ids=request.scope(permission), limit=STORY_MAX
    )
    return render(request, "governance/_story_rows.html", {"rows": found})


@require_GET
@requires(permissions.VIEW_DUTIES)
def duties(request: SignedInRequest) -> HttpResponse:
    """Show who holds conflicting duties and through what; what is borne stands below."""
    now = timezone.now()
    found = duty_conflicts(entity_ids=request.scope(permissions.VIEW_DUTIES), now=now)
    context = {
        "counting": [row for row in found if row.counts],
        "borne": [row for row in found if not row.counts],
        "roles": role_conflicts(entity_id=None, now=now),
        "may_mitigate": request.user.has_perm(permissions.MITIGATE_DUTIES),
        "tab": "conflicts",
    }
    return render(request, "governance/duties.html", context)


@require_GET
@requires(permissions.VIEW_DUTIES)
def rings(request: SignedInRequest) -> HttpResponse:
    """Show who approved for one another in the last days (`?days=`, ninety unless told)."""
    asked = request.GET.get("days", "")
    days = min(int(asked), DAYS_MAX) if asked.isdecimal() and len(asked) < 6 else DAYS  # noqa: PLR2004
    found = approval_rings(
        entity_ids=request.scope(permissions.VIEW_DUTIES),
        since=timezone.now() - timedelta(days=days),
    )
    return render(request, "governance/rings.html", {"rings": found, "days": days, "tab": "rings"})


@require_POST
@requires(permissions.MITIGATE_DUTIES)
def mitigate(request: SignedInRequest) -> HttpResponse:
    """Record why a conflict is borne until a day."""
    posted = request.POST
    entity_id, person = posted.get("entity", ""), posted.get("person", "")
    scope = request.scope(permissions.MITIGATE_DUTIES)
    is_shaped = all(each.isdecimal() and len(each) < 19 for each in (entity_id, person))  # noqa: PLR2004
    if not is_shaped or int(entity_id) not in scope:
        raise Http404
    who = User.objects.filter(pk=int(person)).first()
    if who is None:
        raise Http404
    now = timezone.now()
    day = parse_date(posted.get("until", "")[:10]) if posted.get("until") else None
    until = timezone.make_aware(datetime.combine(day, time.min)) if day else now
    mitigate_conflict(
        person=who,
        entity_id=int(entity_id),
        one=posted.get("one", "")[:100],
        other=posted.get("other", "")[:100],
        reason=posted.get("reason", "").replace("\0", ""),
        until=until,
        actor=request.user,
        now=now,
    )
    messages.success(request, _("It is borne until then."))
    return redirect("governance:duties")


@require_POST
@requires(permissions.MITIGATE_DUTIES)
def revoke(request: SignedInRequest, mitigation_id: int) -> HttpResponse:
    """Let a borne conflict count again."""
    scope = request.scope(permissions.MITIGATE_DUTIES)
    if not DutyMitigation.objects.filter(pk=mitigation_id, entity_id__in=scope).exists():
        raise Http404
    revoke_mitigation(mitigation_id=mitigation_id, actor=request.user, now=timezone.now())
    messages.success(request, _("The conflict counts again."))
    return redirect("governance:duties")


@require_POST
@requires(permissions.VIEW_AUDIT)
def verify(request: SignedInRequest) -> HttpResponse:
    """Prove the chains of the audit trail and show what was found."""
    report = verify_audit(entity_ids=request.scope(permissions.VIEW_AUDIT))
    return render(request, "governance/chain.html", {"report": report})


@require_GET
@requires(permissions.VIEW_AUDIT)  # type: ignore[arg-type]  # it streams
def export(request: SignedInRequest, form: str) -> StreamingHttpResponse:
    """Stream the trail as it is filtered, up to 100,000 entries: as CSV or as JSON lines."""

    def typed(name: str) -> str:
        return request.GET.get(name, "").replace("\0", "").strip()[:64]

    found = audit_export(
        entity_ids=request.scope(permissions.VIEW_AUDIT),
        actor=typed("actor"),
        action=typed("action"),
        thread=typed("thread"),
    )
    lines = csv_lines(found) if form == "csv" else json_lines(found)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson"
    answer = StreamingHttpResponse(lines, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return answer

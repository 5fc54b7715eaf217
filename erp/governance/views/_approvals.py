"""The inbox: what waits for a person's decision, what it brings about, and what they say to it."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role
from erp.governance import permissions
from erp.governance.documents import document_kind, kind_name
from erp.governance.selectors import (
    InboxFilters,
    PendingApproval,
    StepRow,
    TimelineRow,
    approval_page,
    asked_by,
    colleagues,
    decided_lately,
    inbox,
    timeline,
)
from erp.governance.services import (
    Verdict,
    decide_requests,
    delegate_request,
)
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest

PASSED_ON_FOR = timedelta(days=14)
BULK_MAX = 100
TOLD = 12
PARTS = 2  # of a checkbox: id and fingerprint
ENDED = "ended"
VIEWS: Mapping[str, Any] = {
    "": gettext_lazy("To decide"),
    "for-others": gettext_lazy("On behalf of others"),
    "stuck": gettext_lazy("Nobody can decide"),
    "mine": gettext_lazy("In others' hands"),
    "ended": gettext_lazy("Decided lately"),
}
WHY_NOT: Mapping[str, Any] = {
    "own": gettext_lazy("You asked for it or took part: somebody else decides."),
    "delegate": gettext_lazy("You stand in for who asked: somebody else decides."),
    "before": gettext_lazy("You have decided a step of it: the next one is another's."),
}
SAID: Mapping[str, Any] = {
    "governance.request_approval": gettext_lazy("Approval asked for"),
    "governance.approve": gettext_lazy("Agreed"),
    "governance.reject": gettext_lazy("Rejected"),
    "governance.void_approval": gettext_lazy("Request ended"),
    "governance.escalate_approval": gettext_lazy("Handed on"),
    "governance.strand_approval": gettext_lazy("Nobody can decide"),
}


@require_GET
@requires(permissions.VIEW_APPROVAL)
def approvals(request: SignedInRequest) -> HttpResponse:
    """Show what waits for this person, the weightiest first, and one of them beside the list."""
    scope = request.scope(permissions.VIEW_APPROVAL)
    view = request.GET.get("view", "")
    view = view if view in VIEWS else ""
    least = _least(request.GET.get("least", ""))
    filters = InboxFilters(
        view=view if view != ENDED else "",
        text=_typed(request, "q"),
        kind=_typed(request, "kind"),
        least=least if least.is_finite() else None,
    )
    page = inbox(
        user=request.user,
        entity_ids=scope,
        filters=filters,
        now=timezone.now(),
        after=request.GET.get("after", ""),
    )
    settled = {
        "mine": asked_by(user=request.user, entity_ids=scope),
        ENDED: decided_lately(entity_ids=scope),
    }
    rows = [] if view == ENDED else page.rows
    if not page.next_cursor or view == ENDED:
        rows = [*rows, *(row for row in settled.get(view, ()) if _matches(row, request))]
    counts = {name: page.counts.get(name, 0) + len(settled.get(name, ())) for name in VIEWS}
    at = request.GET.get("at", "")
    chosen = next((row for row in rows if str(row.id) == at), None)
    is_live = bool(request.htmx and not request.htmx.boosted)
    # What was decided meanwhile is marked nowhere, so that the next key goes to the first row.
    shown = chosen or (None if is_live else next(iter(rows), None))
    context: dict[str, Any] = {
        "rows": [(row, kind_name(row.document_kind)) for row in rows],
        "at": shown.id if shown else None,
        "view": view,
        "next_cursor": "" if view == ENDED else page.next_cursor,
        "mine": counts[""],
        "views": [(name, label, counts[name]) for name, label in VIEWS.items()],
        "kinds": [(kind, kind_name(kind)) for kind in page.kinds],
        "is_bulk": view in {"", "for-others"},
        "may_delegate": bool(request.scope(permissions.DELEGATE)),
    }
    if shown and not is_live:
        context |= _panel(request, shown)
    return render(request, "governance/approvals.html", context)


@require_GET
@requires(permissions.VIEW_APPROVAL)
def beside(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Show one request: beside the list, or on a page of its own."""
    row = _found(request, approval_id)
    is_part = request.htmx and not request.htmx.boosted
    template = "governance/_approval.html" if is_part else "governance/approval.html"
    return render(request, template, _panel(request, row))


@require_POST
@requires(permissions.VIEW_APPROVAL)
def agree(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Approve a document as it was shown."""
    row = _found(request, approval_id)
    verdict = Verdict(row.id, agrees=True, fingerprint=request.POST.get("fingerprint", ""))
    (outcome,) = decide_requests(verdicts=[verdict], actor=request.user, now=timezone.now())
    if outcome.refusal is not None:
        raise outcome.refusal
    is_open = outcome.approval.state == "pending"
    said = _("You agreed to {document}; others must agree as well.")
    said = said if is_open else _("{document} was approved.")
    messages.success(request, said.format(document=row.label))
    return redirect("governance:approvals")


@require_POST
@requires(permissions.VIEW_APPROVAL)
def refuse(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Reject a document, with the reason."""
    row = _found(request, approval_id)
    verdict = Verdict(row.id, agrees=False, reason=_typed(request, "reason"))
    (outcome,) = decide_requests(verdicts=[verdict], actor=request.user, now=timezone.now())
    if outcome.refusal is not None:
        raise outcome.refusal
    messages.success(request, _("{document} was rejected.").format(document=row.label))
    return redirect("governance:approvals")


@require_POST
@requires(permissions.VIEW_APPROVAL)
def decide_many(request: SignedInRequest) -> HttpResponse:
    """Approve or reject what was selected, each for itself, and show what came of each."""
    agrees, now = request.POST.get("verdict") != "reject", timezone.now()
    rows, verdicts = [], []
    for text in request.POST.getlist("id")[:BULK_MAX]:
        number, _colon, seen = text.partition(":")
        if not number.isdecimal() or len(number) > 18:  # noqa: PLR2004
            raise BadRequest
        rows.append(_found(request, int(number)))
        reason = _typed(request, "reason")
        verdicts.append(Verdict(int(number), agrees=agrees, fingerprint=seen, reason=reason))
    outcomes = decide_requests(verdicts=verdicts, actor=request.user, now=now)
    for outcome in outcomes:
        if outcome.refusal is not None:
            outcome.refusal.follow_up(now)
    results = [
        (row, str(outcome.approval.state), str(outcome.refusal or ""))
        for row, outcome in zip(rows, outcomes, strict=True)
    ]
    done = sum(not why for _row, _state, why in results)
    context = {"results": results, "done": done, "agrees": agrees}
    return render(request, "governance/decided.html", context)


@require_POST
@requires(permissions.DELEGATE)
def pass_on(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Let a colleague decide one request on this person's behalf."""
    row, now = _found(request, approval_id), timezone.now()
    chosen = request.POST.get("to", "")
    people = {str(one.pk): one for one in colleagues(entity_ids=[row.entity_id], user=request.user)}
    if chosen not in people:
        raise Http404
    delegate_request(
        approval_id=row.id,
        delegate=people[chosen],
        ends_at=now + PASSED_ON_FOR,
        actor=request.user,
        now=now,
        reason=_typed(request, "reason"),
    )
    said = _("{person} may decide {document} on your behalf for 14 days.")
    messages.success(request, said.format(person=people[chosen], document=row.label))
    return redirect("governance:approvals")


def _matches(row: PendingApproval, request: SignedInRequest) -> bool:
    text = _typed(request, "q").lower()
    said = f"{row.label} {row.consequence} {row.requested_by}".lower()
    kind = request.GET.get("kind", "")
    least = _least(request.GET.get("least", ""))
    return text in said and kind in {"", row.document_kind} and row.amount >= least


def _least(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity")
    return found if found.is_finite() else Decimal("-Infinity")


def _typed(request: SignedInRequest, name: str) -> str:
    values = request.POST if request.method == "POST" else request.GET
    return values.get(name, "").replace("\0", "").strip()[:300]


def _found(request: SignedInRequest, approval_id: int) -> PendingApproval:
    """Return a request that the person may look at in the entities in view, or 404."""
    found = approval_page(approval_id=approval_id, user=request.user)
    if found is None or found.entity_id not in request.scope(permissions.VIEW_APPROVAL):
        raise Http404
    return found


def _panel(request: SignedInRequest, row: PendingApproval) -> dict[str, Any]:
    """Return what is shown of one request: the consequence, the steps, the story."""
    story = timeline(thread=f"{row.document_kind}:{row.document_id}", entity_ids=[row.entity_id])
    may_pass_on = row.may_decide and not row.acting_for
    return {
        "row": row,
        "kind": kind_name(row.document_kind),
        "href": page_of(row),
        "changes": [effect for effect in row.effects if effect.get("kind") == "change"],
        "money": [effect for effect in row.effects if effect.get("kind") == "money"],
        "losers": row.losers,
        "asked": [(name, value) for name, value in (row.facts or {}).items() if name in SHOWN],
        "steps": [(step, who(step), role_name(step.escalate_to)) for step in row.steps],
        "why_not": WHY_NOT.get(row.unfit, ""),
        "story": [_told(entry) for entry in story[:TOLD]],
        "colleagues": colleagues(entity_ids=[row.entity_id], user=request.user)
        if may_pass_on and request.user.has_perm(permissions.DELEGATE, row.entity_id)
        else [],
    }


SHOWN = ("category", "margin", "losers_value")


def who(step: StepRow) -> str:
    """Return who is asked at a step, as people say it."""
    asked = role_name(step.role) or step.permission
    if not step.escalated_to:
        return asked
    return _("{role}, or {other}").format(role=asked, other=role_name(step.escalated_to))


def role_name(role: str) -> str:
    return str(Role(role).label) if role in Role.values else role


def _told(entry: TimelineRow) -> dict[str, Any]:
    after = entry.after or {}
    behind = after.get("on_behalf_of")
    name = entry.actor_name or "Crossdock"
    by = _("{name} for {principal}").format(name=name, principal=behind) if behind else name
    known = SAID.get(entry.action)
    text = str(known) if known else entry.action.partition(".")[2].replace("_", " ").capitalize()
    return {"at": entry.at, "text": f"{text} · {by}", "detail": entry.reason}


def page_of(row: PendingApproval) -> str:
    """Return the address of the document's page, if it has one; labels begin with its number."""
    kind = document_kind(row.document_kind)
    if kind is None or not kind.page:
        return ""
    try:
        return reverse(kind.page, args=[row.label.partition(" ")[0]])
    except NoReverseMatch:
        return ""

"""The pages of governance: what waits for approval, policies, the audit trail."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.governance import permissions
from erp.governance.selectors import (
    PendingApproval,
    approval_page,
    audit_page,
    decided_lately,
    policies,
    policy_page,
    versions_within,
    waiting_for,
)
from erp.governance.services import (
    Verdict,
    activate_version,
    decide_requests,
    reject,
)
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest

# Where a document's own page is: by url name, for the app above owns it.
PAGES = {"procurement.order": "procurement:order", "orders.order": "orders:order"}


@require_GET
@requires(permissions.VIEW_APPROVAL)
def approvals(request: SignedInRequest) -> HttpResponse:
    """Show what waits for this person, each with what will happen, and the last decisions."""
    entity_ids = request.scope(permissions.VIEW_APPROVAL)
    waiting = waiting_for(user=request.user, entity_ids=entity_ids)
    context = {
        "rows": [(each, _page_of(each)) for each in waiting],
        "mine": sum(not each.is_own for each in waiting),
        "decided": [(each, _page_of(each)) for each in decided_lately(entity_ids=entity_ids)],
    }
    return render(request, "governance/approvals.html", context)


@require_POST
@requires(permissions.VIEW_APPROVAL)
def agree(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Approve a document as it was shown."""
    waiting = _waiting(request, approval_id)
    verdict = Verdict(waiting.id, agrees=True, fingerprint=request.POST.get("fingerprint", ""))
    (outcome,) = decide_requests(verdicts=[verdict], actor=request.user, now=timezone.now())
    if outcome.refusal is not None:
        raise outcome.refusal
    is_open = outcome.approval.state == "pending"
    said = _("You agreed to {document}; others must agree as well.")
    said = said if is_open else _("{document} was approved.")
    messages.success(request, said.format(document=waiting.label))
    return redirect("governance:approvals")


@require_POST
@requires(permissions.VIEW_APPROVAL)
def refuse(request: SignedInRequest, approval_id: int) -> HttpResponse:
    """Reject a document, with the reason."""
    waiting = _waiting(request, approval_id)
    reject(
        approval_id=waiting.id,
        actor=request.user,
        reason=request.POST.get("reason", "").replace("\0", ""),
        now=timezone.now(),
    )
    messages.success(request, _("{document} was rejected.").format(document=waiting.label))
    return redirect("governance:approvals")


@require_GET
@requires(permissions.VIEW_POLICY)
def policy_list(request: SignedInRequest) -> HttpResponse:
    """Show every policy and the version that decides."""
    return render(request, "governance/policies.html", {"rows": policies(now=timezone.now())})


@require_GET
@requires(permissions.VIEW_POLICY)
def policy(request: SignedInRequest, code: str) -> HttpResponse:
    """Show a policy as a table: the version in force unless `?version=` names another."""
    asked = request.GET.get("version", "")
    page = policy_page(
        code=code,
        entity_ids=request.scope(permissions.VIEW_POLICY),
        now=timezone.now(),
        number=int(asked) if asked.isdecimal() and len(asked) < 10 else None,  # noqa: PLR2004
    )
    if page is None:
        raise Http404
    may = request.user.has_perm(permissions.ACTIVATE_POLICY)
    context = {
        "page": page,
        "may_activate": may
        and page.shown.state in {"draft", "reviewed"}
        and page.shown.author_id != request.user.pk
        and not page.problems,
    }
    return render(request, "governance/policy.html", context)


@require_POST
@requires(permissions.ACTIVATE_POLICY)
def activate(request: SignedInRequest, code: str, number: int) -> HttpResponse:
    """Put a version into force that somebody else wrote."""
    scope = request.scope(permissions.ACTIVATE_POLICY)
    version = versions_within(scope).filter(policy__code=code, number=number).first()
    if version is None:
        raise Http404
    everywhere = request.user.entity_ids(permissions.ACTIVATE_POLICY)
    if version.entity_id is None and everywhere < request.user.every_entity:
        raise Http404
    activate_version(version_id=version.pk, actor=request.user, now=timezone.now())
    messages.success(request, _("{policy} v{number} decides from now on.").format(
        policy=code, number=number))  # fmt: skip
    return redirect("governance:policy", code)


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


def _waiting(request: SignedInRequest, approval_id: int) -> PendingApproval:
    found = approval_page(approval_id=approval_id, user=request.user)
    if found is None or found.entity_id not in request.scope(permissions.VIEW_APPROVAL):
        raise Http404
    return found


def _page_of(each: PendingApproval) -> str:
    """Return the address of the document's page, if it has one; labels begin with its number."""
    name, arguments = PAGES.get(each.document_kind, ""), [each.label.partition(" ")[0]]
    try:
        return reverse(name, args=arguments) if name else ""
    except NoReverseMatch:
        return ""

"""The pages of policies and of the audit trail."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.governance import permissions
from erp.governance.selectors import audit_page, policies, policy_page, versions_within
from erp.governance.services import activate_version
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest


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

"""Who stands in for whom, and who is away."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Entity, User
from erp.governance import permissions
from erp.governance.forms import DelegationForm, SpanForm
from erp.governance.selectors import (
    DelegationRow,
    absences_of,
    colleagues,
    delegations_of,
    roles_of,
)
from erp.governance.services import (
    delegate,
    end_absence,
    report_absence,
    revoke_delegation,
)
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest

USUAL = timedelta(days=7)


@require_GET
@requires(permissions.DELEGATE)
def standing_in(request: SignedInRequest) -> HttpResponse:
    """Show whom this person stands in for, who stands in for them, and when they are away."""
    return _page(request, _delegation_form(request), _absence_form(request))


@require_POST
@requires(permissions.DELEGATE)
def hand_over(request: SignedInRequest) -> HttpResponse:
    """Let a colleague decide on this person's behalf for a while."""
    form = _delegation_form(request, bound=True)
    if not form.is_valid():
        return _page(request, form, _absence_form(request), status=422)
    starts_at, ends_at = form.span()
    made = delegate(
        delegator=request.user,
        delegate=User.objects.get(pk=int(form.cleaned_data["to"])),
        entity_id=int(form.cleaned_data["entity"]),
        role=form.cleaned_data["role"],
        starts_at=starts_at,
        ends_at=ends_at,
        reason=form.cleaned_data["reason"],
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("{person} stands in for you.").format(person=made.delegate))
    return redirect("governance:standing-in")


@require_POST
@requires(permissions.DELEGATE)
def stop_standing_in(request: SignedInRequest, delegation_id: int) -> HttpResponse:
    """Take back what was handed over, or give it back."""
    if not any(row.id == delegation_id for row in _delegations(request)):
        raise Http404
    revoke_delegation(delegation_id=delegation_id, actor=request.user, now=timezone.now())
    messages.success(request, _("It has ended."))
    return redirect("governance:standing-in")


@require_POST
@requires(permissions.DELEGATE)
def go_away(request: SignedInRequest) -> HttpResponse:
    """Say that this person is away for a while."""
    form = _absence_form(request, bound=True)
    if not form.is_valid():
        return _page(request, _delegation_form(request), form, status=422)
    starts_at, ends_at = form.span()
    report_absence(
        user=request.user,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=form.cleaned_data["reason"],
        actor=request.user,
        now=timezone.now(),
    )
    messages.success(request, _("Nobody waits for you in that time."))
    return redirect("governance:standing-in")


@require_POST
@requires(permissions.DELEGATE)
def be_back(request: SignedInRequest, absence_id: int) -> HttpResponse:
    """Say that this person is back, or does not go."""
    if not any(row.pk == absence_id for row in absences_of(user=request.user)):
        raise Http404
    end_absence(absence_id=absence_id, actor=request.user, now=timezone.now())
    messages.success(request, _("Welcome back."))
    return redirect("governance:standing-in")


def _page(
    request: SignedInRequest, form: DelegationForm, absence: SpanForm, status: int = 200
) -> HttpResponse:
    rows = _delegations(request)
    context = {
        "form": form,
        "absence_form": absence,
        "given": [row for row in rows if row.delegator_id == request.user.pk],
        "received": [row for row in rows if row.delegate_id == request.user.pk],
        "absences": absences_of(user=request.user),
        "now": timezone.now(),
    }
    return render(request, "governance/standing_in.html", context, status=status)


def _delegations(request: SignedInRequest) -> list[DelegationRow]:
    scope = request.scope(permissions.DELEGATE)
    return delegations_of(user=request.user, entity_ids=scope, now=timezone.now())


def _delegation_form(request: SignedInRequest, *, bound: bool = False) -> DelegationForm:
    scope = request.scope(permissions.DELEGATE)
    return DelegationForm(
        request.POST if bound else None,
        prefix="hand",
        initial=_week(),
        entities=list(Entity.objects.within(scope).order_by("code")),
        people=colleagues(entity_ids=scope, user=request.user),
        roles=roles_of(user=request.user, entity_ids=scope),
    )


def _absence_form(request: SignedInRequest, *, bound: bool = False) -> SpanForm:
    return SpanForm(request.POST if bound else None, prefix="away", initial=_week())


def _week() -> dict[str, object]:
    now = timezone.localtime().replace(second=0, microsecond=0)
    return {"starts_at": now, "ends_at": now + USUAL}

"""Who sits at which desk when."""

from datetime import date, time

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from erp.accounts.models import Entity, Role, User
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.services.desks import BadShift, drop_shift, plan_shift

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@require_http_methods(["GET", "POST"])
@requires(permissions.PLAN_SHIFTS)
def shifts_page(request: SignedInRequest) -> HttpResponse:
    """Show when desks are manned, and take another shift."""
    scope = request.scope(permissions.PLAN_SHIFTS)
    if request.method == "POST":
        _plan(request)
        messages.success(request, "The shift is planned.")
        return redirect("exceptions:shifts")
    shifts = selectors.shifts_within(scope).order_by("entity__code", "role", "starts", "pk")
    context = {
        "rows": [
            {"shift": one, "days": [day for day, on in zip(DAYS, one.weekdays, strict=True)
                                    if on == "1"],
             "role": str(Role(one.role).label)}
            for one in shifts[:500]
        ],
        "entities": Entity.objects.filter(pk__in=scope).order_by("code"),
        "roles": Role.choices,
        "days": list(enumerate(DAYS)),
    }  # fmt: skip
    return render(request, "exceptions/shifts.html", context)


@require_POST
@requires(permissions.PLAN_SHIFTS)
def drop_shift_page(request: SignedInRequest, shift_id: int) -> HttpResponse:
    """Take a shift out of the plan."""
    scope = request.scope(permissions.PLAN_SHIFTS)
    if not selectors.shifts_within(scope).filter(pk=shift_id).exists():
        raise Http404
    drop_shift(shift_id=shift_id, actor=request.user, now=timezone.now())
    messages.success(request, "The shift is taken out.")
    return redirect("exceptions:shifts")


def _plan(request: SignedInRequest) -> None:
    sent, scope = request.POST, request.scope(permissions.PLAN_SHIFTS)
    entity = Entity.objects.filter(code=sent.get("entity", ""), pk__in=scope).first()
    named = sent.get("user", "").strip()
    person = User.objects.filter(username=named, is_active=True).first() if named else None
    if entity is None:
        raise Http404
    if named and person is None:
        raise BadShift("user", "There is no such person.")
    plan_shift(
        entity_id=entity.pk,
        role=sent.get("role", ""),
        user=person,
        weekdays="".join("1" if str(day) in sent.getlist("days") else "0" for day in range(7)),
        hours=(_time(sent.get("starts", ""), "starts"), _time(sent.get("ends", ""), "ends")),
        valid=(_date(sent.get("valid_from", "")), _date(sent.get("valid_until", ""))),
        actor=request.user,
        now=timezone.now(),
    )


def _time(text: str, field: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as bad:
        raise BadShift(field, "Say the time as 06:00.") from bad


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as bad:
        raise BadShift("valid_from", "Say the day as 2026-11-23.") from bad

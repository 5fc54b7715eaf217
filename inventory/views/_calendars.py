"""Calendars: their weeks, the days that are otherwise, and who follows them."""

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from inventory import permissions
from inventory.forms import CalendarForm, FollowersForm
from inventory.selectors import calendar_board, calendar_rows, calendars, follower_kinds
from inventory.services import BadMasterData
from inventory.services.promising import follow_calendar, save_calendar

PAGE, WEEKS = 100, 6
SHOWN = 500  # followers of one kind


@require_GET
@requires(permissions.VIEW_NODE)
def calendar_list(request: SignedInRequest) -> HttpResponse:
    """Show the calendars by code, a hundred at a time."""
    after = request.GET.get("after", "").replace("\0", "")[:20]
    rows = calendar_board(on=timezone.localdate(), after=after, limit=PAGE + 1)
    shown = rows[:PAGE]
    context = {
        "rows": shown,
        "next_cursor": shown[-1].code if len(rows) > PAGE else "",
        "may_change": bool(request.scope(permissions.CHANGE_NODE)),
    }
    return render(request, "inventory/calendars.html", context)


@require_GET
@requires(permissions.VIEW_NODE)
def calendar(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the next weeks of one calendar, its exceptional days, and who follows it."""
    return _show(request, code, None)


@require_http_methods(["GET", "POST"])
@requires(permissions.CHANGE_NODE)
def write_calendar(request: SignedInRequest, code: str = "") -> HttpResponse:
    """Write a calendar; promises that rest on it are made anew."""
    known = _known(code) if code else None
    data = None
    if request.method == "POST":
        data = request.POST.copy()
        if known:
            data["code"] = known["code"]
    initial = CalendarForm.shown(known) if known else {"weekdays": list("01234")}
    form = CalendarForm(data, initial=initial)
    if data is not None and form.is_valid():
        draft = form.draft()
        if known is None and calendar_rows(codes=[draft.code]):
            form.add_error("code", _("There is a calendar of that code."))
        elif _saved(request, form):
            messages.success(request, _("Calendar %(code)s was saved.") % {"code": draft.code})
            return redirect("inventory:calendar", draft.code)
    context = {"form": form, "known": known}
    status = 422 if data is not None else 200
    return render(request, "inventory/calendar_form.html", context, status=status)


@require_POST
@requires(permissions.CHANGE_NODE)
def change_followers(request: SignedInRequest, code: str, verb: str) -> HttpResponse:
    """Let those who are named follow it from now on, or follow it no more."""
    form = FollowersForm(request.POST, kinds=[kind.name for kind in follower_kinds()])
    if not form.is_valid():
        return _show(request, code, form, status=422)
    try:
        count = follow_calendar(
            code=code,
            followers={form.cleaned_data["kind"]: form.cleaned_data["codes"]},
            entity_ids=request.scope(permissions.CHANGE_NODE),
            actor=request.user,
            now=timezone.now(),
            leaves=verb == "leave",
        )
    except BadMasterData as refusal:
        form.add_error("codes", str(refusal))
        return _show(request, code, form, status=422)
    said = _("%(n)d changed: their promises are made anew.") % {"n": count}
    messages.success(request, said)
    return redirect("inventory:calendar", code)


def _saved(request: SignedInRequest, form: CalendarForm) -> bool:
    """Write what was typed; a refusal is said beside its field."""
    try:
        save_calendar(draft=form.draft(), actor=request.user, now=timezone.now())
    except BadMasterData as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return False
    return True


def _show(
    request: SignedInRequest, code: str, form: FollowersForm | None, status: int = 200
) -> HttpResponse:
    known, today = _known(code), timezone.localdate()
    kinds = follower_kinds()
    scope = request.scope(permissions.VIEW_NODE)
    followers = [
        (
            kind,
            list(
                kind.within(scope)
                .filter(calendar__code=code)
                .order_by("code")
                .distinct()
                .values("code", "name")[:SHOWN]
            ),
        )
        for kind in kinds
    ]
    context = {
        "calendar": known,
        "weeks": _weeks(known, today),
        "days": [day for day in known["days"] if day["date"] >= today.isoformat()],
        "past": sum(day["date"] < today.isoformat() for day in known["days"]),
        "followers": followers,
        "form": form or FollowersForm(kinds=[kind.name for kind in kinds]),
        "may_change": bool(request.scope(permissions.CHANGE_NODE)),
    }
    return render(request, "inventory/calendar.html", context, status=status)


def _weeks(known: dict[str, Any], today: date) -> list[list[dict[str, Any]]]:
    """Return whole weeks from this one on, each day with whether it is worked and why not."""
    week = calendars(ids=[known["id"]], on=today)[known["id"]]
    names = {day["date"]: day["name"] for day in known["days"]}
    monday = today - timedelta(days=today.weekday())
    return [
        [
            {
                "day": (day := monday + timedelta(days=7 * row + place)),
                "is_worked": week.is_working_day(day),
                "is_other": day.isoformat() in names or day in week.holidays,
                "name": names.get(day.isoformat(), ""),
                "is_today": day == today,
            }
            for place in range(7)
        ]
        for row in range(WEEKS)
    ]


def _known(code: str) -> dict[str, Any]:
    found = {} if "\0" in code else calendar_rows(codes=[code])
    if code not in found:
        raise Http404
    return found[code]

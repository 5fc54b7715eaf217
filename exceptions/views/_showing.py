"""What the pages of exceptions share: the case in view, its panel, and the answer to a press."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from erp.accounts.models import Role
from erp.governance.selectors import TimelineRow
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.models import ExceptionCase
from exceptions.rules.plays import unbarred

PLAYS_WITH_KEYS = 9
SAID: Mapping[str, str] = {
    "exceptions.open": "Exception opened",
    "exceptions.reopen": "Exception came back",
    "exceptions.rank": "Severity changed",
    "exceptions.escalate": "Escalated",
    "exceptions.take": "Taken",
    "exceptions.acknowledge": "Acknowledged",
    "exceptions.assign": "Handed over",
    "exceptions.wait": "Waits on somebody outside",
    "exceptions.go_on": "Goes on",
    "exceptions.snooze": "Put off",
    "exceptions.hang": "Hung under its cause",
    "exceptions.merge": "Merged",
    "exceptions.unmerge": "Taken apart",
    "exceptions.attach": "File attached",
    "exceptions.comment": "Comment",
    "exceptions.run_play": "Way out taken",
    "exceptions.ask_for_play": "Agreement asked for a way out",
    "exceptions.drop_play": "Way out dropped",
    "exceptions.undo_play": "Way out undone",
    "exceptions.clear": "Exception cleared by itself",
    "exceptions.dismiss": "Exception dismissed",
    "exceptions.resolve": "Exception resolved",
}


def case_of(request: SignedInRequest, pk: int, permission: str) -> ExceptionCase:
    """Return a case of the entities in which the person holds `permission`, or 404."""
    case = selectors.find_case(case_id=pk, entity_ids=request.scope(permission))
    if case is None:
        raise Http404
    return case


def panel(request: SignedInRequest, pk: int) -> dict[str, Any]:
    """Return what both the page and the part beside the queue show of a case."""
    case = case_of(request, pk, permissions.VIEW)
    plays = selectors.plays_of(case, user=request.user, now=timezone.now())
    may_work = request.user.has_perm(permissions.WORK, case.entity_id)
    return {
        "case": case,
        "label": selectors.label_of(case.type),
        "is_live": case.state in ExceptionCase.LIVE,
        "plays": list(enumerate(plays[:PLAYS_WITH_KEYS], start=1)),
        "figures": selectors.figures(case),
        "queue_label": role_label(case.queue),
        "desk": str(case.owner) if case.owner else role_label(case.queue),
        "may_work": may_work,
        "may_dismiss": request.user.has_perm(permissions.DISMISS, case.entity_id),
        "is_mine": case.owner_id == request.user.pk,
        "is_waiting": case.state == ExceptionCase.State.WAITING,
        "is_snoozed": case.snoozed_until is not None and case.snoozed_until > timezone.now(),
        "parent": selectors.find_case(
            case_id=case.parent_id, entity_ids=request.scope(permissions.VIEW)
        )
        if case.parent_id
        else None,
        "children_count": selectors.count_children(case.pk),
        "automation": selectors.automation_of(case, unbarred(plays), now=timezone.now()),
    }


def done(request: SignedInRequest, pk: int, said: str) -> HttpResponse:
    """Answer what was pressed beside the queue with that part again, elsewhere with the page."""
    if not request.htmx or request.htmx.target != "beside":
        messages.success(request, said)
        return redirect("exceptions:case", pk=pk)
    response = render(request, "exceptions/_beside.html", panel(request, pk))
    response["HX-Trigger"] = json.dumps({"toast": {"text": said}, "live:exceptions": {}})
    return response


def entry(row: TimelineRow) -> Mapping[str, Any]:
    """Return one entry of the audit trail in words."""
    verb = SAID.get(row.action) or row.action.partition(".")[2].replace("_", " ").capitalize()
    who = row.actor_name or "by itself"
    tone = {"exceptions.escalate": "hot", "exceptions.run_play": "good"}.get(row.action, "")
    return {"at": row.at, "text": verb, "tone": tone,
            "detail": " · ".join(part for part in (who, row.reason) if part)}  # fmt: skip


def role_label(queue: str) -> str:
    return str(Role(queue).label) if queue in Role.values else queue


def severity(text: str) -> int | None:
    return int(text) if text in ("1", "2", "3", "4") else None


def amount(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Read what a date-and-time field sends, in the reader's own time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)

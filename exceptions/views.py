"""The queue that people live in, the page of a case, and what they press there."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role, User
from erp.governance.selectors import TimelineRow
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.models import ExceptionCase
from exceptions.services import (
    acknowledge,
    assign,
    comment,
    dismiss,
    reopen,
    resolve,
    run_play,
    take,
)

PLAYS_WITH_KEYS = 9
SAID: Mapping[str, str] = {
    "exceptions.open": "Exception opened",
    "exceptions.reopen": "Exception came back",
    "exceptions.rank": "Severity changed",
    "exceptions.escalate": "Escalated",
    "exceptions.take": "Taken",
    "exceptions.acknowledge": "Acknowledged",
    "exceptions.assign": "Handed over",
    "exceptions.comment": "Comment",
    "exceptions.run_play": "Way out taken",
    "exceptions.clear": "Exception cleared by itself",
    "exceptions.dismiss": "Exception dismissed",
    "exceptions.resolve": "Exception resolved",
}
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "mine": {"mine": True},
    "unowned": {"unowned": True},
    "breaching": {"breaching": True},
    "strategic": {"tier": "A"},
    "escalated": {"escalated": True},
}
OF_CUSTOMER_MAX = 10


@require_GET
@requires(permissions.VIEW)
def queue_page(request: SignedInRequest) -> HttpResponse:
    """Show what is open, the worst first or the most urgent first, by the filters of the URL."""
    scope, now = request.scope(permissions.VIEW), timezone.now()
    asked = request.GET
    filters: dict[str, Any] = {
        **VIEWS.get(asked.get("view", ""), {}),
        "queue": asked.get("queue", ""),
        "type": asked.get("type", ""),
        "severity": severity(asked.get("severity", "")),
        "text": asked.get("q", "").strip()[:80],
    }
    page = selectors.queue(
        entity_ids=scope,
        now=now,
        user_id=request.user.pk,
        filters=filters,
        by="clock" if asked.get("sort") == "clock" else "loss",
        after=asked.get("after", ""),
    )
    counts = selectors.counts(entity_ids=scope, now=now, user_id=request.user.pk)
    chosen = next((row for row in page.rows if str(row.id) == asked.get("at")), None)
    is_live = bool(request.htmx and not request.htmx.boosted)
    # What was just closed is marked nowhere, so that the next key goes to the first row.
    shown = chosen if chosen or is_live else next(iter(page.rows), None)
    context: dict[str, Any] = {
        "page": page,
        "counts": counts,
        "at": shown.id if shown else None,
        "views": [
            ("", "All", counts.open),
            ("mine", "My cases", counts.mine),
            ("unowned", "Nobody's", counts.unowned),
            ("breaching", "Breaching soon", counts.breaching),
            ("strategic", "Strategic customers", counts.strategic),
            ("escalated", "Escalated", counts.escalated),
        ],
        "queues": [("", "All queues"), *((q, role_label(q), n) for q, n in counts.by_queue)],
        "types": [(code, kind.label) for code, kind in selectors.TYPES.items()],
    }
    if shown and not is_live:
        context |= panel(request, shown.id)
    return render(request, "exceptions/queue.html", context)


@require_GET
@requires(permissions.VIEW)
def beside(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a case beside the queue: its figures and its ways out."""
    return render(request, "exceptions/_beside.html", panel(request, pk))


@require_GET
@requires(permissions.VIEW)
def case_page(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one case: why it is so bad, its clock, its ways out, and what happened."""
    context = panel(request, pk)
    case: ExceptionCase = context["case"]
    scope = request.scope(permissions.VIEW)
    told = selectors.case_timeline(case, entity_ids=scope)
    context |= {
        "comments": selectors.comments(pk),
        "runs": selectors.runs(pk),
        "timers": selectors.timers(pk),
        "timeline": [entry(row) for row in told],
        "colleagues": selectors.colleagues(case.entity_id) if context["may_work"] else [],
        "roles": Role.choices,
    }
    return render(request, "exceptions/case.html", context)


@require_GET
@requires(permissions.VIEW)
def of_order(request: SignedInRequest, number: str) -> HttpResponse:
    """Show the cases of an order, as a part of its page."""
    found = selectors.cases_of_order(number=number, entity_ids=request.scope(permissions.VIEW))
    return render(request, "exceptions/_of_order.html", {"cases": found, "number": number})


@require_GET
@requires(permissions.VIEW)
def of_customer(request: SignedInRequest, code: str) -> HttpResponse:
    """Show the live cases about a customer's orders, as a part of their page."""
    scope = request.scope(permissions.VIEW)
    found = selectors.cases_of_customer(code=code, entity_ids=scope, limit=OF_CUSTOMER_MAX + 1)
    context = {
        "cases": found[:OF_CUSTOMER_MAX],
        "code": code,
        "has_more": len(found) > OF_CUSTOMER_MAX,
    }
    return render(request, "exceptions/_of_customer.html", context)


@require_GET
@requires(permissions.VIEW)
def types_page(request: SignedInRequest) -> HttpResponse:
    """Show every type of case there is, and how many are open of each."""
    live = selectors.type_counts(entity_ids=request.scope(permissions.VIEW))
    rows = [
        {"kind": kind, "open": live.get(code, (0, None))[0], "worst": live.get(code, (0, None))[1]}
        for code, kind in selectors.TYPES.items()
    ]
    return render(request, "exceptions/types.html", {"rows": rows})


@require_POST
@requires(permissions.WORK)
def take_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    take(case_id=case.pk, actor=request.user, now=timezone.now())
    return done(request, pk, "The case is yours.")


@require_POST
@requires(permissions.WORK)
def acknowledge_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    acknowledge(case_id=case.pk, actor=request.user, now=timezone.now())
    return done(request, pk, "Acknowledged.")


@require_POST
@requires(permissions.WORK)
def assign_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    to, queue = request.POST.get("to", ""), request.POST.get("queue", "")
    person = User.objects.filter(pk=int(to), is_active=True).first() if to.isdecimal() else None
    if (to and person is None) or (queue and queue not in Role.values):
        raise Http404
    assign(case_id=case.pk, to=person, queue=queue, actor=request.user, now=timezone.now())
    return done(request, pk, f"Handed to {person or role_label(queue or case.queue)}.")


@require_POST
@requires(permissions.WORK)
def comment_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    text = request.POST.get("text", "")
    comment(case_id=case.pk, text=text, actor=request.user, now=timezone.now())
    return done(request, pk, "Written down.")


@require_POST
@requires(permissions.DISMISS)
def dismiss_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.DISMISS)
    reason = request.POST.get("reason", "")
    dismiss(case_id=case.pk, reason=reason, actor=request.user, now=timezone.now())
    return done(request, pk, "Dismissed.")


@require_POST
@requires(permissions.WORK)
def resolve_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    said = request.POST.get("reason", "")
    resolve(case_id=case.pk, resolution=said, actor=request.user, now=timezone.now())
    return done(request, pk, "Resolved.")


@require_POST
@requires(permissions.WORK)
def reopen_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    reopen(case_id=case.pk, actor=request.user, now=timezone.now())
    return done(request, pk, "Open again.")


@require_POST
@requires(permissions.WORK)
def play_case(request: SignedInRequest, pk: int, key: str) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    run = run_play(
        case_id=case.pk,
        key=key,
        actor=request.user,
        now=timezone.now(),
        quoted=amount(request.POST.get("quoted", "")),
    )
    return done(request, pk, run.outcome)


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

"""The queue that people live in, and the page of a case."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role, RoleAssignment, User
from erp.kernel.access import requires
from erp.kernel.errors import DomainError
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.models import ExceptionCase, SavedFilter, WaitingOn
from exceptions.rules.catalogue import PLAY_KINDS
from exceptions.rules.first_set import FIRST_SET
from exceptions.services import assign, dismiss, merge, take
from exceptions.services.desks import forget_filter, open_with, save_filter
from exceptions.views._showing import entry, panel, role_label, severity

CHILDREN_SHOWN = 100
OF_CUSTOMER_MAX = 10
DIGITS = 19  # of an id
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "mine": {"mine": True},
    "unowned": {"unowned": True},
    "breaching": {"breaching": True},
    "strategic": {"tier": "A"},
    "escalated": {"escalated": True},
    "waiting": {"waiting": True},
    "snoozed": {"snoozed": True},
    "watched": {"watched": True},
}


@require_GET
@requires(permissions.VIEW)
def queue_page(request: SignedInRequest) -> HttpResponse:
    """Show what is open, the worst first or the most urgent first, by the filters of the URL."""
    scope, now = request.scope(permissions.VIEW), timezone.now()
    asked = request.GET
    saved = selectors.saved_filters(user=request.user, now=now)
    opens_with = next((one for one in saved if one.is_default), None)
    if opens_with is not None and not asked and not request.htmx:
        return redirect(f"{request.path}?{opens_with.address}")
    filters: dict[str, Any] = {
        "awake": asked.get("view") != "snoozed",
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
        "counted_max": selectors.COUNTED_MAX,
        "at": shown.id if shown else None,
        "may_work": request.user.has_perm(permissions.WORK),
        "may_dismiss": request.user.has_perm(permissions.DISMISS),
        "saved": saved,
        "saved_id": asked.get("saved", ""),
        "share_with": _shareable(request),
        "views": _views(counts, has_default=opens_with is not None),
        "queues": [("", "All queues"), *((q, role_label(q), n) for q, n in counts.by_queue)],
        "types": [(code, kind.label) for code, kind in selectors.TYPES.items()],
    }
    if shown and not is_live:
        context |= panel(request, shown.id)
    return render(request, "exceptions/queue.html", context)


def _views(counts: selectors.QueueCounts, *, has_default: bool) -> list[tuple[Any, ...]]:
    """Return the views of the queue; "all" is said where the bare address opens another."""
    return [
        ("all" if has_default else "", "All", counts.open),
        ("mine", "My cases", counts.mine),
        ("unowned", "Nobody's", counts.unowned),
        ("breaching", "Breaching soon", counts.breaching),
        ("strategic", "Strategic customers", counts.strategic),
        ("escalated", "Escalated", counts.escalated),
        ("waiting", "Waiting", counts.waiting),
        ("snoozed", "Put off", counts.snoozed),
        ("watched", "Watched", None),
    ]


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
        "requests": selectors.play_requests(case_id=pk, user=request.user, now=timezone.now()),
        "now": timezone.now(),
        "timers": selectors.timers(pk),
        "timeline": [entry(row) for row in told],
        "colleagues": selectors.colleagues(case.entity_id) if context["may_work"] else [],
        "roles": Role.choices,
        "children": selectors.children(case_id=pk, limit=CHILDREN_SHOWN),
        "attachments": selectors.attachments(pk),
        "intervals": selectors.intervals(pk, now=timezone.now()),
        "waiting_on": WaitingOn.choices,
        "is_watching": selectors.is_watching(case_id=pk, user_id=request.user.pk),
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
        {
            "kind": kind,
            "plays": [PLAY_KINDS[key] for key in kind.plays],
            "open": live.get(code, (0, None))[0],
            "worst": live.get(code, (0, None))[1],
        }
        for code, kind in selectors.TYPES.items()
    ]
    troubles = [
        {"trouble": one, "types": [(code, selectors.label_of(code)) for code in one.types]}
        for one in FIRST_SET
    ]
    return render(request, "exceptions/types.html", {"rows": rows, "troubles": troubles})


def _shareable(request: SignedInRequest) -> list[tuple[str, str]]:
    """Return the desks of the person's own, as "entity:role", that a filter can be shared with."""
    mine = RoleAssignment.objects.filter(user=request.user).select_related("entity")
    found = sorted({(one.entity.code, one.entity_id, one.role) for one in mine})
    return [(f"{pk}:{role}", f"{role_label(role)}, {code}") for code, pk, role in found]


@require_POST
@requires(permissions.VIEW)
def keep_filter(request: SignedInRequest) -> HttpResponse:
    """Keep the filters of the address under a name, drop some, or open the queue with them."""
    act, chosen = request.POST.get("act", ""), request.POST.get("filter", "")
    number = int(chosen) if chosen.isdecimal() and len(chosen) < DIGITS else None
    now = timezone.now()
    if act == "save":
        entity, _, role = request.POST.get("share", "").partition(":")
        made = save_filter(
            name=request.POST.get("name", ""),
            query={key: request.POST.get(key, "") for key in request.POST if key != "name"},
            actor=request.user,
            now=now,
            shared_with=(int(entity), role) if entity.isdecimal() and role else None,
        )
        row = next(
            one for one in selectors.saved_filters(user=request.user, now=now) if one.id == made.pk
        )
        return redirect(f"{reverse('exceptions:queue')}?{row.address}")
    if act == "forget" and number is not None:
        forget_filter(filter_id=number, actor=request.user)
    elif act == "open_with":
        try:
            open_with(filter_id=number, actor=request.user, now=now)
        except SavedFilter.DoesNotExist as missing:
            raise Http404 from missing
    return redirect(f"{reverse('exceptions:queue')}?view=all")


@require_POST
@requires(permissions.WORK)
def act_on_many(request: SignedInRequest) -> HttpResponse:
    """Take, hand over, dismiss or merge the ticked cases; each that refuses says why."""
    ids = [int(one) for one in request.POST.getlist("id")[:500] if one.isdecimal()]
    act = request.POST.get("act", "")
    needed = permissions.DISMISS if act == "dismiss" else permissions.WORK
    cases = selectors.cases_within(request.scope(needed)).filter(pk__in=ids).order_by("pk")
    if act == "merge":
        return _merge_many(request, [case.pk for case in cases])
    refused = [refusal for case in cases if (refusal := _act(request, act, case))]
    count = len(cases) - len(refused)
    if count:
        said = ngettext("%(n)d case done.", "%(n)d cases done.", count)
        messages.success(request, said % {"n": count})
    for refusal in refused[:5]:
        messages.warning(request, refusal)
    return redirect("exceptions:queue")


def _act(request: SignedInRequest, act: str, case: ExceptionCase) -> str:
    """Do one thing with one case; return the sentence of its refusal, if it refuses."""
    now, who = timezone.now(), request.user
    reason = request.POST.get("reason", "")
    to = request.POST.get("to", "")
    try:
        if act == "take":
            take(case_id=case.pk, actor=who, now=now)
        elif act == "assign":
            person = User.objects.filter(username=to, is_active=True).first()
            queue = "" if person else to
            assign(case_id=case.pk, to=person, queue=queue, actor=who, now=now)
        elif act == "dismiss":
            dismiss(case_id=case.pk, reason=reason, actor=who, now=now)
        else:
            return f"Nothing is called {act}."
    except DomainError as refusal:
        return f"{case.subject_label}: {refusal}"
    return ""


def _merge_many(request: SignedInRequest, ids: Sequence[int]) -> HttpResponse:
    """Hang the ticked cases under the first of them."""
    reason = request.POST.get("reason", "")
    if len(ids) > 1:
        merge(
            case_ids=ids[1:], into_id=ids[0], reason=reason, actor=request.user,
            now=timezone.now(),
        )  # fmt: skip
        messages.success(request, f"{len(ids) - 1} cases hang under the first.")
    else:
        messages.warning(request, "Tick at least two cases that have one cause.")
    return redirect("exceptions:queue")

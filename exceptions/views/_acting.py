"""What people press on a case."""

from datetime import datetime
from urllib.parse import quote

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from erp.accounts.models import Role, User
from erp.governance.services import Verdict, decide_requests
from erp.kernel.access import requires
from erp.kernel.http import SignedInRequest
from exceptions import permissions, selectors
from exceptions.services import (
    BadWait,
    acknowledge,
    assign,
    attach,
    comment,
    dismiss,
    go_on,
    merge,
    reopen,
    resolve,
    run_play,
    snooze,
    take,
    undo_play,
    unmerge,
    wait,
    watch,
)
from exceptions.views._showing import amount, case_of, done, moment, role_label


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


@require_POST
@requires(permissions.WORK)
def undo_case(request: SignedInRequest, pk: int, key: str) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    run = undo_play(
        case_id=case.pk,
        key=key,
        reason=request.POST.get("reason", ""),
        actor=request.user,
        now=timezone.now(),
    )
    return done(request, pk, f"{run.chosen['title']}: undone.")


@require_POST
@requires(permissions.VIEW)
def decide_request(request: SignedInRequest, pk: int, request_id: int) -> HttpResponse:
    """Agree to a way out as it was shown, or refuse it with the reason; it runs by itself then."""
    case, now = case_of(request, pk, permissions.VIEW), timezone.now()
    found = selectors.find_request(
        case_id=case.pk, request_id=request_id, user=request.user, now=now
    )
    if found is None or found.approval is None:
        raise Http404
    agrees = request.POST.get("agrees") == "1"
    verdict = Verdict(
        found.approval.id,
        agrees=agrees,
        fingerprint=request.POST.get("fingerprint", ""),
        reason=request.POST.get("reason", "").strip(),
    )
    (outcome,) = decide_requests(verdicts=[verdict], actor=request.user, now=now)
    if outcome.refusal is not None:
        raise outcome.refusal
    is_open = outcome.approval.state == "pending"
    said = "You agreed; others must agree as well." if is_open else "You agreed; it runs now."
    return done(request, pk, said if agrees else "You refused it.")


@require_POST
@requires(permissions.WORK)
def wait_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case, now = case_of(request, pk, permissions.WORK), timezone.now()
    on = request.POST.get("on", "")
    wait(
        case_id=case.pk,
        on=on,
        until=_until(request),
        reason=request.POST.get("reason", ""),
        actor=request.user,
        now=now,
    )
    return done(request, pk, f"Waits on the {on}.")


@require_POST
@requires(permissions.WORK)
def go_on_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    go_on(case_id=case.pk, actor=request.user, now=timezone.now())
    return done(request, pk, "Goes on.")


@require_POST
@requires(permissions.WORK)
def snooze_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    until = _until(request) if request.POST.get("until") else None
    snooze(case_id=case.pk, until=until, actor=request.user, now=timezone.now())
    return done(request, pk, "Put off." if until else "In sight again.")


@require_POST
@requires(permissions.VIEW)
def watch_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case, is_on = case_of(request, pk, permissions.VIEW), request.POST.get("on") == "1"
    watch(case_id=case.pk, actor=request.user, now=timezone.now(), is_on=is_on)
    said = "You are told what happens to it." if is_on else "You are told no more of it."
    return done(request, pk, said)


@require_POST
@requires(permissions.WORK)
def merge_case(request: SignedInRequest, pk: int) -> HttpResponse:
    """Hang this case under another, named by its id."""
    case = case_of(request, pk, permissions.WORK)
    into = request.POST.get("into", "").strip().lstrip("#")
    other = case_of(request, int(into), permissions.WORK) if into.isdecimal() else None
    if other is None:
        raise Http404
    reason = request.POST.get("reason", "")
    now = timezone.now()
    merge(case_ids=[case.pk], into_id=other.pk, reason=reason, actor=request.user, now=now)
    return done(request, pk, f"Hangs under {other.subject_label}.")


@require_POST
@requires(permissions.WORK)
def unmerge_case(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    unmerge(case_id=case.pk, actor=request.user, now=timezone.now())
    return done(request, pk, "Stands for itself.")


@require_POST
@requires(permissions.WORK)
def attach_file(request: SignedInRequest, pk: int) -> HttpResponse:
    case = case_of(request, pk, permissions.WORK)
    sent = request.FILES.get("file")
    attach(
        case_id=case.pk,
        name=sent.name or "" if sent else "",
        content=sent.read() if sent else b"",
        actor=request.user,
        now=timezone.now(),
    )
    return done(request, pk, "Attached.")


@require_GET
@requires(permissions.VIEW)
def attachment(request: SignedInRequest, pk: int, file_id: int) -> HttpResponse:
    """Send a file as it came, to be saved and never shown: somebody else wrote it."""
    case = case_of(request, pk, permissions.VIEW)
    found = selectors.attachment(case_id=case.pk, attachment_id=file_id)
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _until(request: SignedInRequest) -> datetime:
    """Read the moment that was asked for.

    Raises:
        BadWait: it is none.
    """
    zone = timezone.get_current_timezone()
    found = moment(request.POST.get("until", ""), zone)
    if found is None:
        raise BadWait("Say until when: a day and a time.")
    return found

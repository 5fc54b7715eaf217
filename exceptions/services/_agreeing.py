"""Runs a way out that was agreed to, if nothing moved; drops it otherwise."""

from datetime import datetime

from django.db import transaction

from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.selectors import plays_of
from exceptions.services._playing import chosen_of, gate_of, locked_case, perform
from exceptions.services._telling import tell_of


@transaction.atomic
def follow_play_approval(*, request_id: int, state: str, reason: str, now: datetime) -> PlayRequest:
    """Do what was decided about a play; done already, it changes nothing.

    Agreed to, it runs in the name of whoever asked, if it is still offered at that price, with the
    same losers; any refusal drops it, with the sentence, and leaves everything else as it was.

    Raises:
        PlayRequest.DoesNotExist: there is no such request.
    """
    found = PlayRequest.objects.select_related("case").get(pk=request_id)
    ExceptionCase.objects.settle([found.case.type])
    request = PlayRequest.objects.lock(request_id)
    if request.state != PlayRequest.State.PENDING:
        return request
    if state != "approved":
        _drop(request, reason or "Nobody agreed in time.", now)
        return request
    try:
        with transaction.atomic():
            outcome = _run(request, now)
    except DomainError as refusal:
        _drop(request, str(refusal), now)
        return request
    if not outcome:
        _drop(request, "It moved after it was asked for: look at the case again.", now)
        return request
    request.run(at=now, outcome=outcome)
    request.save()
    return request


def _run(request: PlayRequest, now: datetime) -> str:
    """Run the play that was asked for, if it is the same; return what it did, or nothing."""
    case, who = locked_case(request.case_id), request.requested_by
    offered = plays_of(case, user=who, now=now)
    play = chosen_of(offered, request.key, None)
    if play.fingerprint != request.fingerprint:
        return ""
    gate = gate_of(case, play, now)
    return perform(
        case, play, offered, actor=who, now=now, undo_until=gate.undo_until,
        policy_version=gate.policy_version,
    ).outcome  # fmt: skip


def _drop(request: PlayRequest, why: str, now: datetime) -> None:
    case = request.case
    request.drop(at=now, outcome=why)
    request.save()
    tell_of(
        [case],
        "drop_play",
        actor=None,
        now=now,
        after={"play": request.key},
        reason=f"{request.chosen['title']}: {why}",
    )

"""Runs by policy what needs no person."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.governance.services import decide
from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase, PlayRequest, PlayRun
from exceptions.selectors import AUTOMATION, automation_question, plays_of
from exceptions.services._playing import locked_case, pass_gate


@transaction.atomic
def automate(*, case_ids: Collection[int], now: datetime) -> list[int]:
    """Run the best way out of each of these cases where the policy says so; return those runs' ids.

    It passes the same gate as a person's, and leaves the same record, with the policy's version.
    What somebody began to work on, and a case of which the house ran a play before, are left to
    people; so is what a domain refuses. Locks the types and the cases, one after the other.

    Publishes:
        CaseResolved
        CaseChanged
    """
    done = []
    for case_id in sorted(set(case_ids)):
        try:
            with transaction.atomic():
                run = _automate(case_id, now)
        except (DomainError, ExceptionCase.DoesNotExist):
            continue  # it is over, or a person has to look at it
        if isinstance(run, PlayRun):
            done.append(run.pk)
    return done


def _automate(case_id: int, now: datetime) -> PlayRun | PlayRequest | None:
    case = locked_case(case_id)
    is_untouched = case.state in {case.State.OPEN, case.State.ASSIGNED}
    if not is_untouched or PlayRun.objects.filter(case=case, run_by=None).exists():
        return None
    if PlayRequest.objects.filter(case=case, state=PlayRequest.State.PENDING).exists():
        return None
    offered = plays_of(case, user=None, now=now)
    if not offered:
        return None
    question = automation_question(case, offered)
    (decision,) = decide(policy=AUTOMATION, questions=[question], now=now)
    if decision.outcome["mode"] != "auto":
        return None
    return pass_gate(
        case, offered[0], offered, actor=None, now=now, policy_version=decision.policy_version
    )

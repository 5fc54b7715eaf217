"""Does what a ladder of escalation ends with, when nobody came."""

from datetime import datetime

from django.db import transaction

from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase
from exceptions.selectors import plays_of
from exceptions.services._closing import dismiss
from exceptions.services._playing import locked_case, pass_gate

RUN_BEST = "run_best"
DISMISS = "dismiss"
UNSEEN = "Nobody looked at it in the time that its ladder gives."


@transaction.atomic
def end_ladder(*, case_id: int, final: str, now: datetime) -> bool:
    """Run the best way out, or dismiss the case, as the last rung says; say whether that was done.

    A way out passes the same gate as everybody's, and is asked for where somebody must agree. What
    somebody took meanwhile, is over, or a domain refuses is left as it is. Locks the type and the
    case.

    Publishes:
        CaseResolved
        CaseChanged
    """
    try:
        with transaction.atomic():
            return _end(case_id, final, now)
    except (DomainError, ExceptionCase.DoesNotExist):
        return False


def _end(case_id: int, final: str, now: datetime) -> bool:
    case = locked_case(case_id)
    if case.acknowledged_at is not None:
        return False
    if final == DISMISS:
        dismiss(case_id=case_id, reason=UNSEEN, actor=None, now=now)
        return True
    offered = plays_of(case, user=None, now=now) if final == RUN_BEST else []
    if not offered:
        return False
    pass_gate(case, offered[0], offered, actor=None, now=now)
    return True

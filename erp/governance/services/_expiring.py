"""What time does to requests: clocks that run out, people who leave, documents that change."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from erp.governance.documents import document_kind
from erp.governance.models import Approval, ApprovalStep, ApprovalTimer
from erp.governance.services._stepping import (
    end,
    hand_on,
    look_after,
    stranded,
    who,
)
from erp.kernel.sql import rows

ONE_AT_A_TIME = (41_007, 1)  # our corner of the database's advisory locks
BATCH = 500


@dataclass(frozen=True, slots=True)
class Fired:
    """One clock of a step that ran out: when it was due, and whether it was handed on."""

    approval_id: int
    step_id: int
    due_at: datetime
    is_escalated: bool


@transaction.atomic
def fire_due_approvals(*, now: datetime, limit: int = BATCH) -> list[Fired]:
    """Hand on or end the requests whose time ran out: each clock once, in the order of due times.

    However late it is called, each keeps the moment at which it was due. Who a request is handed on
    to has the full time from `now`; the second time it ends. Only one caller fires at a time, so
    that the order holds; the others get nothing. A request that somebody is deciding at this moment
    waits for the next call.

    Publishes:
        ApprovalEscalated
        ApprovalDecided
        ApprovalStranded
    """
    ((ours,),) = rows("SELECT pg_try_advisory_xact_lock(%s, %s)", ONE_AT_A_TIME)
    if not ours:
        return []
    fired = []
    for timer in ApprovalTimer.objects.claim_due(now, limit):
        if _is_over(timer):  # an earlier one of this batch has ended the request
            continue
        timer.fired_at = now
        timer.save(update_fields=["fired_at"])
        fired.append(_run_out(timer, now))
    return fired


@transaction.atomic
def look_after_approvals(*, now: datetime, after: int = 0) -> int:
    """Look at the next open requests past the id `after`; return the last id looked at, or 0.

    One whose document has changed becomes void. A step that nobody can decide (they left, are away,
    or asked themselves) is handed on, else reported; one that was, and now can be decided, no
    longer is. A request that somebody is deciding at this moment is left for the next time.

    Publishes:
        ApprovalDecided
        ApprovalEscalated
        ApprovalStranded
    """
    found = list(
        Approval.objects.filter(state=Approval.State.PENDING, pk__gt=after).order_by("pk")[:BATCH]
    )
    if not found:
        return 0
    changed = set(_changed(found))
    for approval in _lock(changed):
        end(approval, reason="The document changed.", cause="changed", now=now)
    open_now = {
        step.pk: (step.approval, step)
        for step in _open_steps([a.pk for a in found if a.pk not in changed])
    }
    uneasy = {
        step_id
        for step_id, why in stranded(open_now, now).items()
        if _needs_a_hand(open_now[step_id][1], why)
    }
    locked = {a.pk: a for a in _lock({open_now[step_id][0].pk for step_id in uneasy})}
    again = {
        step.pk: (locked[step.approval_id], step)
        for step in _open_steps(list(locked))
        if step.pk in uneasy
    }
    look_after(again, now)
    return found[-1].pk


def _run_out(timer: ApprovalTimer, now: datetime) -> Fired:
    step = timer.step
    approval, asked = step.approval, who(step)
    escalates = step.on_expiry == ApprovalStep.Expiry.ESCALATE and not step.escalated_to
    said = f"{asked} did not decide within {step.hours} working hours, by {_moment(timer)}."
    if escalates:
        hand_on(approval, step, now, reason=said, due_at=timer.due_at)
        look_after({step.pk: (approval, step)}, now)
    else:
        why = f"It expired: {said} Ask again if it is still needed."
        end(approval, reason=why, cause="expired", now=now)
    return Fired(approval.pk, step.pk, timer.due_at, escalates)


def _is_over(timer: ApprovalTimer) -> bool:
    """Test if what this transaction did before has stopped the clock."""
    return not ApprovalTimer.objects.filter(pk=timer.pk, fired_at=None, cancelled_at=None).exists()


def _moment(timer: ApprovalTimer) -> str:
    entity = timer.step.approval.entity
    at = timer.due_at.astimezone(ZoneInfo(entity.time_zone))
    return f"{at:%-d %B %Y, %H:%M}"


def _needs_a_hand(step: ApprovalStep, why: str) -> bool:
    if not why:
        return step.stranded_at is not None
    return step.stranded_at is None or bool(step.escalate_to and not step.escalated_to)


def _changed(found: Sequence[Approval]) -> Iterator[int]:
    """Yield the requests whose document is no longer what was asked about, by its owner's word."""
    by_kind: dict[str, list[Approval]] = defaultdict(list)
    for approval in found:
        by_kind[approval.document_kind].append(approval)
    for name, approvals in by_kind.items():
        owner = document_kind(name)
        if owner is None:
            continue
        present = owner.fingerprints([approval.document_id for approval in approvals])
        for approval in approvals:
            if present.get(approval.document_id, "") != approval.fingerprint:
                yield approval.pk


def _lock(ids: set[int]) -> list[Approval]:
    waiting = Approval.objects.select_for_update(skip_locked=True, of=["self"])
    return list(waiting.filter(pk__in=ids, state=Approval.State.PENDING).order_by("pk"))


def _open_steps(approval_ids: Sequence[int]) -> list[ApprovalStep]:
    found = ApprovalStep.objects.filter(approval_id__in=approval_ids, state="open")
    return list(found.select_related("approval").order_by("pk"))

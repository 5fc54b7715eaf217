"""Celery's way into governance: its clocks, and whoever is awake carries the next replay on."""

import time
from typing import Any

from celery import shared_task
from django.utils import timezone

from erp.governance.services import (
    advance_replay,
    claim_replay,
    fire_due_approvals,
    look_after_approvals,
    seal_audit,
)

BUDGET_SECONDS = 150  # below the task's time limit; the next sweep goes on from there


@shared_task(expires=30)
def fire_approval_clocks(**_later: Any) -> None:
    """Hand on or end what was not decided in time, the longest overdue first."""
    while fire_due_approvals(now=timezone.now()):
        pass


@shared_task(expires=60)
def look_after_open_approvals(**_later: Any) -> None:
    """End what is asked about a changed document; hand on or report what nobody can decide."""
    last, now = 0, timezone.now()
    while last := look_after_approvals(now=now, after=last):
        pass


@shared_task(expires=10)
def seal(**_later: Any) -> None:
    """Seal what was written to the audit trail since the last time."""
    seal_audit(now=timezone.now())


@shared_task
def replay_waiting(**_later: Any) -> None:
    """Carry on the next replay that nobody advances, for a while."""
    replay_id = claim_replay(now=timezone.now())
    if replay_id is None:
        return
    until = time.monotonic() + BUDGET_SECONDS
    while advance_replay(replay_id=replay_id, now=timezone.now()):
        if time.monotonic() > until:
            return

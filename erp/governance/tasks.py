"""Clocks of governance."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from erp.governance.services import fire_due_approvals, look_after_approvals, seal_audit


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

"""Clocks of the exceptions app."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from exceptions.selectors import Pace, types_at
from exceptions.services import fire_due_timers, send_next_mail, sweep


@shared_task(expires=30)
def fire_timers(**_later: Any) -> None:
    """Escalate what was not acknowledged or resolved in time, the longest overdue first."""
    while fire_due_timers(now=timezone.now()):
        pass


@shared_task(expires=300)
def find_cases(**_later: Any) -> None:
    """Open and close the cases that come with time, and those that no fact told of."""
    for code in types_at(Pace.EVENTS, Pace.CLOCK):
        sweep(types=[code], now=timezone.now())


@shared_task(expires=3_600)
def find_drift(**_later: Any) -> None:
    """Open and close the cases that need a full count of the books."""
    for code in types_at(Pace.NIGHTLY):
        sweep(types=[code], now=timezone.now())


@shared_task(expires=60)
def send_notices(**_later: Any) -> None:
    """Send by e-mail what people want to be told so; what cannot be sent stays due."""
    while send_next_mail(now=timezone.now()):
        pass

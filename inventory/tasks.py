"""Celery's way to what is due in stock by the calendar."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from inventory.services.keeping import release_lapsed
from inventory.services.tracking import look_at_expiry


@shared_task(expires=1_800)
def look_at_lots(**_later: Any) -> None:
    """Tell of the lots that expired, or will soon."""
    while look_at_expiry(now=timezone.now()):
        pass


@shared_task(expires=30)
def give_back_lapsed(**_later: Any) -> None:
    """Give back what was kept for a while that is over."""
    while release_lapsed(now=timezone.now()):
        pass

"""Celery's way into procurement."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from procurement.services import replenish


@shared_task
def replenish_everything(**_later: Any) -> None:
    """Look at every rule, at night: what the events missed is found, which should be nothing."""
    replenish(keys=None, now=timezone.now(), cause="nightly run")

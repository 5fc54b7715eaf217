"""Celery's way to the allocation queue."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from orders.services import allocate_orders

BATCH = 500


@shared_task(expires=60)
def allocate(**_later: Any) -> None:
    """Have stock kept for every released order that no fact led to: the safety net."""
    while allocate_orders(order_ids=None, limit=BATCH, cause="Sweep", now=timezone.now()).states:
        pass

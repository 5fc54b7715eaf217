"""Celery's way to the allocation queue and to what is due by the calendar."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from orders.services import allocate_orders
from orders.services.quoting import expire_quotes

BATCH = 500


@shared_task(expires=60)
def allocate(**_later: Any) -> None:
    """Have stock kept for every released order that no fact led to: the safety net."""
    while allocate_orders(order_ids=None, limit=BATCH, cause="Sweep", now=timezone.now()).states:
        pass


@shared_task(expires=1_800)
def expire(**_later: Any) -> None:
    """Expire the quotes whose validity is over."""
    while expire_quotes(now=timezone.now()):
        pass

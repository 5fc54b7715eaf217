"""Celery's way to the allocation queue and to what is due by the calendar."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from orders.services import allocate_orders, end_lifts
from orders.services.agreeing import announce_endings, expire_blankets, make_due_call_offs
from orders.services.complying import compare_parties, stop_matched
from orders.services.quoting import expire_quotes
from orders.services.reallocating import simulate_queued
from orders.services.reserving import reserve_due

BATCH = 500


@shared_task(expires=60)
def allocate(**_later: Any) -> None:
    """Have stock kept for every released order that no fact led to: the safety net."""
    while allocate_orders(order_ids=None, limit=BATCH, cause="Sweep", now=timezone.now()).states:
        pass


@shared_task(expires=1_800)
def reserve_what_is_due(**_later: Any) -> None:
    """Have stock kept for lines that were left to replenishment and can be no longer."""
    while reserve_due(now=timezone.now()):
        pass


@shared_task(expires=1_800)
def expire(**_later: Any) -> None:
    """Expire quotes and end blanket orders whose last day is over, and announce ends to come."""
    while expire_quotes(now=timezone.now()):
        pass
    while expire_blankets(now=timezone.now()):
        pass
    while announce_endings(now=timezone.now()):
        pass


@shared_task(expires=240)
def call_off(**_later: Any) -> None:
    """Make the orders that blanket orders planned for today."""
    while make_due_call_offs(now=timezone.now()):
        pass


@shared_task(expires=60)
def screen(**_later: Any) -> None:
    """Go on with the walk over customers and open orders, after the denied-party lists changed."""
    while batch := compare_parties(now=timezone.now()):
        if stop_matched(batch=batch, now=timezone.now()).is_finished:
            return


@shared_task
def screen_again(**_later: Any) -> None:
    """Have everybody screened once a day: names, addresses and policies change too."""
    if batch := compare_parties(now=timezone.now(), anew="Every day"):
        stop_matched(batch=batch, now=timezone.now())


@shared_task(expires=600)
def end_lifts_over(**_later: Any) -> None:
    """Ask the checks again about orders whose lift ended before the goods left."""
    end_lifts(now=timezone.now())


@shared_task(expires=10)
def simulate_reallocations(**_later: Any) -> None:
    """Simulate the re-allocations that are too large to be waited for."""
    while simulate_queued(now=timezone.now()):
        pass

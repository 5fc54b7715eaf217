"""Walks over all customers and open orders after the lists changed, and stops what must stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from erp.governance.services import keep_answers
from erp.kernel.sql import rows
from orders.events import MatchFoundTooLate
from orders.models import Hold, Order, Screening
from orders.services._checking import Case, cases_of, check_compliance_again
from orders.services._locking import lock
from orders.services._screening import (
    CUSTOMER,
    ORDER,
    SCREENING_LOCK,
    compare,
    screen_orders,
)
from orders.services.complying._importing import LISTING_LOCK, begin_screening, next_stamp
from orders.services.complying._stopping import stop_orders

UNFINISHED = """
    SELECT id FROM orders_screening WHERE step <> 'done' ORDER BY stamp DESC LIMIT 1
    FOR UPDATE SKIP LOCKED
"""
SUPERSEDED = """
    SELECT id FROM orders_screening WHERE step <> 'done' AND stamp < %(stamp)s
    FOR UPDATE SKIP LOCKED
"""
CUSTOMERS = """
    SELECT id FROM orders_customer WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
"""
ORDERS = """
    SELECT id FROM orders_order WHERE id > %(after)s AND state = ANY(%(open)s)
    ORDER BY id LIMIT %(limit)s
"""
# Orders that were being submitted while the walk passed by them.
MISSED = """
    SELECT o.id FROM orders_order o
    WHERE o.state = ANY(%(open)s) AND NOT EXISTS (
        SELECT FROM orders_partyrole r JOIN orders_party p ON p.id = r.party_id
        WHERE r.subject_kind = 'orders.order' AND r.subject_id = o.id AND p.stamp >= %(stamp)s)
    ORDER BY o.id LIMIT %(limit)s
"""
NEWEST = "SELECT max(stamp), max(started_at) FROM orders_screening"


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk has come: records looked at, new matches, orders held so far."""

    id: int
    total: int
    done: int
    matches: int
    holds: int
    is_finished: bool


@transaction.atomic
def screen_parties(*, now: datetime, limit: int = 500, anew: str = "") -> Walked | None:
    """Take the next batch of the walk that is not finished; None where there is none.

    Each batch is a transaction of its own: a walk that was cut off goes on where it was. Orders
    that resemble a denied party are held, and what is on the floor stays there; of what has left it
    is told. Locks
    the accounts and orders that are held. `anew` is the cause of a new walk: names and policies
    change too.

    Publishes:
        OrderHeld
        MatchFoundTooLate
        LineCovered
    """
    if anew:
        _begin(anew, now)
    found = rows(UNFINISHED)
    if not found:
        return None
    walk = Screening.objects.get(pk=found[0][0])
    older = [row[0] for row in rows(SUPERSEDED, {"stamp": walk.stamp})]
    Screening.objects.filter(pk__in=older).update(step=Screening.Step.DONE, finished_at=now)
    if walk.step == Screening.Step.CUSTOMERS:
        _walk_customers(walk, limit, now)
    else:
        _walk_orders(walk, limit, now)
    walk.save(update_fields=["step", "after_id", "done", "matches", "holds", "finished_at"])
    is_finished = walk.step == Screening.Step.DONE
    return Walked(walk.pk, walk.total, walk.done, walk.matches, walk.holds, is_finished)


def _begin(cause: str, now: datetime) -> None:
    rows("SELECT pg_advisory_xact_lock(%(key)s)", {"key": LISTING_LOCK})
    if rows("SELECT EXISTS (SELECT FROM orders_partylist)")[0][0]:
        begin_screening(next_stamp(), cause, now)


def _walk_customers(walk: Screening, limit: int, now: datetime) -> None:
    ids = [row[0] for row in rows(CUSTOMERS, {"after": walk.after_id, "limit": limit})]
    walk.matches += compare(CUSTOMER, ids, walk.stamp, now) if ids else 0
    walk.done += len(ids)
    walk.after_id = ids[-1] if ids else 0
    if len(ids) < limit:
        walk.step, walk.after_id = Screening.Step.ORDERS, 0


def _walk_orders(walk: Screening, limit: int, now: datetime) -> None:
    params = {"after": walk.after_id, "limit": limit, "open": [*Order.OPEN, *Order.GONE]}
    ids = [row[0] for row in rows(ORDERS, params)]
    if not ids:
        # Waits for whoever is submitting now, so that nobody slips through between. Not kept: who
        # submits holds orders that are to be locked below.
        rows("SELECT pg_advisory_lock(%(key)s)", {"key": SCREENING_LOCK})
        rows("SELECT pg_advisory_unlock(%(key)s)", {"key": SCREENING_LOCK})
        ids = [row[0] for row in rows(MISSED, params | {"stamp": walk.stamp})]
        if len(ids) < limit:
            walk.step, walk.finished_at = Screening.Step.DONE, now
    else:
        walk.after_id = ids[-1]
    walk.matches += compare(ORDER, ids, walk.stamp, now) if ids else 0
    walk.holds += stop_matched(ids, now, walk.started_at)
    walk.done += len(ids)


def stop_matched(order_ids: Sequence[int], now: datetime, since: datetime) -> int:
    """Hold those of the orders that a match stands against; return how many are new.

    Of what has left it is told once: when a match against it was found since the walk began.
    """
    against = screen_orders(order_ids, now)
    if not against:
        return 0
    lock(against)
    fresh = {
        order_id
        for order_id, standing in against.items()
        if any(each.found_at >= since for each in standing)
    }
    cases = [
        case
        for case in cases_of(sorted(against), now)
        if (case.state in Order.OPEN and Hold.Kind.COMPLIANCE not in case.active_holds)
        or (case.state in Order.GONE and case.id in fresh)
    ]
    finding = check_compliance_again(cases, now, exports=False)
    keep_answers(answers=finding.answers, now=now)
    return stop_orders(finding.stops, now, _too_late)


def _too_late(case: Case, reason: str) -> MatchFoundTooLate:
    return MatchFoundTooLate(
        order_id=case.id, number=case.number, entity_id=case.entity_id, reason=reason
    )

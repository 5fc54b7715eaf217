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
    standing_against,
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


@dataclass(frozen=True, slots=True)
class Compared:
    """A batch of a walk that was compared: `ids` of customers or of orders after `after`."""

    walk_id: int
    step: str
    after: int
    ids: list[int]
    is_last: bool


@transaction.atomic
def compare_parties(*, now: datetime, limit: int = 500, anew: str = "") -> Compared | None:
    """Compare the next batch of the walk that is not finished; None where there is none.

    What is found is stopped by `stop_matched`, in a transaction of its own: this one locks the
    names on orders, that one the accounts and orders, and whoever submits an order locks the order
    before its names. A walk that was cut off goes on where it was, between the two also. `anew` is
    the cause of a new walk: names and policies change too.
    """
    if anew:
        _begin(anew, now)
    return _compare_next(limit, now)


@transaction.atomic
def stop_matched(*, batch: Compared, now: datetime) -> Walked:
    """Hold those of a batch that a match stands against, and have the walk go on after it.

    What is on the floor stays there; of what has left it is told. Again changes nothing. Locks the
    walk, then the accounts and orders that are held.

    Publishes:
        OrderHeld
        MatchFoundTooLate
        LineCovered
    """
    walk = Screening.objects.select_for_update(no_key=True).get(pk=batch.walk_id)
    if (walk.step, walk.after_id) == (batch.step, batch.after):  # nobody else went on with it
        _stop(walk, batch, now)
    is_finished = walk.step == Screening.Step.DONE
    return Walked(walk.pk, walk.total, walk.done, walk.matches, walk.holds, is_finished)


def _begin(cause: str, now: datetime) -> None:
    rows("SELECT pg_advisory_xact_lock(%(key)s)", {"key": LISTING_LOCK})
    if rows("SELECT EXISTS (SELECT FROM orders_partylist)")[0][0]:
        begin_screening(next_stamp(), cause, now)


def _compare_next(limit: int, now: datetime) -> Compared | None:
    found = rows(UNFINISHED)
    if not found:
        return None
    walk = Screening.objects.get(pk=found[0][0])
    older = [row[0] for row in rows(SUPERSEDED, {"stamp": walk.stamp})]
    Screening.objects.filter(pk__in=older).update(step=Screening.Step.DONE, finished_at=now)
    batch = _batch(walk, limit)
    kind = CUSTOMER if walk.step == Screening.Step.CUSTOMERS else ORDER
    walk.matches += compare(kind, batch.ids, walk.stamp, now) if batch.ids else 0
    walk.save(update_fields=["matches"])
    return batch


def _batch(walk: Screening, limit: int) -> Compared:
    params = {"after": walk.after_id, "limit": limit, "open": [*Order.OPEN, *Order.GONE]}
    if walk.step == Screening.Step.CUSTOMERS:
        ids = [row[0] for row in rows(CUSTOMERS, params)]
        return Compared(walk.pk, walk.step, walk.after_id, ids, len(ids) < limit)
    if ids := [row[0] for row in rows(ORDERS, params)]:
        return Compared(walk.pk, walk.step, walk.after_id, ids, is_last=False)
    # Waits for whoever is submitting now, so that nobody slips through between. Not kept: who
    # submits holds orders that are to be locked when they are stopped.
    rows("SELECT pg_advisory_lock(%(key)s)", {"key": SCREENING_LOCK})
    rows("SELECT pg_advisory_unlock(%(key)s)", {"key": SCREENING_LOCK})
    ids = [row[0] for row in rows(MISSED, params | {"stamp": walk.stamp})]
    return Compared(walk.pk, walk.step, walk.after_id, ids, len(ids) < limit)


def _stop(walk: Screening, batch: Compared, now: datetime) -> None:
    walk.done += len(batch.ids)
    if batch.step == Screening.Step.CUSTOMERS:
        walk.after_id = 0 if batch.is_last else batch.ids[-1]
        walk.step = Screening.Step.ORDERS if batch.is_last else walk.step
    else:
        walk.holds += _hold_matched(batch.ids, now, walk.started_at)
        if batch.is_last:
            walk.step, walk.finished_at = Screening.Step.DONE, now
        else:
            walk.after_id = max(walk.after_id, batch.ids[-1])
    walk.save(update_fields=["step", "after_id", "done", "holds", "finished_at"])


def _hold_matched(order_ids: Sequence[int], now: datetime, since: datetime) -> int:
    """Hold those of the orders that a match stands against; return how many are new.

    Of what has left it is told once: when a match against it was found since the walk began.
    """
    against = standing_against(order_ids)
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

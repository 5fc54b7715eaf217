"""What age does to money: overdue accounts, and orders that were paid before they were complete."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from finance.services._settling import close_paid_orders
from orders.services import Overdue, lock_orders, record_overdue

# How an account paid is told of the invoices that fell due in the last year.
LATE = """
    SELECT a.id, coalesce(sum(i.total - i.paid), 0), min(i.due_date), max(history.paid),
           max(history.late), max(history.late_days)
    FROM orders_creditaccount a
    JOIN accounts_entity e ON e.id = a.entity_id
    CROSS JOIN LATERAL (SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date) AS today (day)
    LEFT JOIN finance_invoice i
        ON i.account_id = a.id AND i.state IN ('posted', 'partly_paid') AND i.due_date < today.day
    CROSS JOIN LATERAL (
        SELECT count(*)::int AS paid, count(*) FILTER (WHERE p.late > 0)::int AS late,
               coalesce(sum(p.late) FILTER (WHERE p.late > 0), 0)::int AS late_days
        FROM (
            SELECT (h.paid_at AT TIME ZONE e.time_zone)::date - h.due_date AS late
            FROM finance_invoice h
            WHERE h.account_id = a.id AND h.state = 'paid' AND h.due_date > today.day - 365
        ) AS p
    ) AS history
    WHERE {which}
    GROUP BY a.id
    ORDER BY a.id
"""
ALL = LATE.format(which="true")
THESE = Prepared(LATE.format(which="a.id = ANY(%(accounts)s::bigint[])"))


@transaction.atomic
def note_overdue(*, account_ids: Collection[int] | None = None, now: datetime) -> int:
    """Tell orders what each account owes past its due date and how it paid, by the entity's day.

    All accounts when none are named. Returns how many changed.
    """
    statement = ALL if account_ids is None else THESE
    params = {"now": now, "accounts": [*(account_ids or ())]}
    late = [Overdue(*row) for row in rows(statement, params)]
    return record_overdue(accounts=late, now=now)


@transaction.atomic
def close_orders_paid(*, order_ids: Collection[int], now: datetime) -> None:
    """Close those that are invoiced in full and whose invoices are all paid. Safe to repeat.

    For an order whose rest was cancelled after all that had left was paid.
    """
    lock_orders(order_ids=order_ids)
    close_paid_orders(order_ids, now=now)

"""What a customer ordered, month by month."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records

# Months of the entity's own calendar; those without an order count zero.
TREND = """
    WITH mine AS MATERIALIZED (
        SELECT a.id, a.currency, a.entity_id, e.time_zone FROM orders_creditaccount a
        JOIN accounts_entity e ON e.id = a.entity_id
        WHERE a.customer_id = %(customer)s AND a.entity_id = ANY(%(entities)s)
    ), month AS (
        SELECT (date_trunc('month', %(now)s::timestamptz) - make_interval(months => n))::date AS day
        FROM generate_series(0, %(months)s - 1) AS n
    ), ordered AS (
        SELECT date_trunc('month', o.created_at AT TIME ZONE m.time_zone)::date AS day, o.currency,
               count(*) AS orders, sum(o.total) AS amount
        FROM orders_order o JOIN mine m ON m.id = o.account_id
        WHERE o.customer_id = %(customer)s AND o.state NOT IN ('draft', 'cancelled')
          AND o.created_at >= date_trunc('month', %(now)s::timestamptz)
                              - make_interval(months => %(months)s)
        GROUP BY 1, 2
    )
    SELECT c.currency, month.day AS month, coalesce(o.orders, 0) AS orders,
           coalesce(o.amount, 0) AS amount
    FROM (SELECT DISTINCT currency FROM mine) AS c CROSS JOIN month
    LEFT JOIN ordered o ON o.day = month.day AND o.currency = c.currency
    ORDER BY c.currency, month.day
"""


@dataclass(frozen=True, slots=True)
class MonthOrdered:
    """How many orders of one currency were taken in one month, cancelled ones left out."""

    currency: str
    month: date
    orders: int
    amount: Decimal


def order_trend(
    *, customer_id: int, entity_ids: Collection[int], now: datetime, months: int = 12
) -> list[MonthOrdered]:
    """Return the last months up to this one, oldest first, by currency. One query."""
    asked = {
        "customer": customer_id,
        "entities": sorted(entity_ids),
        "now": now,
        "months": months,
    }
    return [MonthOrdered(**row) for row in records(TREND, asked)]

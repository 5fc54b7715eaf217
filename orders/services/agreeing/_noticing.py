"""Says in time that a blanket order ends while something of it is not called off."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from orders.events import BlanketEnding
from orders.models import Blanket
from orders.services.agreeing._writing import tell

NOTICE_DAYS = (30, 7, 1)  # before the last day; each is announced once

# The nearest of the days that are reached, where it was not announced before.
ANNOUNCE = """
    UPDATE orders_blanket b SET noticed_days = due.step
    FROM (
        SELECT b.id, min(step.days) AS step,
               b.valid_until - (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date AS days_left
        FROM orders_blanket b
        JOIN accounts_entity e ON e.id = b.entity_id
        JOIN unnest(%(steps)s::int[]) AS step (days)
          ON b.valid_until - (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date <= step.days
        WHERE b.state = 'active' AND (b.noticed_days IS NULL OR b.noticed_days > step.days)
          AND EXISTS (SELECT FROM orders_blanketline l WHERE l.blanket_id = b.id
                      AND (l.called < l.quantity OR l.called_value < l.value))
          AND b.valid_until >= (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
        GROUP BY b.id, e.id ORDER BY b.id LIMIT %(limit)s
    ) AS due
    WHERE b.id = due.id AND b.noticed_days IS DISTINCT FROM due.step
    RETURNING b.id, due.days_left, (
        SELECT coalesce(sum(greatest(l.quantity - l.called, 0)), 0)
        FROM orders_blanketline l WHERE l.blanket_id = b.id)
"""


@transaction.atomic
def announce_endings(*, now: datetime, limit: int = 200) -> list[int]:
    """Tell of agreements that end in thirty, seven or one days and are not used up; once each.

    By each entity's own day. Safe to repeat; one that was not seen for a while is told the nearest
    notice only.

    Publishes:
        BlanketEnding
    """
    steps = {"now": now, "steps": list(NOTICE_DAYS), "limit": limit}
    found: dict[int, tuple[int, Decimal]] = {
        pk: (days_left, left) for pk, days_left, left in rows(ANNOUNCE, steps)
    }
    blankets = list(Blanket.objects.filter(pk__in=found).order_by("pk"))
    for blanket in blankets:
        days_left, left = found[blanket.pk]
        tell(
            blanket, "announce_end", None, now, after={"days_left": days_left, "open": f"{left:f}"}
        )
    publish_all(
        [
            BlanketEnding(
                blanket_id=blanket.pk,
                number=blanket.number,
                entity_id=blanket.entity_id,
                days_left=found[blanket.pk][0],
                open=f"{found[blanket.pk][1]:f}",
            )
            for blanket in blankets
        ]
    )
    return sorted(found)

"""Tells once of every lot that expires soon, and once of every lot that did."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.events import LotExpired, LotExpiring
from inventory.services._telling import fallen

EXPIRED = """
    SELECT id FROM inventory_lot
    WHERE expired_at IS NULL AND expires_on < %(today)s
    ORDER BY id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
"""
EXPIRING = """
    SELECT id FROM inventory_lot
    WHERE expired_at IS NULL AND warned_at IS NULL
        AND expires_on >= %(today)s AND expires_on <= %(until)s
    ORDER BY id LIMIT %(limit)s
    FOR NO KEY UPDATE SKIP LOCKED
"""
# A lot's balances are locked in id order before its facts on them change.
BALANCES = """
    SELECT id FROM inventory_stock WHERE lot_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
EXPOSED = """
    SELECT l.id, l.product_id, l.code, l.expires_on, s.entity_id, s.node_id, sum(s.on_hand),
        sum(s.reserved),
        coalesce(round(sum(s.on_hand) * max(c.value / nullif(c.quantity, 0)), 2), 0),
        bool_or(s.status = 'available')
    FROM inventory_lot l
    JOIN inventory_stock s ON s.lot_id = l.id AND s.on_hand > 0
    LEFT JOIN inventory_productcost c ON c.product_id = s.product_id AND c.entity_id = s.entity_id
    WHERE l.id = ANY(%s)
    GROUP BY l.id, s.entity_id, s.node_id
    ORDER BY l.id, s.entity_id, s.node_id
"""


@transaction.atomic
def look_at_expiry(*, now: datetime, warn_days: int = 30, limit: int = 500) -> int:
    """Tell of lots that expired, and of those that will within `warn_days`; return how many.

    Nothing moves: what expired stays where it lies and is promised to nobody, which the balances
    know from now on. Each owner and node where some of a lot lies is told once of either; a lot of
    which nothing is left is marked in silence. Days are UTC. Call it until it returns nothing; two
    at once share the work.

    Publishes:
        LotExpired
        LotExpiring
        StockFell
    """
    today = now.date()
    params = {"today": today, "until": today + timedelta(days=warn_days), "limit": limit}
    expired = [row[0] for row in rows(EXPIRED, params)]
    expiring = [row[0] for row in rows(EXPIRING, params)]
    if not expired and not expiring:
        return 0
    rows(BALANCES, [expired])
    run("UPDATE inventory_lot SET expired_at = %s WHERE id = ANY(%s)", [now, expired])
    run("UPDATE inventory_lot SET warned_at = %s WHERE id = ANY(%s)", [now, expiring])
    gone, going = rows(EXPOSED, [expired]), rows(EXPOSED, [expiring])
    publish_all(
        [
            *(LotExpired(**_facts(row)) for row in gone),
            *(LotExpiring(**_facts(row)) for row in going),
            *fallen((row[4], row[5], row[1]) for row in gone if row[9]),
        ]
    )
    return len(expired) + len(expiring)


def _facts(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "lot_id": row[0],
        "product_id": row[1],
        "code": row[2],
        "expires_on": row[3].isoformat(),
        "entity_id": row[4],
        "node_id": row[5],
        "on_hand": f"{row[6]:f}",
        "reserved": f"{row[7]:f}",
        "value": f"{row[8]:f}",
    }

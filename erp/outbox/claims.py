"""The work queue in SQL: who takes which delivery, and what became of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from erp.kernel.sql import rows, run

LEASE = timedelta(seconds=10)  # from the claim to the lock; a dead worker's deliveries wait so long

# An earlier delivery of the same handler and key holds this one back: in `due` when it cannot be
# taken now, and in `taken` when it was not taken along (another worker has it locked).
CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT d.id, d.handler, d.key
        FROM outbox_delivery d
        WHERE d.status = 'pending'
          AND (d.claimed_at IS NOT NULL) = %(abandoned)s
          AND d.attempts BETWEEN %(attempts_min)s AND %(attempts_max)s
          AND (d.due_at IS NULL OR d.due_at <= %(now)s)
          AND (d.key = '' OR NOT EXISTS (
              SELECT FROM outbox_delivery earlier
              WHERE earlier.status = 'pending' AND earlier.key <> ''
                AND earlier.handler = d.handler AND earlier.key = d.key AND earlier.id < d.id
                AND (earlier.claimed_at IS NOT NULL OR earlier.due_at > %(now)s)
          ))
        ORDER BY d.id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE outbox_delivery d
        SET attempts = d.attempts + 1, claimed_at = %(now)s, due_at = %(until)s
        FROM due
        WHERE d.id = due.id
          AND (due.key = '' OR NOT EXISTS (
              SELECT FROM outbox_delivery earlier
              WHERE earlier.status = 'pending' AND earlier.key <> ''
                AND earlier.handler = due.handler AND earlier.key = due.key
                AND earlier.id < due.id AND earlier.id NOT IN (SELECT id FROM due)
          ))
        RETURNING d.id, d.message_id, d.handler, d.attempts, d.last_error
    )
    SELECT taken.id, taken.handler, taken.attempts, taken.last_error,
           m.id, m.name, m.key, m.entity_id, m.published_at, m.payload
    FROM taken JOIN outbox_message m ON m.id = taken.message_id
    ORDER BY taken.id
"""

# Waits: another worker's claim locks for a moment what it then leaves alone.
HOLD = """
    SELECT d.id
    FROM unnest(%(ids)s::bigint[], %(attempts)s::smallint[]) AS mine (id, attempts)
    JOIN outbox_delivery d ON d.id = mine.id AND d.attempts = mine.attempts
    WHERE d.status = 'pending'
    ORDER BY d.id
    FOR UPDATE OF d
"""

DONE = """
    UPDATE outbox_delivery
    SET status = 'done', due_at = NULL, last_error = '', claimed_at = NULL, settled_at = %(now)s
    WHERE id = ANY(%(ids)s) AND status = 'pending'
"""

SETTLE = """
    UPDATE outbox_delivery d
    SET status = o.status, attempts = o.attempts, due_at = o.due_at, last_error = o.error,
        claimed_at = NULL,
        settled_at = CASE WHEN o.status <> 'pending' THEN %(now)s END
    FROM unnest(
        %(ids)s::bigint[], %(statuses)s::text[], %(attempts)s::smallint[],
        %(due)s::timestamptz[], %(errors)s::text[]
    ) AS o (id, status, attempts, due_at, error)
    WHERE d.id = o.id AND d.status = 'pending'
"""


class Claim(NamedTuple):
    """One delivery that this worker took; `attempts` counts this time and proves the claim."""

    id: int
    handler: str
    attempts: int
    last_error: str
    message_id: int
    name: str
    key: str
    entity_id: int | None
    published_at: datetime
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claim. A released one was not tried: it does not count."""

    claim: Claim
    status: str
    due_at: datetime | None = None
    error: str = ""
    released: bool = False


@transaction.atomic
def claim(
    now: datetime, *, limit: int, abandoned: bool, attempts: tuple[int, int] = (0, 32_767)
) -> list[Claim]:
    """Take up to `limit` due deliveries, oldest first: fresh ones, or those of a dead worker.

    `attempts` bounds how often they were tried before. One statement.
    """
    params = {
        "now": now,
        "until": now + LEASE,
        "limit": limit,
        "abandoned": abandoned,
        "attempts_min": attempts[0],
        "attempts_max": attempts[1],
    }
    return [Claim(*(*row[:-1], json.loads(row[-1]))) for row in rows(CLAIM, params)]


def hold(claims: Sequence[Claim]) -> list[Claim]:
    """Lock the claimed deliveries until the transaction ends; leave out what others took over."""
    params = {"ids": [c.id for c in claims], "attempts": [c.attempts for c in claims]}
    held = {row[0] for row in rows(HOLD, params)}
    return [c for c in claims if c.id in held]


def settle(outcomes: Sequence[Outcome], now: datetime) -> None:
    """Record what became of the claims. One statement, or two when some went wrong."""
    done = [o.claim.id for o in outcomes if o.status == "done"]
    if done:
        run(DONE, {"now": now, "ids": done})
    outcomes = [o for o in outcomes if o.status != "done"]
    if not outcomes:
        return
    run(
        SETTLE,
        {
            "now": now,
            "ids": [o.claim.id for o in outcomes],
            "statuses": [o.status for o in outcomes],
            "attempts": [o.claim.attempts - o.released for o in outcomes],
            "due": [o.due_at for o in outcomes],
            "errors": [o.error for o in outcomes],
        },
    )

"""What waits in the outbox."""

from dataclasses import dataclass
from datetime import datetime

from erp.kernel.invariants import Invariant
from erp.kernel.sql import rows

INVARIANTS = [
    Invariant(
        code="outbox.nothing_waits",
        promise="No fact waits for a handler longer than five minutes, but for those given up.",
        statement="SELECT id, handler, attempts FROM outbox_delivery"
        " WHERE status = 'pending' AND attempts = 0"
        " AND message_id IN (SELECT id FROM outbox_message"
        " WHERE published_at < now() - interval '5 minutes')",
    ),
    Invariant(
        code="outbox.delivered_once",
        promise="Each fact has at most one delivery per handler.",
        statement="SELECT message_id, handler, count(*) FROM outbox_delivery"
        " GROUP BY 1, 2 HAVING count(*) > 1",
    ),
]

BACKLOG = """
    SELECT d.handler,
           count(*) FILTER (WHERE d.status = 'pending'),
           count(*) FILTER (WHERE d.status = 'pending' AND d.last_error <> ''),
           count(*) FILTER (WHERE d.status = 'dead'),
           min(m.published_at) FILTER (WHERE d.status = 'pending')
    FROM outbox_delivery d JOIN outbox_message m ON m.id = d.message_id
    WHERE d.status IN ('pending', 'dead')
    GROUP BY d.handler
    ORDER BY d.handler
"""


@dataclass(frozen=True, slots=True)
class HandlerBacklog:
    """What one handler has before it; `failing` of `pending` failed before. `oldest_at` waits."""

    handler: str
    pending: int
    failing: int
    dead: int
    oldest_at: datetime | None


def backlog() -> list[HandlerBacklog]:
    """Return every handler with something pending or dead. One query, on the open rows alone."""
    return [HandlerBacklog(*row) for row in rows(BACKLOG)]

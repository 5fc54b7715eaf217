"""The queue that people live in: cases by what they may cost, or by their clocks."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from erp.accounts.models import Role
from erp.kernel.sql import records
from exceptions.selectors._registry import label_of

PAGE = 100
COUNTED_MAX = 999
WORST = 100
CURSOR_MAX = 200

# One index range per entity, merged: the first page costs the same however many cases there are.
BOARD = """
    SELECT c.id, c.type, c.subject_kind, c.subject_id, c.subject_label,
           c.entity_id, e.code AS entity, c.order_id, o.number AS order_number,
           c.party, c.tier, c.summary, c.severity,
           c.expected_loss, c.rank, c.currency, c.queue, c.state, c.owner_id,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '') AS owner,
           c.opened_at, c.acknowledge_by, c.resolve_by, c.acknowledged_at, c.escalation_level,
           c.reopened_count, c.waiting_on, c.follow_up_at, c.snoozed_until, (
               SELECT count(*) FROM exceptions_exceptioncase child
               WHERE child.parent_id = c.id AND child.state NOT IN ('resolved', 'dismissed')
           ) AS children
    FROM (
        SELECT c.*
        FROM unnest(%(entities)s::bigint[]) AS scope (id)
        CROSS JOIN LATERAL (
            SELECT c.* FROM exceptions_exceptioncase c
            WHERE c.entity_id = scope.id AND c.state NOT IN ('resolved', 'dismissed')
              AND c.parent_id IS NULL AND {filters} AND {after}
            ORDER BY {order}
            LIMIT %(limit)s
        ) c
        ORDER BY {order}
        LIMIT %(limit)s
    ) c
    JOIN accounts_entity e ON e.id = c.entity_id
    LEFT JOIN orders_order o ON o.id = c.order_id
    LEFT JOIN accounts_user u ON u.id = c.owner_id
    ORDER BY {order}
"""
BY_LOSS = "c.severity, c.rank * -1, c.id"
AFTER_BY_LOSS = """
    c.severity >= %(severity)s
    AND (c.severity, c.rank * -1, c.id) > (%(severity)s, %(rank)s * -1, %(id)s)
"""
BY_CLOCK = "c.resolve_by, c.id"
AFTER_BY_CLOCK = "(c.resolve_by, c.id) > (%(resolve_by)s, %(id)s)"

FILTERS: Mapping[str, str] = {
    "mine": "c.owner_id = %(user)s",
    "unowned": "c.owner_id IS NULL",
    "queue": "c.queue = %(queue)s",
    "type": "c.type = %(type)s",
    "severity": "c.severity = %(severity_is)s",
    "tier": "c.tier = %(tier)s",
    "breaching": "c.resolve_by <= %(now)s::timestamptz + interval '1 hour'",
    "escalated": "c.escalation_level > 0",
    "waiting": "c.state = 'waiting'",
    "snoozed": "c.snoozed_until > %(now)s::timestamptz",
    "awake": "(c.snoozed_until IS NULL OR c.snoozed_until <= %(now)s::timestamptz)",
    "watched": """EXISTS (
        SELECT FROM exceptions_casewatcher w WHERE w.case_id = c.id AND w.user_id = %(user)s
    )""",
    "text": """(
        c.subject_label ILIKE %(text)s OR c.party ILIKE %(text)s OR c.summary ILIKE %(text)s
    )""",
}

# Each figure counts one range of a partial index and stops at the limit: it costs the same however
# many cases there are.
FIGURES: Mapping[str, str] = {
    "open": "true",
    "mine": "c.owner_id = %(user)s",
    "unowned": "c.owner_id IS NULL",
    "breaching": "c.resolve_by <= %(now)s::timestamptz + interval '1 hour'",
    "strategic": "c.tier = 'A'",
    "escalated": "c.escalation_level > 0",
    "waiting": "c.state = 'waiting'",
    "snoozed": "c.snoozed_until > %(now)s::timestamptz",
}
COUNTED = """(
    SELECT count(*) FROM (
        SELECT FROM exceptions_exceptioncase c
        WHERE c.entity_id = ANY(%(entities)s::bigint[])
          AND c.state NOT IN ('resolved', 'dismissed') AND c.parent_id IS NULL AND {which}
        LIMIT %(limit)s
    ) few
)"""
COUNTS = """
    SELECT {figures},
        worst.loss, worst.currencies, worst.currency
    FROM (
        SELECT coalesce(sum(w.expected_loss), 0) AS loss, count(DISTINCT w.currency) AS currencies,
            min(w.currency) AS currency
        FROM unnest(%(entities)s::bigint[]) AS scope (id)
        CROSS JOIN LATERAL (
            SELECT c.expected_loss, c.currency FROM exceptions_exceptioncase c
            WHERE c.entity_id = scope.id AND c.state NOT IN ('resolved', 'dismissed')
              AND c.parent_id IS NULL
            ORDER BY {order}
            LIMIT %(worst)s
        ) w
    ) worst
""".replace(
    "{figures}",
    ", ".join(f"{COUNTED.replace('{which}', which)} AS {name}" for name, which in FIGURES.items()),
).replace("{order}", BY_LOSS)
BY_QUEUE = """
    SELECT desk.role AS queue, sum(few.cases) AS cases
    FROM unnest(%(roles)s::text[]) AS desk (role)
    CROSS JOIN LATERAL (
        SELECT count(*) AS cases FROM (
            SELECT FROM exceptions_exceptioncase c
            WHERE c.entity_id = ANY(%(entities)s::bigint[]) AND c.queue = desk.role
              AND c.state NOT IN ('resolved', 'dismissed') AND c.parent_id IS NULL
            LIMIT %(limit)s
        ) one
    ) few
    GROUP BY desk.role HAVING sum(few.cases) > 0
    ORDER BY sum(few.cases) DESC, desk.role
"""
BY_TYPE = """
    SELECT c.type, count(*) AS cases, min(c.severity) AS worst
    FROM exceptions_exceptioncase c
    WHERE c.entity_id = ANY(%(entities)s::bigint[]) AND c.state NOT IN ('resolved', 'dismissed')
    GROUP BY c.type
"""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One live case as the queue shows it. `expected_loss` is in `currency`."""

    id: int
    type: str
    label: str
    subject_label: str
    entity: str
    order_number: str | None
    party: str
    tier: str
    summary: str
    severity: int
    expected_loss: Decimal
    rank: Decimal
    currency: str
    queue: str
    state: str
    owner_id: int | None
    owner: str
    opened_at: datetime
    acknowledge_by: datetime
    resolve_by: datetime
    acknowledged_at: datetime | None
    escalation_level: int
    reopened_count: int
    waiting_on: str
    follow_up_at: datetime | None
    snoozed_until: datetime | None
    children: int

    @property
    def desk(self) -> str:
        """Who has it: a person, or the queue it waits in."""
        return self.owner or self.queue.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue, and the cursor of the next one (empty at the end)."""

    rows: list[QueueRow]
    next: str


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """What is open. Nothing is counted beyond `COUNTED_MAX`: one more means that there are more.

    `loss` is the expected loss of the worst `WORST` cases of each company where there is one
    currency, else None; `is_all` says that there are no others.
    """

    open: int
    loss: Decimal | None
    currency: str
    breaching: int
    mine: int
    unowned: int
    strategic: int
    escalated: int
    waiting: int
    snoozed: int
    by_queue: list[tuple[str, int]]

    @property
    def is_all(self) -> bool:
        return self.open <= WORST


def queue(
    *,
    entity_ids: Collection[int],
    now: datetime,
    user_id: int | None = None,
    filters: Mapping[str, Any] | None = None,
    by: str = "loss",
    after: str = "",
    limit: int = PAGE,
) -> Queue:
    """Return live cases of these entities, the worst first, or by "clock" the most urgent first.

    `filters` maps names of `FILTERS` to what is asked of them. One query, by an index.
    """
    asked = {name: value for name, value in (filters or {}).items() if value not in ("", None)}
    order, params = (BY_CLOCK, {}) if by == "clock" else (BY_LOSS, {})
    after_clause, cursor = _cursor(by, after)
    statement = (
        BOARD.replace("{filters}", " AND ".join([FILTERS[name] for name in asked] or ["true"]))
        .replace("{after}", after_clause)
        .replace("{order}", order)
    )
    params = {
        **cursor,
        "entities": sorted(entity_ids),
        "now": now,
        "user": user_id,
        "limit": limit + 1,
        "queue": asked.get("queue"),
        "type": asked.get("type"),
        "tier": asked.get("tier"),
        "severity_is": asked.get("severity"),
        "text": f"%{asked.get('text', '')}%",
    }
    found = [_row(one) for one in records(statement, params)]
    more = found[limit - 1] if len(found) > limit else None
    return Queue(found[:limit], _encoded(by, more) if more else "")


def counts(
    *, entity_ids: Collection[int], now: datetime, user_id: int | None = None
) -> QueueCounts:
    """Return the figures above the queue. Two queries over ranges of indexes."""
    params = {
        "entities": sorted(entity_ids),
        "now": now,
        "user": user_id,
        "limit": COUNTED_MAX + 1,
        "worst": WORST,
        "roles": list(Role.values),
    }
    (one,) = records(COUNTS, params)
    return QueueCounts(
        open=one["open"],
        loss=one["loss"] if one["currencies"] <= 1 else None,
        currency=one["currency"] or "",
        breaching=one["breaching"],
        mine=one["mine"],
        unowned=one["unowned"],
        strategic=one["strategic"],
        escalated=one["escalated"],
        waiting=one["waiting"],
        snoozed=one["snoozed"],
        by_queue=[(found["queue"], int(found["cases"])) for found in records(BY_QUEUE, params)],
    )


def type_counts(*, entity_ids: Collection[int]) -> dict[str, tuple[int, int]]:
    """Return, by type, how many cases are live and how bad the worst one is. One query."""
    found = records(BY_TYPE, {"entities": sorted(entity_ids)})
    return {one["type"]: (one["cases"], one["worst"]) for one in found}


def _row(one: Mapping[str, Any]) -> QueueRow:
    named = {name: one[name] for name in QueueRow.__slots__ if name != "label"}
    return QueueRow(**named, label=label_of(one["type"]))


def _encoded(by: str, row: QueueRow) -> str:
    values = (
        [row.resolve_by.isoformat(), str(row.id)]
        if by == "clock"
        else [str(row.severity), str(row.rank), str(row.id)]
    )
    return base64.urlsafe_b64encode("|".join(values).encode()).decode().rstrip("=")


def _cursor(by: str, after: str) -> tuple[str, dict[str, Any]]:
    """Read where a page begins; what is no cursor of this list begins at the top."""
    if not after or len(after) > CURSOR_MAX:
        return "true", {}
    try:
        text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode()
        if by == "clock":
            moment, pk = text.split("|")
            return AFTER_BY_CLOCK, {"resolve_by": datetime.fromisoformat(moment), "id": int(pk)}
        severity, rank, pk = text.split("|")
        return AFTER_BY_LOSS, {"severity": int(severity), "rank": Decimal(rank), "id": int(pk)}
    except (ValueError, InvalidOperation, UnicodeDecodeError, binascii.Error):
        return "true", {}

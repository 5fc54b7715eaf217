"""How well exceptions are handled: times, breaches, causes, loads, by one dimension at a time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records
from exceptions.selectors._registry import label_of

GROUPS_MAX = 100
SPAN_MAX = timedelta(days=400)

DIMENSIONS: Mapping[str, str] = {
    "type": "c.type",
    "severity": "'S' || c.severity",
    "entity": "e.code",
    "owner": "coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, 'Nobody')",
    "queue": "c.queue",
    "party": "coalesce(nullif(c.party, ''), '—')",
    "tier": "coalesce(nullif(c.tier, ''), '—')",
    "week": "to_char(date_trunc('week', c.opened_at AT TIME ZONE 'UTC'), 'YYYY-MM-DD')",
}
# Cases opened in the period, and what has become of them by now. What hung under another case was
# worked with it and is told by it alone.
OPENED = """
    FROM exceptions_exceptioncase c
    JOIN accounts_entity e ON e.id = c.entity_id
    LEFT JOIN accounts_user u ON u.id = c.owner_id
    WHERE c.entity_id = ANY(%(entities)s::bigint[])
      AND c.opened_at >= %(since)s AND c.opened_at < %(until)s
"""
GROUPED = """
    SELECT {key} AS key, count(*) AS opened,
        count(*) FILTER (WHERE c.state NOT IN ('resolved', 'dismissed')) AS live,
        count(*) FILTER (WHERE c.state = 'resolved' AND c.resolved_by_id IS NULL) AS alone,
        count(*) FILTER (WHERE c.state = 'resolved') AS resolved,
        count(*) FILTER (WHERE c.state = 'dismissed') AS dismissed,
        count(*) FILTER (WHERE c.reopened_count > 0) AS reopened,
        count(*) FILTER (WHERE c.resolve_by < coalesce(c.resolved_at, %(now)s)) AS breached,
        percentile_cont(0.5) WITHIN GROUP (
            ORDER BY extract(epoch FROM c.acknowledged_at - c.opened_at) / 60) AS seen_p50,
        percentile_cont(0.9) WITHIN GROUP (
            ORDER BY extract(epoch FROM c.acknowledged_at - c.opened_at) / 60) AS seen_p90,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY c.worked_minutes) AS worked_p50,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY c.worked_minutes) AS worked_p90,
        coalesce(sum(c.rank), 0) AS rank
    {opened} AND c.parent_id IS NULL
    GROUP BY 1
    ORDER BY {order}
    LIMIT %(limit)s
"""
CAUSES = """
    SELECT coalesce(p.type, c.type) AS type, count(*) AS cases,
        count(DISTINCT coalesce(p.id, c.id)) AS causes, coalesce(sum(c.rank), 0) AS rank
    FROM (SELECT c.id, c.type, c.parent_id, c.rank {opened}) c
    LEFT JOIN exceptions_exceptioncase p ON p.id = c.parent_id
    GROUP BY 1
    ORDER BY 4 DESC, 1
"""
# By entity currency of the case: what the chosen ways out were priced at.
COSTS = """
    SELECT c.currency, sum((r.chosen ->> 'cost')::numeric) AS cost, count(*) AS runs
    FROM exceptions_playrun r JOIN exceptions_exceptioncase c ON c.id = r.case_id
    WHERE c.entity_id = ANY(%(entities)s::bigint[])
      AND c.opened_at >= %(since)s AND c.opened_at < %(until)s
    GROUP BY c.currency ORDER BY c.currency
"""


@dataclass(frozen=True, slots=True)
class Handled:
    """Cases of one group that opened in the period. Minutes, medians and ninth deciles of them.

    `seen` is from opening to acknowledgement by the clock on the wall; `worked` is the business
    time a closed case lay on our desks, so without what it waited on others. `rank` is the
    expected loss in about US dollars. `alone` closed because their condition was over.
    """

    key: str
    label: str
    opened: int
    live: int
    alone: int
    resolved: int
    dismissed: int
    reopened: int
    breached: int
    seen_p50: Decimal | None
    seen_p90: Decimal | None
    worked_p50: Decimal | None
    worked_p90: Decimal | None
    rank: Decimal

    @property
    def breach_rate(self) -> Decimal:
        return _share(self.breached, self.opened)

    @property
    def reopen_rate(self) -> Decimal:
        return _share(self.reopened, self.opened)

    @property
    def alone_rate(self) -> Decimal:
        return _share(self.alone, self.resolved)


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of root cause: how many cases it brought about, and its part of the loss so far.

    `upto` is the share (0 to 1) of all expected loss that this cause and the worse ones make.
    """

    type: str
    label: str
    cases: int
    causes: int
    rank: Decimal
    upto: Decimal


@dataclass(frozen=True, slots=True)
class Analytics:
    """What happened to the cases that opened between two moments."""

    since: datetime
    until: datetime
    by: str
    whole: Handled
    groups: list[Handled]
    weeks: list[Handled]
    causes: list[Cause]
    costs: list[tuple[str, Decimal, int]]


def analytics(
    *,
    entity_ids: Collection[int],
    since: datetime,
    until: datetime,
    now: datetime,
    by: str = "type",
) -> Analytics:
    """Return how the cases of these entities that opened in [since, until) were handled.

    At most a hundred groups, those of the greatest expected loss; weeks in order of time. Six
    queries.

    Raises:
        ValueError: `by` is no dimension, or the period is empty or longer than 400 days.
    """
    if by not in DIMENSIONS:
        raise ValueError(f"There is no dimension {by!r}: one of {', '.join(DIMENSIONS)}.")
    if not timedelta(0) < until - since <= SPAN_MAX:
        raise ValueError("The period ends after it begins, and is 400 days at most.")
    params = {
        "entities": sorted(entity_ids),
        "since": since,
        "until": until,
        "now": now,
        "limit": GROUPS_MAX,
    }
    whole = _grouped("'all'", params)
    return Analytics(
        since=since,
        until=until,
        by=by,
        whole=whole[0] if whole else EMPTY,
        groups=_grouped(DIMENSIONS[by], params, is_type=by == "type"),
        weeks=_grouped(DIMENSIONS["week"], params, order="1"),
        causes=_causes(params),
        costs=[(one["currency"], one["cost"], one["runs"]) for one in records(COSTS, params)],
    )


def _grouped(
    key: str, params: Mapping[str, Any], *, order: str = "rank DESC, 1", is_type: bool = False
) -> list[Handled]:
    statement = GROUPED.replace("{key}", key).replace("{opened}", OPENED).replace("{order}", order)
    return [
        Handled(**one, label=label_of(one["key"]) if is_type else _plain(one["key"]))
        for one in records(statement, params)
    ]


def _causes(params: Mapping[str, Any]) -> list[Cause]:
    found = records(CAUSES.replace("{opened}", OPENED), params)
    whole, sofar, causes = sum((one["rank"] for one in found), Decimal(0)), Decimal(0), []
    for one in found:
        sofar += one["rank"]
        upto = sofar / whole if whole else Decimal(1)
        causes.append(Cause(label=label_of(one["type"]), upto=upto, **one))
    return causes


def _plain(key: str) -> str:
    try:
        return f"{date.fromisoformat(key):%-d %b}"
    except ValueError:
        return key.replace("_", " ").capitalize() if key.islower() else key


def _share(part: int, whole: int) -> Decimal:
    return Decimal(part) / whole if whole else Decimal(0)


EMPTY = Handled("all", "All", 0, 0, 0, 0, 0, 0, 0, None, None, None, None, Decimal(0))

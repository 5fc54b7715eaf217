"""Sums KPIs from their rows, and shows the rows: figure, series, breakdown and list agree."""

import base64
import binascii
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from erp.insight.selectors._definitions import KPIS, Kpi, Unit
from erp.kernel.sql import records

DAYS = 30
PAGE = 100
NOTHING = Decimal(0)

SUM = """
    SELECT r.currency, count(*) AS rows, sum(r.hits) AS hits, sum(r.parts) AS parts,
           sum(r.amount) AS amount
    FROM ({rows}) r GROUP BY r.currency ORDER BY r.currency
"""
MEDIAN = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY r.hits)::numeric AS median,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY r.hits)::numeric AS high
    FROM ({rows}) r
"""
SERIES = """
    SELECT r.day, count(*) AS rows, sum(r.hits) AS hits, sum(r.parts) AS parts
    FROM ({rows}) r GROUP BY r.day ORDER BY r.day
"""
BREAKDOWN = """
    SELECT r.bucket, r.currency, count(*) AS rows, sum(r.hits) AS hits, sum(r.amount) AS amount
    FROM ({rows}) r GROUP BY r.bucket, r.currency ORDER BY r.bucket, r.currency
"""
LIST = """
    SELECT r.* FROM ({rows}) r
    WHERE (%(bucket)s = '' OR r.bucket = %(bucket)s)
      AND (%(hit)s IS NULL OR (r.hits > 0) = %(hit)s)
      AND (%(after_day)s::date IS NULL OR (r.day, r.id) < (%(after_day)s::date, %(after_id)s))
    ORDER BY r.day DESC, r.id DESC
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Period:
    """The days asked about, both included, and the moment by whose knowledge."""

    since: date
    until: date
    as_of: datetime

    @classmethod
    def last(cls, days: int, *, now: datetime) -> "Period":
        return cls(now.date() - timedelta(days=days - 1), now.date(), now)

    def before(self) -> "Period":
        """Return as many days that came just before, as they were known at their end."""
        length = self.until - self.since + timedelta(days=1)
        return Period(self.since - length, self.since - timedelta(days=1), self.as_of - length)


@dataclass(frozen=True, slots=True)
class Figure:
    """What a KPI comes to. `value` is its share, count or median; None where there are no rows.

    Money is by currency: amounts of different ones are never added.
    """

    kpi: Kpi
    rows: int
    numerator: Decimal
    denominator: Decimal
    value: Decimal | None
    by_currency: Mapping[str, Decimal] = field(default_factory=dict)
    high: Decimal | None = None

    @property
    def money(self) -> list[tuple[str, Decimal]]:
        """Its amounts by currency, without those that are nothing."""
        return [(currency, amount) for currency, amount in self.by_currency.items() if amount]


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    rows: int
    numerator: Decimal
    denominator: Decimal

    @property
    def value(self) -> Decimal | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of a KPI: how many rows, and their money by currency."""

    name: str
    rows: int
    amounts: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One row behind a figure; `page` and `ref` say where it opens."""

    id: int
    entity: str
    day: date
    bucket: str
    label: str
    page: str
    ref: str
    party: str
    detail: str
    hits: Decimal
    parts: Decimal
    amount: Decimal
    currency: str

    @property
    def is_hit(self) -> bool:
        return self.hits > 0


@dataclass(frozen=True, slots=True)
class KpiRows:
    rows: list[KpiRow]
    next: str


def kpi(code: str) -> Kpi | None:
    return KPIS.get(code)


def figure(code: str, *, entity_ids: Collection[int], period: Period) -> Figure:
    """Return what a KPI comes to over its rows. One query; a median takes a second."""
    found = KPIS[code]
    sums = records(_with(SUM, found), _params(entity_ids, period))
    numerator = sum((one["hits"] for one in sums), NOTHING)
    denominator = sum((one["parts"] for one in sums), NOTHING)
    rows = sum(one["rows"] for one in sums)
    high = None
    value: Decimal | None
    if found.unit is Unit.HOURS:
        ((median),) = records(_with(MEDIAN, found), _params(entity_ids, period))
        value, high = median["median"], median["high"]
    elif found.unit is Unit.COUNT:
        value = Decimal(rows)
    else:
        value = numerator / denominator if denominator else None
    money = "hits" if found.unit is Unit.MONEY else "amount"
    by_currency = {one["currency"]: one[money] for one in sums}
    return Figure(found, rows, numerator, denominator, value, by_currency, high)


def series(code: str, *, entity_ids: Collection[int], period: Period) -> list[Day]:
    """Return a daily KPI day by day, every day of the period; none for what has no days."""
    found = KPIS[code]
    if not found.is_daily:
        return []
    known = {
        one["day"]: Day(one["day"], one["rows"], one["hits"], one["parts"])
        for one in records(_with(SERIES, found), _params(entity_ids, period))
    }
    days = (period.until - period.since).days + 1
    every = [period.since + timedelta(days=n) for n in range(days)]
    return [known.get(day) or Day(day, 0, NOTHING, NOTHING) for day in every]


def breakdown(code: str, *, entity_ids: Collection[int], period: Period) -> dict[str, Bucket]:
    """Return the parts of a KPI by name. One query."""
    parts: dict[str, Bucket] = {}
    for one in records(_with(BREAKDOWN, KPIS[code]), _params(entity_ids, period)):
        known = parts.get(one["bucket"]) or Bucket(one["bucket"], 0, {})
        amounts = {**known.amounts, one["currency"]: one["amount"]}
        parts[one["bucket"]] = Bucket(known.name, known.rows + one["rows"], amounts)
    return parts


def kpi_rows(
    code: str,
    *,
    entity_ids: Collection[int],
    period: Period,
    bucket: str = "",
    hit: bool | None = None,
    after: str = "",
    limit: int = PAGE,
) -> KpiRows:
    """Return the rows behind a figure, the latest day first; those of a bucket, or only misses."""
    day, pk = read_cursor(after)
    params = _params(entity_ids, period) | {
        "bucket": bucket,
        "hit": hit,
        "after_day": day,
        "after_id": pk,
        "limit": limit + 1,
    }
    found = [
        KpiRow(**{name: one[name] for name in KpiRow.__slots__})
        for one in records(_with(LIST, KPIS[code]), params)
    ]
    last = found[limit - 1] if len(found) > limit else None
    return KpiRows(found[:limit], _cursor(last) if last else "")


def read_cursor(after: str) -> tuple[date | None, int]:
    """Read where a page begins; what is no cursor of these lists begins at the top."""
    try:
        text = base64.urlsafe_b64decode(after[:100] + "=" * (-len(after) % 4)).decode()
        day, pk = text.split("|")
        return date.fromisoformat(day), int(pk)
    except (ValueError, binascii.Error):
        return None, 0


def _cursor(row: KpiRow) -> str:
    return base64.urlsafe_b64encode(f"{row.day}|{row.id}".encode()).decode().rstrip("=")


def _with(outer: str, found: Kpi) -> str:
    return outer.replace("{rows}", found.statement)


def _params(entity_ids: Collection[int], period: Period) -> dict[str, Any]:
    return {
        "entities": sorted(entity_ids),
        "since": period.since,
        "until": period.until,
        "as_of": period.as_of,
    }

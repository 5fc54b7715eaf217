"""Keeps with whom a case lies, and for how long: intervals that follow each other."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from erp.kernel.calendars import business_calendar
from erp.kernel.sql import records, run

# Whatever changed a case: its open interval ends where it lies with somebody else by now, or with
# nobody, and another begins. Two statements, since the second must see the first.
END = """
    UPDATE exceptions_caseinterval i SET until = greatest(%(now)s, i.since)
    FROM exceptions_exceptioncase c
    WHERE c.id = i.case_id AND i.until IS NULL AND c.id = ANY(%(ids)s::bigint[])
      AND (c.state IN ('resolved', 'dismissed')
           OR i.party <> coalesce(nullif(c.waiting_on, ''), 'owner')
           OR i.queue <> c.queue OR i.owner_id IS DISTINCT FROM c.owner_id)
"""
BEGIN = """
    INSERT INTO exceptions_caseinterval (case_id, party, queue, owner_id, since)
    SELECT c.id, coalesce(nullif(c.waiting_on, ''), 'owner'), c.queue, c.owner_id, %(now)s
    FROM exceptions_exceptioncase c
    WHERE c.id = ANY(%(ids)s::bigint[]) AND c.state NOT IN ('resolved', 'dismissed')
      AND NOT EXISTS (
          SELECT FROM exceptions_caseinterval i WHERE i.case_id = c.id AND i.until IS NULL
      )
    ORDER BY c.id
"""
ON_OUR_DESKS = """
    SELECT c.id, c.entity_id, e.country, e.time_zone, i.since, i.until
    FROM exceptions_exceptioncase c
    JOIN accounts_entity e ON e.id = c.entity_id
    LEFT JOIN exceptions_caseinterval i ON i.case_id = c.id AND i.party = 'owner'
        AND i.until > i.since
    WHERE c.id = ANY(%(ids)s::bigint[]) AND c.state IN ('resolved', 'dismissed')
"""
KEEP_WORKED = """
    UPDATE exceptions_exceptioncase c SET worked_minutes = w.minutes
    FROM unnest(%(ids)s::bigint[], %(minutes)s::int[]) AS w (id, minutes)
    WHERE c.id = w.id
"""


def note_where(case_ids: Collection[int], now: datetime) -> None:
    """End and begin the intervals of cases that changed hands, or wait. Two statements."""
    ids = sorted(set(case_ids))
    if not ids:
        return
    run(END, {"ids": ids, "now": now})
    run(BEGIN, {"ids": ids, "now": now})


def note_closed(case_ids: Collection[int], now: datetime) -> None:
    """End the intervals of cases that closed; keep how many business minutes they lay with us."""
    ids = sorted(set(case_ids))
    if not ids:
        return
    run(END, {"ids": ids, "now": now})
    minutes: dict[int, float] = dict.fromkeys(ids, 0.0)
    spans: dict[tuple[Any, ...], float] = {}
    for one in records(ON_OUR_DESKS, {"ids": ids}):
        if one["since"] is None:
            continue
        span = (one["country"], one["time_zone"], one["since"], one["until"])
        if span not in spans:
            spans[span] = _business_minutes(*span)
        minutes[one["id"]] += spans[span]
    run(KEEP_WORKED, {"ids": ids, "minutes": [round(minutes[pk]) for pk in ids]})


def _business_minutes(country: str, time_zone: str, since: datetime, until: datetime) -> float:
    calendar = business_calendar(
        country=country, time_zone=time_zone, year=since.astimezone(UTC).year
    )
    return calendar.between(since, until).total_seconds() / 60

"""Keeps with whom a case lies, and for how long: intervals that follow each other."""

from collections.abc import Collection
from datetime import datetime

from erp.kernel.sql import records, run
from exceptions.services._ranking import BusinessClock

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
    SELECT c.id, c.entity_id, i.since, i.until
    FROM exceptions_exceptioncase c
    JOIN exceptions_caseinterval i ON i.case_id = c.id AND i.party = 'owner'
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
    spans = records(ON_OUR_DESKS, {"ids": ids})
    clock = BusinessClock([one["entity_id"] for one in spans])
    minutes = dict.fromkeys(ids, 0.0)
    for one in spans:
        worked = clock.between(one["entity_id"], one["since"], one["until"])
        minutes[one["id"]] += worked.total_seconds() / 60
    run(KEEP_WORKED, {"ids": ids, "minutes": [round(minutes[pk]) for pk in ids]})

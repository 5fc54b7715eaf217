"""The clocks of cases: rows in the database that follow from what the cases say."""

from collections.abc import Collection, Sequence
from datetime import datetime

from erp.kernel.sql import run

# A case under a parent, or closed, rings nobody. One that waits with its clock stopped cannot be
# late; one that is in hand needs no warning.
WANTED = """
    SELECT c.id, t.kind, t.due_at
    FROM exceptions_exceptioncase c
    CROSS JOIN LATERAL (VALUES
        ('acknowledge', CASE WHEN c.acknowledged_at IS NULL THEN c.acknowledge_by END),
        ('resolve', CASE WHEN c.clock_stopped_at IS NULL THEN c.resolve_by END),
        ('predicted',
            CASE WHEN c.state IN ('open', 'assigned', 'acknowledged') THEN c.start_by END),
        ('follow_up', c.follow_up_at)
    ) AS t (kind, due_at)
    WHERE c.id = ANY(%(cases)s::bigint[]) AND c.parent_id IS NULL AND t.due_at IS NOT NULL
      AND c.state NOT IN ('resolved', 'dismissed')
"""
STOP = """
    WITH wanted AS ({wanted})
    UPDATE exceptions_casetimer t SET cancelled_at = %(now)s
    WHERE t.case_id = ANY(%(cases)s::bigint[]) AND t.fired_at IS NULL AND t.cancelled_at IS NULL
      AND NOT EXISTS (
          SELECT FROM wanted WHERE wanted.id = t.case_id AND wanted.kind = t.kind
            AND (t.step > 0 OR wanted.due_at = t.due_at)
      )
""".replace("{wanted}", WANTED)
START = """
    INSERT INTO exceptions_casetimer (case_id, kind, step, due_at)
    SELECT id, kind, 0, due_at FROM ({wanted}) wanted
    WHERE due_at >= %(now)s
    ORDER BY id, kind
    ON CONFLICT (case_id, kind, due_at) WHERE cancelled_at IS NULL DO NOTHING
""".replace("{wanted}", WANTED)
ASK_AGAIN = """
    INSERT INTO exceptions_casetimer (case_id, kind, step, repeat, due_at)
    SELECT * FROM unnest(
        %(cases)s::bigint[], %(kinds)s::text[], %(steps)s::smallint[], %(repeats)s::smallint[],
        %(due)s::timestamptz[]
    )
    ON CONFLICT (case_id, kind, due_at) WHERE cancelled_at IS NULL DO NOTHING
"""


def set_timers(case_ids: Collection[int], now: datetime) -> None:
    """Let these cases have the timers that follow from their rows, and no others. Two statements.

    A moment that has passed begins no timer; one that waits for its workers stays.
    """
    ids = sorted(set(case_ids))
    if ids:
        run(STOP, {"cases": ids, "now": now})
        run(START, {"cases": ids, "now": now})


def ask_again(timers: Sequence[tuple[int, str, int, int, datetime]]) -> None:
    """Add timers that follow fired ones: case, kind, step, repeat, due."""
    if timers:
        cases, kinds, steps, repeats, due = zip(*timers, strict=True)
        run(ASK_AGAIN, {
            "cases": list(cases), "kinds": list(kinds), "steps": list(steps),
            "repeats": list(repeats), "due": list(due),
        })  # fmt: skip

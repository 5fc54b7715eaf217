"""When nodes, carriers, suppliers and customers work."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar, public_holidays
from erp.kernel.prepared import Prepared
from erp.kernel.sql import records, rows
from inventory.rules import leaves_after, leaves_on

ANYWHERE = ZoneInfo("UTC")
DAYS = """
    LEFT JOIN LATERAL (
        SELECT array_agg(d.day) FILTER (WHERE NOT d.is_working) AS closed,
            array_agg(d.day) FILTER (WHERE d.is_working) AS opened
        FROM inventory_calendarday d WHERE d.calendar_id = c.id
    ) days ON true
"""
CALENDARS = Prepared(f"""
    SELECT c.id, c.country, c.weekdays, days.closed, days.opened
    FROM inventory_calendar c {DAYS} WHERE c.id = ANY(%(ids)s::bigint[])
""")  # noqa: S608  the parts are our own
NODES = Prepared(f"""
    SELECT n.id, n.code, n.name, n.is_active, n.time_zone, coalesce(c.cutoff, n.cutoff),
        n.handling_days, c.id, c.country, c.weekdays, days.closed, days.opened
    FROM inventory_node n
    LEFT JOIN inventory_calendar c ON c.id = n.calendar_id {DAYS}
    WHERE %(all)s OR n.id = ANY(%(ids)s::bigint[])
""")  # noqa: S608  the parts are our own
LISTED = """
    SELECT c.id, c.code, c.name, c.country, c.weekdays, c.cutoff, coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'date', d.day, 'is_working', d.is_working, 'name', d.name) ORDER BY d.day)
        FROM inventory_calendarday d WHERE d.calendar_id = c.id
    ), '[]')::text AS days
    FROM inventory_calendar c
    WHERE c.code = ANY(%(codes)s)
"""


BOARD = """
    SELECT c.code, c.name, c.country, c.weekdays, c.cutoff, count(d.id) AS days,
        min(d.day) AS next_day
    FROM inventory_calendar c
    LEFT JOIN inventory_calendarday d ON d.calendar_id = c.id AND d.day >= %(on)s
    WHERE c.code > %(after)s
    GROUP BY c.id
    ORDER BY c.code
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One calendar in the list; `days` are the exceptional ones still to come."""

    code: str
    name: str
    country: str
    weekdays: str
    cutoff: time | None
    days: int
    next_day: date | None

    @property
    def week(self) -> list[bool]:
        """Whether each day from Monday is worked."""
        return [day == "1" for day in self.weekdays]


@dataclass(frozen=True, slots=True)
class NodeHours:
    """When one node ships. `cutoff` is its local time: its calendar's, else its own."""

    id: int
    code: str
    name: str
    is_active: bool
    time_zone: str
    cutoff: time
    handling_days: int
    calendar: BusinessCalendar | None

    def today(self, now: datetime) -> date:
        """Return the node's local date."""
        return now.astimezone(ZoneInfo(self.time_zone)).date()

    def leaves(self, now: datetime) -> date:
        """Return the day on which what is reserved at `now` leaves."""
        return leaves_on(
            now,
            zone=ZoneInfo(self.time_zone),
            cutoff=self.cutoff,
            handling_days=self.handling_days,
            calendar=self.calendar,
        )

    def passes_on(self, comes: date) -> date:
        """Return the day on which what comes in on `comes` leaves."""
        return leaves_after(comes, handling_days=self.handling_days, calendar=self.calendar)


def calendars(*, ids: Collection[int | None], on: date) -> dict[int, BusinessCalendar]:
    """Return working days by calendar id, public holidays around `on`. One query; none for none."""
    wanted = sorted({each for each in ids if each is not None})
    found = rows(CALENDARS, {"ids": wanted}) if wanted else []
    return {row[0]: _calendar(row[1:], on) for row in found}


def node_hours(*, ids: Collection[int] | None, on: date) -> dict[int, NodeHours]:
    """Return when nodes ship, by id; None: all nodes. One query."""
    found = rows(NODES, {"all": ids is None, "ids": sorted(ids or ())})
    return {
        row[0]: NodeHours(*[*row[:7], None if row[7] is None else _calendar(row[8:], on)])
        for row in found
    }


def calendar_board(*, on: date, after: str = "", limit: int = 100) -> list[CalendarRow]:
    """Return calendars by code, those behind `after`. One query."""
    return [
        CalendarRow(**row) for row in records(BOARD, {"on": on, "after": after, "limit": limit})
    ]


def calendar_rows(*, codes: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return calendars with their exceptional days, by code. One query."""
    found = records(LISTED, {"codes": sorted(codes)})
    return {row["code"]: row | {"days": json.loads(row["days"])} for row in found}


def _calendar(row: tuple[Any, ...], on: date) -> BusinessCalendar:
    country, weekdays, closed, opened = row
    public = public_holidays(country=country, year=on.year) if country else frozenset()
    return BusinessCalendar(
        ANYWHERE,
        weekdays=frozenset(day for day, worked in enumerate(weekdays) if worked == "1"),
        holidays=public | frozenset(closed or ()),
        opened=frozenset(opened or ()),
    )

"""Business time: clocks that run only in working hours. Plain values: no clock, no database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

YEARS_AHEAD = 2  # no clock of ours runs longer
WEEK = frozenset(range(5))
HORIZON_DAYS = 3_660


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Working hours of one place: `opens` to `closes` local time on `weekdays` (Monday is 0).

    `holidays` are days off within the week; `opened` are days worked that the week or the holidays
    would leave free.
    """

    zone: ZoneInfo
    opens: time = time(8)
    closes: time = time(18)
    weekdays: frozenset[int] = WEEK
    holidays: frozenset[date] = field(default_factory=frozenset)
    opened: frozenset[date] = field(default_factory=frozenset)

    def is_working_day(self, day: date) -> bool:
        if day in self.opened:
            return True
        return day.weekday() in self.weekdays and day not in self.holidays

    def windows(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working windows that end after `start`, in UTC, earliest first, ten years on.

        A window's length is real elapsed time, so the day the clocks change is an hour shorter or
        longer only if the change falls inside working hours.
        """
        day = start.astimezone(self.zone).date()
        for offset in range(HORIZON_DAYS):
            on = day + timedelta(days=offset)
            if not self.is_working_day(on):
                continue
            opens = datetime.combine(on, self.opens, self.zone).astimezone(UTC)
            closes = datetime.combine(on, self.closes, self.zone).astimezone(UTC)
            if closes > start:
                yield max(opens, start), closes

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the moment (UTC) at which `duration` of working time has passed since `start`.

        Raises:
            ValueError: `start` is naive, or ten years do not hold that much working time.
        """
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware moment")
        left = duration
        for opens, closes in self.windows(start.astimezone(UTC)):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        raise ValueError("no such moment within ten years")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time between two moments; zero when `end` is not after `start`."""
        passed = timedelta()
        if end <= start:
            return passed
        for opens, closes in self.windows(start.astimezone(UTC)):
            if opens >= end:
                break
            passed += min(closes, end.astimezone(UTC)) - opens
        return passed

    def next_working_day(self, day: date, *, days: int = 0) -> date:
        """Return the first working day on or after `day`, then `days` working days later."""
        left = days
        for offset in range(HORIZON_DAYS):
            on = day + timedelta(days=offset)
            if self.is_working_day(on):
                if left == 0:
                    return on
                left -= 1
        raise ValueError("no such day within ten years")


@lru_cache(maxsize=256)
def business_calendar(*, country: str, time_zone: str, year: int) -> BusinessCalendar:
    """Return the working hours of a country (ISO 3166 alpha-2) around `year`.

    A country whose holidays nobody has written down works on all weekdays.
    """
    return BusinessCalendar(
        zone=ZoneInfo(time_zone), holidays=public_holidays(country=country, year=year)
    )


@lru_cache(maxsize=256)
def public_holidays(*, country: str, year: int) -> frozenset[date]:
    """Return the public holidays from the year before `year` to two years after it."""
    try:
        found = holidays.country_holidays(country, years=range(year - 1, year + YEARS_AHEAD + 1))
    except NotImplementedError:
        return frozenset()
    return frozenset(found)

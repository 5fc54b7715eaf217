"""exceptions/rules/shifts.py"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from exceptions.rules.shifts import ShiftTimes, waits

NEW_YORK = ZoneInfo("America/New_York")
EARLY = ShiftTimes("1111100", time(6), time(14), NEW_YORK)
NIGHT = ShiftTimes("1111100", time(22), time(6), NEW_YORK)


def at(text: str) -> datetime:
    """A moment in New York: 23 November 2026 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-11-23T05:59:59", 1), ("2026-11-23T06:00:00", 0), ("2026-11-23T13:59:59", 0),
        ("2026-11-23T14:00:00", 16 * 3600), ("2026-11-27T14:00:00", 64 * 3600),
    ],
)  # fmt: skip
def test_begins_and_ends_to_the_second_and_rests_at_the_weekend(moment: str, seconds: int) -> None:
    assert waits([EARLY], at(moment)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [("2026-11-24T05:59:59", 0), ("2026-11-24T06:00:00", 16 * 3600), ("2026-11-28T05:00:00", 0)],
)
def test_one_that_passes_midnight_belongs_to_the_day_it_began(moment: str, seconds: int) -> None:
    assert waits([NIGHT], at(moment)) == timedelta(seconds=seconds)


def test_keeps_wall_time_when_the_clocks_change() -> None:
    sunday = ShiftTimes("0000001", time(1), time(6), NEW_YORK)
    # On 8 March 2026 the hour from two to three is skipped.
    begins = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)

    assert waits([sunday], begins - timedelta(seconds=1)) == timedelta(seconds=1)
    assert waits([sunday], begins + timedelta(hours=4) - timedelta(seconds=1)) == timedelta()
    assert waits([sunday], begins + timedelta(hours=4)) > timedelta(days=6)


def test_who_has_none_is_always_there_and_one_that_is_over_never() -> None:
    over = ShiftTimes("1111111", time(6), time(14), NEW_YORK, valid_until=date(2026, 11, 22))

    assert waits([], at("2026-11-23T03:00:00")) == timedelta()
    assert waits([over], at("2026-11-23T07:00:00")) is None
    assert waits([over, EARLY], at("2026-11-23T07:00:00")) == timedelta()

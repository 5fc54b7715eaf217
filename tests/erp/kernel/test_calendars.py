"""erp/kernel/calendars.py"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.calendars import BusinessCalendar

NEW_YORK = BusinessCalendar(ZoneInfo("America/New_York"))
BERLIN = BusinessCalendar(ZoneInfo("Europe/Berlin"), holidays=frozenset({date(2026, 12, 25)}))
hours = st.integers(0, 5_000).map(lambda n: timedelta(minutes=n))
moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


class TestAdd:
    @pytest.mark.parametrize(
        ("start", "passing", "expected"),
        [
            ("2026-11-20T15:00-05:00", 2, "2026-11-20T17:00-05:00"),  # a Friday afternoon
            ("2026-11-20T17:00-05:00", 2, "2026-11-23T09:00-05:00"),  # over the weekend
            ("2026-11-21T12:00-05:00", 1, "2026-11-23T09:00-05:00"),  # begun on a Saturday
            ("2026-11-20T18:00-05:00", 0, "2026-11-23T08:00-05:00"),  # closed: the next opening
            ("2026-03-06T17:00-05:00", 2, "2026-03-09T09:00-04:00"),  # the clocks go forward
            ("2026-10-30T17:00-04:00", 2, "2026-11-02T09:00-05:00"),  # and back
        ],
    )
    def test_counts_working_time_alone(self, start: str, passing: int, expected: str) -> None:
        moment = NEW_YORK.add(datetime.fromisoformat(start), timedelta(hours=passing))

        assert moment == datetime.fromisoformat(expected)

    def test_a_holiday_does_not_count(self) -> None:
        start = datetime(2026, 12, 24, 16, 0, tzinfo=UTC)  # Thursday, 17:00 in Berlin

        assert BERLIN.add(start, timedelta(hours=2)) == datetime(2026, 12, 28, 8, 0, tzinfo=UTC)

    @given(start=moments, duration=hours)
    def test_between_is_its_inverse(self, start: datetime, duration: timedelta) -> None:
        end = NEW_YORK.add(start, duration)

        assert end >= start
        assert NEW_YORK.between(start, end) == duration

    @given(start=moments, first=hours, second=hours)
    def test_two_steps_are_one(self, start: datetime, first: timedelta, second: timedelta) -> None:
        if second:
            stepwise = NEW_YORK.add(NEW_YORK.add(start, first), second)
            assert stepwise == NEW_YORK.add(start, first + second)

    def test_needs_an_aware_moment(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            NEW_YORK.add(datetime(2026, 1, 1), timedelta(hours=1))  # noqa: DTZ001

    def test_gives_up_when_nobody_ever_works(self) -> None:
        never = BusinessCalendar(ZoneInfo("UTC"), weekdays=frozenset())
        with pytest.raises(ValueError, match="ten years"):
            never.add(datetime(2026, 1, 1, tzinfo=UTC), timedelta(hours=1))


def test_nothing_passes_backwards() -> None:
    later, sooner = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    assert NEW_YORK.between(later, sooner) == timedelta()


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        (date(2026, 12, 24), 0, date(2026, 12, 24)),
        (date(2026, 12, 25), 0, date(2026, 12, 28)),
        (date(2026, 12, 24), 1, date(2026, 12, 28)),
        (date(2026, 12, 26), 2, date(2026, 12, 30)),
    ],
)
def test_next_working_day(day: date, days: int, expected: date) -> None:
    assert BERLIN.next_working_day(day, days=days) == expected

"""exceptions/rules/clocks.py"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.calendars import business_calendar, public_holidays
from exceptions.rules.clocks import due


def clock(
    moment: datetime, minutes: int, country: str = "US", zone: str = "America/New_York"
) -> datetime:
    calendar = business_calendar(country=country, time_zone=zone, year=moment.year)
    return due(calendar=calendar, since=moment, minutes=minutes)


def new_york(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo("America/New_York"))


class TestDue:
    def test_runs_within_a_day(self) -> None:
        assert clock(new_york(2026, 11, 23, 9, 0), 15) == new_york(2026, 11, 23, 9, 15)

    def test_stops_over_the_weekend_to_the_second(self) -> None:
        friday = new_york(2026, 11, 20, 17, 59, 30)

        assert clock(friday, 1) == new_york(2026, 11, 23, 8, 0, 30)

    def test_starts_when_the_desk_opens(self) -> None:
        assert clock(new_york(2026, 11, 21, 3, 0), 30) == new_york(2026, 11, 23, 8, 30)

    def test_skips_public_holidays(self) -> None:
        wednesday = new_york(2026, 11, 25, 17, 30)

        assert clock(wednesday, 60) == new_york(2026, 11, 27, 8, 30)  # Thanksgiving between

    def test_knows_each_country_its_own(self) -> None:
        berlin = datetime(2026, 10, 2, 17, 30, tzinfo=ZoneInfo("Europe/Berlin"))

        # The 3rd is a holiday in Germany, and a Saturday.
        assert clock(berlin, 60, "DE", "Europe/Berlin") == datetime(
            2026, 10, 5, 8, 30, tzinfo=ZoneInfo("Europe/Berlin")
        )
        assert date(2026, 7, 4) in public_holidays(country="US", year=2026)
        assert date(2026, 7, 4) not in public_holidays(country="DE", year=2026)

    def test_keeps_local_hours_when_the_clocks_change(self) -> None:
        friday = new_york(2026, 10, 30, 17, 0)  # summer time ends on 1 November

        found = clock(friday, 120)

        assert found == new_york(2026, 11, 2, 9, 0)
        assert found.astimezone(UTC) == datetime(2026, 11, 2, 14, 0, tzinfo=UTC)

        spring = clock(new_york(2026, 3, 6, 17, 0), 120)
        assert spring.astimezone(UTC) == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)

    def test_crosses_the_year_over_new_years_day(self) -> None:
        assert clock(new_york(2026, 12, 31, 17, 59), 2) == new_york(2027, 1, 4, 8, 1)

    def test_works_all_weekdays_where_no_holidays_are_known(self) -> None:
        assert public_holidays(country="XX", year=2026) == frozenset()

    @given(
        st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
        st.integers(0, 6_000),
    )
    def test_takes_exactly_the_working_time(self, since: datetime, minutes: int) -> None:
        calendar = business_calendar(country="US", time_zone="America/New_York", year=2026)

        found = due(calendar=calendar, since=since, minutes=minutes)

        assert calendar.between(since, found) == timedelta(minutes=minutes)

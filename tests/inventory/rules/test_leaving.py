from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from erp.kernel.calendars import BusinessCalendar
from inventory.rules import leaves_after, leaves_by, leaves_on, taken_in_on

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("moment", "handling", "leaves"),
    [
        (datetime(2026, 11, 23, 19, 59, tzinfo=UTC), 1, date(2026, 11, 24)),  # Monday 14:59 there
        (datetime(2026, 11, 23, 20, 0, tzinfo=UTC), 1, date(2026, 11, 24)),  # at the cut-off
        (datetime(2026, 11, 23, 20, 1, tzinfo=UTC), 1, date(2026, 11, 25)),
        (datetime(2026, 11, 24, 2, 0, tzinfo=UTC), 0, date(2026, 11, 24)),  # Monday night there
        (datetime(2026, 11, 27, 20, 1, tzinfo=UTC), 1, date(2026, 12, 1)),  # late on Friday
        (datetime(2026, 11, 28, 23, 0, tzinfo=UTC), 0, date(2026, 11, 30)),  # Saturday
        (datetime(2026, 11, 28, 23, 0, tzinfo=UTC), 1, date(2026, 12, 1)),
    ],
)
def test_counts_working_days_from_the_cutoff(moment: datetime, handling: int, leaves: date) -> None:
    on = leaves_on(moment, zone=NEW_YORK, cutoff=time(15), handling_days=handling)
    assert on == leaves


THANKSGIVING = BusinessCalendar(
    NEW_YORK,
    holidays=frozenset({date(2026, 11, 26), date(2026, 11, 27)}),
    opened=frozenset({date(2026, 11, 28)}),
)


@pytest.mark.parametrize(
    ("moment", "handling", "leaves"),
    [
        (datetime(2026, 11, 25, 20, 0, tzinfo=UTC), 0, date(2026, 11, 25)),  # Wednesday, in time
        (datetime(2026, 11, 25, 20, 1, tzinfo=UTC), 0, date(2026, 11, 28)),  # the opened Saturday
        (datetime(2026, 11, 25, 20, 0, tzinfo=UTC), 1, date(2026, 11, 28)),
        (datetime(2026, 11, 26, 21, 0, tzinfo=UTC), 1, date(2026, 11, 30)),  # on the holiday
    ],
)
def test_passes_over_holidays_and_works_on_opened_days(
    moment: datetime, handling: int, leaves: date
) -> None:
    on = leaves_on(
        moment, zone=NEW_YORK, cutoff=time(15), handling_days=handling, calendar=THANKSGIVING
    )
    assert on == leaves


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        (datetime(2026, 10, 30, 19, 0, tzinfo=UTC), date(2026, 10, 30)),  # 15:00 in summer time
        (datetime(2026, 10, 30, 19, 1, tzinfo=UTC), date(2026, 11, 2)),
        (datetime(2026, 11, 2, 20, 0, tzinfo=UTC), date(2026, 11, 2)),  # 15:00 in winter time
        (datetime(2026, 11, 2, 20, 1, tzinfo=UTC), date(2026, 11, 3)),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), date(2026, 11, 2)),  # the doubled hour, Sunday
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), date(2026, 11, 2)),
    ],
)
def test_the_cutoff_is_local_time_when_the_clocks_change(moment: datetime, leaves: date) -> None:
    assert leaves_on(moment, zone=NEW_YORK, cutoff=time(15), handling_days=0) == leaves


class TestArrivesOn:
    WEEK = BusinessCalendar(NEW_YORK)

    def test_every_day_counts_without_a_calendar(self) -> None:
        assert taken_in_on(date(2026, 11, 27), transit_days=2) == date(2026, 11, 29)

    def test_the_carrier_drives_on_its_days_and_the_customer_takes_in_on_theirs(self) -> None:
        friday = date(2026, 11, 27)
        assert taken_in_on(friday, transit_days=2, carrier=self.WEEK) == date(2026, 12, 1)
        assert taken_in_on(friday, transit_days=1, customer=self.WEEK) == date(2026, 11, 30)
        assert taken_in_on(friday, transit_days=0, carrier=self.WEEK) == friday


class TestLeavesBy:
    WEEK = BusinessCalendar(NEW_YORK)

    @pytest.mark.parametrize("transit", [0, 1, 2, 5, 9])
    def test_what_leaves_then_is_there_in_time_and_what_leaves_later_is_not(
        self, transit: int
    ) -> None:
        wanted = date(2026, 12, 2)
        leaves = leaves_by(wanted, transit_days=transit, carrier=self.WEEK)
        late = date.fromordinal(leaves.toordinal() + 1)

        assert taken_in_on(leaves, transit_days=transit, carrier=self.WEEK) <= wanted
        assert taken_in_on(late, transit_days=transit, carrier=self.WEEK) > wanted


def test_what_comes_in_leaves_after_handling() -> None:
    assert leaves_after(date(2026, 11, 27), handling_days=1) == date(2026, 11, 30)
    assert leaves_after(date(2026, 11, 28), handling_days=0) == date(2026, 11, 30)

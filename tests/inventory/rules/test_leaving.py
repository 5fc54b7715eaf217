from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from inventory.rules import leaves_on

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

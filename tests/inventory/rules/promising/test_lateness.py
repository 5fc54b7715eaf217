"""inventory/rules/promising/lateness.py"""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.promising import Pace, pace_of, shown_day, window

TODAY = date(2026, 11, 23)
USUAL = Pace(0, 3)


class TestWindow:
    @pytest.mark.parametrize(
        ("told", "pace", "p50", "p90", "overdue"),
        [
            (date(2026, 11, 30), Pace(0, 0), date(2026, 11, 30), date(2026, 11, 30), False),
            (date(2026, 11, 30), Pace(2, 7), date(2026, 12, 2), date(2026, 12, 7), False),
            (date(2026, 11, 30), Pace(-2, 1), date(2026, 11, 30), date(2026, 12, 1), False),
            (date(2026, 11, 23), Pace(0, 4), date(2026, 11, 23), date(2026, 11, 27), False),
            (date(2026, 11, 22), Pace(0, 4), date(2026, 11, 24), date(2026, 11, 26), True),
            (date(2026, 11, 20), Pace(2, 8), date(2026, 11, 25), date(2026, 11, 28), True),
            (date(2026, 10, 1), Pace(3, 8), date(2026, 11, 26), date(2026, 12, 1), True),
            (date(2026, 10, 1), Pace(0, 0), date(2026, 11, 24), date(2026, 11, 24), True),
        ],
    )
    def test_shifts_what_was_told(
        self, told: date, pace: Pace, p50: date, p90: date, *, overdue: bool
    ) -> None:
        found = window(told, pace, today=TODAY)

        assert (found.p50, found.p90, found.is_overdue) == (p50, p90, overdue)

    @given(
        st.dates(date(2026, 1, 1), date(2027, 12, 31)),
        st.integers(-30, 60),
        st.integers(0, 60),
    )
    def test_is_never_over_and_never_upside_down(self, told: date, p50: int, more: int) -> None:
        found = window(told, Pace(p50, p50 + more), today=TODAY)

        assert TODAY <= found.p50 <= found.p90
        assert found.is_overdue is (told < TODAY)
        assert not found.is_overdue or found.p50 > TODAY


class TestShownDay:
    def test_keeps_the_day_told_until_it_is_over(self) -> None:
        assert shown_day(TODAY, Pace(9, 9), today=TODAY) == (TODAY, False)
        yesterday = date(2026, 11, 22)
        assert shown_day(yesterday, Pace(9, 9), today=TODAY) == (date(2026, 12, 1), True)


class TestPaceOf:
    def test_takes_the_usual_one_for_fewer_than_five(self) -> None:
        assert pace_of([9, 9, 9, 9], usual=USUAL) == USUAL
        assert pace_of([1, 1, 1, 1, 9], usual=USUAL) == Pace(1, 9)

    def test_takes_the_nearest_rank(self) -> None:
        assert pace_of(list(range(1, 11)), usual=USUAL) == Pace(5, 9)
        assert pace_of([0] * 9 + [30], usual=USUAL) == Pace(0, 0)

    @given(st.lists(st.integers(-20, 60), min_size=5))
    def test_half_and_nine_of_ten_came_by_then(self, late: list[int]) -> None:
        found = pace_of(late, usual=USUAL)

        assert sum(day <= found.p50 for day in late) * 2 >= len(late)
        assert sum(day <= found.p90 for day in late) * 10 >= len(late) * 9

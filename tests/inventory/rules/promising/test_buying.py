"""inventory/rules/promising/buying.py and reserving.py"""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.promising import buy_quantity, may_wait, reserve_from


class TestBuyQuantity:
    @pytest.mark.parametrize(
        ("missing", "moq", "multiple", "bought"),
        [(1, 1, 1, 1), (24, 10, 12, 24), (25, 10, 12, 36), (3, 10, 12, 12), (3, 13, 12, 24)],
    )
    def test_covers_in_whole_packs(
        self, missing: int, moq: int, multiple: int, bought: int
    ) -> None:
        assert buy_quantity(missing, moq=moq, multiple=multiple) == bought

    @given(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(1, 10**6))
    def test_is_the_least_that_does(self, missing: int, moq: int, multiple: int) -> None:
        bought = buy_quantity(missing, moq=moq, multiple=multiple)

        assert bought >= missing
        assert bought >= moq
        assert bought % multiple == 0
        assert bought - multiple < max(missing, moq)


class TestMayWait:
    NEEDED = date(2026, 12, 31)

    def test_until_replenishment_must_start(self) -> None:
        last = reserve_from(self.NEEDED, replenish_days=14, slack_days=3)
        assert last == date(2026, 12, 14)
        day_before = last - timedelta(days=1)
        assert may_wait(day_before, self.NEEDED, replenish_days=14, slack_days=3)
        assert not may_wait(last, self.NEEDED, replenish_days=14, slack_days=3)

    def test_never_for_what_nobody_replenishes(self) -> None:
        today = date(2026, 1, 1)
        assert not may_wait(today, self.NEEDED, replenish_days=None, slack_days=0)

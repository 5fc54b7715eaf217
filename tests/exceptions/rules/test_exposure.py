"""exceptions/rules/exposure.py"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exceptions.rules.exposure import (
    CERTAIN,
    Exposure,
    expiry_probability,
    hold_probability,
    miss_probability,
    penalty,
)

amounts = st.decimals(0, 10_000_000, places=4)
shares = st.decimals(0, 1, places=4)
days = st.integers(-60, 60)


class TestExposure:
    @given(amounts, shares, amounts, st.sampled_from(["", "A", "B", "C", "D"]))
    def test_loses_at_least_penalty_and_weight_and_at_most_all(
        self, revenue: Decimal, p_miss: Decimal, fine: Decimal, tier: str
    ) -> None:
        found = Exposure(p_miss=p_miss, revenue=revenue, penalty=fine, tier=tier)
        cent = Decimal("0.01")

        assert found.expected_loss >= fine + found.tier_weight - cent
        assert found.expected_loss <= revenue + fine + found.tier_weight + cent
        assert found.expected_loss == round(found.expected_loss, 2)

    def test_is_worth_nothing_without_a_customer_or_revenue(self) -> None:
        assert Exposure(p_miss=CERTAIN, revenue=Decimal(0)).expected_loss == 0


class TestMissProbability:
    @given(due_in=days, supply_in=st.one_of(st.none(), days), elsewhere=st.booleans())
    def test_is_a_share_of_one(
        self, due_in: int, supply_in: int | None, *, elsewhere: bool
    ) -> None:
        assert 0 < miss_probability(due_in=due_in, supply_in=supply_in, elsewhere=elsewhere) <= 1

    @given(due_in=days, supply_in=st.integers(-60, 59), elsewhere=st.booleans())
    def test_never_falls_when_supply_comes_later(
        self, due_in: int, supply_in: int, *, elsewhere: bool
    ) -> None:
        sooner = miss_probability(due_in=due_in, supply_in=supply_in, elsewhere=elsewhere)
        later = miss_probability(due_in=due_in, supply_in=supply_in + 1, elsewhere=elsewhere)
        never = miss_probability(due_in=due_in, supply_in=None, elsewhere=elsewhere)

        assert sooner <= later <= never

    def test_is_certain_once_the_date_has_passed(self) -> None:
        assert miss_probability(due_in=-1, supply_in=-5, elsewhere=True) == 1


class TestHoldProbability:
    @given(st.integers(-60, 59))
    def test_never_rises_with_time_to_spare(self, due_in: int) -> None:
        assert hold_probability(due_in + 1) <= hold_probability(due_in)


class TestPenalty:
    @given(st.decimals(0, 1, places=6), amounts, days)
    def test_is_never_negative_and_never_more_than_the_goods(
        self, rate: Decimal, amount: Decimal, late: int
    ) -> None:
        assert 0 <= penalty(rate=rate, amount=amount, days=late) <= amount + Decimal("0.005")

    def test_charges_nothing_in_time(self) -> None:
        assert penalty(rate=Decimal("0.02"), amount=Decimal(1000), days=0) == 0
        assert penalty(rate=Decimal("0.02"), amount=Decimal(1000), days=3) == 60


class TestExpiryProbability:
    @given(days)
    def test_the_sooner_a_lot_expires_the_more_of_it_is_lost(self, left: int) -> None:
        assert expiry_probability(left) >= expiry_probability(left + 1)
        assert expiry_probability(-1) == CERTAIN

"""orders/rules/substituting.py"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import exchange_price, in_place_of, line_amount

prices = st.decimals(0, 100_000, places=4)
ratios = st.tuples(st.integers(1, 1_000), st.integers(1, 1_000))


class TestInPlaceOf:
    @given(prices, ratios, st.integers(1, 10_000))
    def test_never_costs_more_than_what_it_replaces(self, price, ratio, times) -> None:
        units, per = ratio
        other = in_place_of(price, units, per)
        assert other * per * times <= price * units * times
        paid = line_amount(Decimal(per * times), other, Decimal(0))
        assert paid <= line_amount(Decimal(units * times), price, Decimal(0))

    @given(prices, ratios)
    def test_is_less_than_a_step_below(self, price, ratio) -> None:
        units, per = ratio
        exact = Fraction(price) * units / per
        assert 0 <= exact - Fraction(in_place_of(price, units, per)) < Fraction(1, 10_000)

    @given(prices)
    def test_one_for_one_is_the_price_itself(self, price) -> None:
        assert in_place_of(price, 1, 1) == price


class TestExchangePrice:
    was, own = (Decimal(10), Decimal("0.1")), (Decimal("9.5"), Decimal(0))

    @pytest.mark.parametrize(
        ("rule", "expected"), [("original", was), ("substitute", own), ("lower", was)]
    )
    def test_by_its_rule(self, rule, expected) -> None:
        assert exchange_price(rule, self.was, self.own, (1, 1)) == expected

    def test_the_lower_is_what_is_paid_not_what_is_listed(self) -> None:
        cheaper = (Decimal("8.9"), Decimal(0))
        assert exchange_price("lower", self.was, cheaper, (1, 1)) == cheaper

    @pytest.mark.parametrize("rule", ["original", "substitute", "lower"])
    def test_without_a_price_of_its_own_at_what_was_ordered(self, rule) -> None:
        assert exchange_price(rule, self.was, None, (3, 2)) == (Decimal(15), Decimal("0.1"))

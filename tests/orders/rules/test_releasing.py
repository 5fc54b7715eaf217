"""orders/rules/releasing.py."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules import (
    Landed,
    Light,
    conceded,
    days_since,
    margin,
    margin_light,
    payment_score,
    price_gap,
)

PRICES = st.decimals("0.0001", 10_000, places=4)
SHARES = st.decimals(0, 1, places=6)
TODAY = date(2026, 11, 23)


class TestDaysSince:
    @pytest.mark.parametrize(("ago", "days"), [(None, 0), (-3, 0), (0, 0), (1, 1), (31, 31)])
    def test_counts_from_the_day_after(self, ago, days) -> None:
        day = None if ago is None else TODAY - timedelta(days=ago)

        assert days_since(day, TODAY) == days


class TestPaymentScore:
    def test_is_unknown_without_a_history(self) -> None:
        assert payment_score(0, 0, 0) is None

    @given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 9_000))
    def test_lies_between_0_and_100_and_never_rises_with_delay(self, paid, late, days) -> None:
        late = min(late, paid)
        score = payment_score(paid, late, days)

        assert score is not None
        assert 0 <= score <= 100
        assert payment_score(paid, late, days + 50) <= score
        assert late == paid or payment_score(paid, late + 1, days) <= score

    def test_trusts_a_long_history_more(self) -> None:
        assert payment_score(9, 0, 0) == 89
        assert payment_score(10, 0, 0) == 90
        assert payment_score(100, 0, 0) == 99


class TestPriceGap:
    @given(PRICES, PRICES)
    def test_is_below_or_above_and_never_both(self, price, book) -> None:
        below, above = price_gap(price, book)

        assert below >= 0
        assert above >= 0
        assert not (below and above)
        assert abs((above - below) * book - (price - book)) <= book * Decimal("0.000001")

    def test_knows_a_book_price_of_nothing(self) -> None:
        assert price_gap(Decimal(0), Decimal(0)) == (0, 0)
        assert price_gap(Decimal(5), Decimal(0)) == (0, 1)

    @given(PRICES, SHARES, PRICES)
    def test_concedes_at_least_what_the_price_lies_below(self, price, discount, book) -> None:
        assert conceded(price, discount, book) >= price_gap(price, book)[0]
        assert conceded(price, Decimal(0), price) == 0


class TestMargin:
    @given(PRICES, PRICES, PRICES)
    def test_falls_with_every_part_of_the_cost(self, revenue, goods, more) -> None:
        plain = margin(revenue, Landed(goods))

        assert plain is not None
        for part in ("freight", "split", "expedite"):
            assert margin(revenue, Landed(goods, **{part: more})) <= plain

    def test_is_exact(self) -> None:
        assert margin(Decimal(300), Landed(Decimal(294))) == Decimal("0.02")
        assert margin(Decimal(0), Landed(Decimal(1))) is None


class TestMarginLight:
    @pytest.mark.parametrize(
        ("found", "light"),
        [
            ("0.0199", Light.RED),
            ("0.02", Light.AMBER),
            ("0.0999", Light.AMBER),
            ("0.1", Light.GREEN),
        ],
    )
    def test_changes_exactly_at_floor_and_band(self, found, light) -> None:
        assert margin_light(Decimal(found), Decimal("0.02"), Decimal("0.08")) is light

    def test_is_amber_where_nobody_knows(self) -> None:
        assert margin_light(None, Decimal(0), Decimal(0)) is Light.AMBER

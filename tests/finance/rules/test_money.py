"""Tests finance/rules/_money.py."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.sql import rows
from finance.rules import Owed, cents_of, oldest_first, rounded, value_of

exact = st.decimals("0", "99999.9999", places=4)
cents = st.decimals("0.01", "9999.99", places=2)
quantities = st.decimals("0.001", "999.999", places=3)


class TestRounded:
    @given(st.decimals("-99999.9999", "99999.9999", places=4))
    def test_rounds_half_away_from_zero(self, amount: Decimal) -> None:
        assert abs(rounded(amount) - amount) <= Decimal("0.005")
        assert rounded(-amount) == -rounded(amount)

    @pytest.mark.django_db
    def test_is_what_the_database_does(self) -> None:
        grid = [Decimal(n) / 1000 for n in range(-3_000, 3_000, 7)]
        grid += [Decimal(n) / 200 for n in range(-41, 41)]

        found = rows("SELECT n, round(n, 2) FROM unnest(%s::numeric[]) AS n", [grid])

        assert [rounded(number) for number, _ in found] == [twin for _, twin in found]


class TestCentsOf:
    @given(st.lists(exact, max_size=30))
    def test_sum_to_the_document_rounded_once(self, amounts: list[Decimal]) -> None:
        total = sum(amounts, Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)

        assert sum(cents_of(amounts), Decimal(0)) == total

    @given(st.lists(exact, min_size=1, max_size=30))
    def test_are_each_within_a_cent_of_the_line(self, amounts: list[Decimal]) -> None:
        for line, amount in zip(cents_of(amounts), amounts, strict=True):
            assert abs(line - amount) < Decimal("0.0101")
            assert line == round(line, 2)


class TestValueOf:
    @given(st.lists(quantities, min_size=1, max_size=10), exact)
    def test_deliveries_sum_to_the_line(self, parts: list[Decimal], price: Decimal) -> None:
        before, values = Decimal(0), []
        for part in parts:
            values.append(value_of(before, part, price))
            before += part

        assert sum(values, Decimal(0)) == rounded(before * price)
        assert all(value >= 0 for value in values)


class TestOldestFirst:
    @given(cents, st.lists(cents, max_size=10))
    def test_spends_what_there_is_and_no_more(self, cash: Decimal, open_: list[Decimal]) -> None:
        owed = [Owed(n, amount) for n, amount in enumerate(open_)]

        spread = oldest_first(cash, owed)

        assert sum((each.amount for each in spread), Decimal(0)) == min(
            cash, sum(open_, Decimal(0))
        )
        assert all(each.amount == owed[each.invoice_id].amount for each in spread[:-1])
        assert [each.invoice_id for each in spread] == list(range(len(spread)))
        assert all(0 < each.amount <= owed[each.invoice_id].amount for each in spread)

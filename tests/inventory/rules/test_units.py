"""Tests inventory/rules/units.py."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.quantity import NotWholeSteps
from inventory.rules.units import converted, packed

quantities = st.integers(-(10**9), 10**9).map(lambda steps: Decimal(steps) / 1000)
ratios = st.fractions(Fraction(1, 1000), 5000, max_denominator=1000).filter(bool)
each, case, pallet = Fraction(1), Fraction(12), Fraction(480)


class TestConverted:
    @pytest.mark.parametrize(
        ("quantity", "held", "wanted", "answer"),
        [
            ("2", pallet, case, "80"),
            ("6", each, case, "0.5"),
            ("0", each, pallet, "0"),
            ("3", Fraction(1, 3), each, "1"),
            ("-2", case, each, "-24"),
        ],
    )
    def test_is_exact(self, quantity: str, held: Fraction, wanted: Fraction, answer: str) -> None:
        assert converted(Decimal(quantity), held=held, wanted=wanted) == Decimal(answer)

    @pytest.mark.parametrize(
        ("quantity", "held", "wanted"),
        [("1", each, Fraction(3)), ("1", Fraction(1, 3), each), ("0.001", each, case)],
    )
    def test_refuses_what_is_no_whole_thousandth(
        self, quantity: str, held: Fraction, wanted: Fraction
    ) -> None:
        with pytest.raises(NotWholeSteps):
            converted(Decimal(quantity), held=held, wanted=wanted)

    def test_refuses_a_unit_that_holds_nothing(self) -> None:
        with pytest.raises(ValueError, match="more than nothing"):
            converted(Decimal(1), held=Fraction(0), wanted=each)

    @given(quantities, ratios, ratios)
    def test_there_and_back_is_where_it_began(
        self, quantity: Decimal, held: Fraction, wanted: Fraction
    ) -> None:
        try:
            there = converted(quantity, held=held, wanted=wanted)
        except NotWholeSteps:
            exact = Fraction(quantity) * held
            assert (exact * 1000).denominator != 1 or (exact / wanted * 1000).denominator != 1
            return
        assert Fraction(there) * wanted == Fraction(quantity) * held
        assert converted(there, held=wanted, wanted=held) == quantity


class TestPacked:
    def test_takes_the_largest_first(self) -> None:
        units = {"CS": case, "PAL": pallet, "IN": Fraction(4)}
        parts = {"PAL": Decimal(2), "CS": Decimal(3), "IN": Decimal(1), "": Decimal("1.5")}
        assert packed(Decimal("1001.5"), units) == parts
        assert packed(Decimal(-12), units) == {"CS": Decimal(-1)}
        assert packed(Decimal(0), units) == {}

    @given(quantities, st.dictionaries(st.sampled_from("ABCDE"), ratios))
    def test_loses_nothing(self, quantity: Decimal, units: dict[str, Fraction]) -> None:
        parts = packed(quantity, units)
        whole = sum(
            (Fraction(count) * (units[code] if code else 1) for code, count in parts.items()),
            Fraction(0),
        )
        assert whole == Fraction(quantity)
        assert all(count == int(count) for code, count in parts.items() if code)

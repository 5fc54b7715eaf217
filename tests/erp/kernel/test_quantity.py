"""erp/kernel/quantity.py"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.quantity import STEP, NotWholeSteps, from_base, to_base

quantities = st.integers(-(10**12), 10**12).map(lambda n: n * STEP)
factors = st.integers(1, 10_000)


@given(quantity=quantities, numerator=factors)
def test_whole_units_convert_there_and_back(quantity: Decimal, numerator: int) -> None:
    base = to_base(quantity, numerator=numerator)

    assert base == quantity * numerator
    assert from_base(base, numerator=numerator) == Fraction(quantity)


@given(quantity=quantities, numerator=factors, denominator=factors)
def test_a_conversion_is_exact_or_refused(
    quantity: Decimal, numerator: int, denominator: int
) -> None:
    exact = Fraction(quantity) * numerator / denominator
    try:
        base = to_base(quantity, numerator=numerator, denominator=denominator)
    except NotWholeSteps:
        assert (exact * 1000).denominator != 1
    else:
        assert Fraction(base) == exact
        assert base.as_tuple().exponent == -3


def test_a_third_is_not_rounded_away() -> None:
    assert to_base(Decimal(3), numerator=1, denominator=3) == 1
    with pytest.raises(NotWholeSteps):
        to_base(Decimal(1), numerator=1, denominator=3)

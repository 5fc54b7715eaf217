from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import as_steps, from_steps


@given(st.decimals(0, 10**12, places=3))
def test_there_and_back(quantity: Decimal) -> None:
    assert from_steps(as_steps(quantity)) == quantity


def test_nothing_is_rounded_away() -> None:
    with pytest.raises(ValueError, match="thousandth"):
        as_steps(Decimal("0.0005"))

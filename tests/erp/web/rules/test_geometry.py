"""erp/web/rules/geometry.py"""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.web.rules.geometry import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    STEPS,
    TOP,
    WIDTH,
    across,
    labelled,
    round_step,
    scale,
    slots,
    sparkline,
)  # fmt: skip

VALUES = st.lists(
    st.decimals(min_value=-(10**9), max_value=10**9, places=3), min_size=1, max_size=40
)


class TestScale:
    @given(VALUES, st.booleans())
    def test_holds_every_value_inside_the_drawing(
        self,
        values: list[Decimal],
        from_zero: bool,  # noqa: FBT001
    ) -> None:
        axis = scale(values, from_zero=from_zero)

        assert axis.low <= min(values)
        assert axis.high >= max(values)
        assert all(TOP <= axis.y(v) <= HEIGHT - BOTTOM for v in values)
        assert not from_zero or axis.low <= 0 <= axis.high

    @given(VALUES)
    def test_draws_a_bearable_number_of_evenly_spaced_lines(self, values: list[Decimal]) -> None:
        ticks = scale(values).ticks

        assert 2 <= len(ticks) <= 7
        assert len({b - a for a, b in pairwise(ticks)}) == 1

    def test_puts_larger_values_higher(self) -> None:
        axis = scale([Decimal(0), Decimal(100)])

        assert axis.y(Decimal(100)) < axis.y(Decimal(0))

    def test_has_an_axis_without_values(self) -> None:
        assert scale([]).high > scale([]).low


class TestRoundStep:
    @given(st.decimals(min_value="0.001", max_value=10**12, places=3))
    def test_is_round_and_reaches(self, raw: Decimal) -> None:
        step = round_step(raw)

        assert raw <= step <= raw * Decimal("2.5")
        assert step.scaleb(-step.normalize().adjusted()) in STEPS or step.normalize().as_tuple()[
            1
        ] in {(1,), (2,), (2, 5), (5,)}


class TestAcross:
    @given(st.integers(min_value=1, max_value=400))
    def test_goes_from_edge_to_edge_in_order(self, count: int) -> None:
        xs = across(count)

        assert xs == sorted(xs)
        assert LEFT <= xs[0] <= xs[-1] <= WIDTH - RIGHT


class TestSlots:
    @given(st.integers(min_value=1, max_value=400))
    def test_columns_do_not_touch(self, count: int) -> None:
        lefts, wide = slots(count)

        assert all(b - a >= wide for a, b in pairwise(lefts))
        assert lefts[-1] + wide <= WIDTH - RIGHT + 1


class TestLabelled:
    @pytest.mark.parametrize("count", [1, 7, 8, 30, 365])
    def test_names_few_and_always_the_last(self, count: int) -> None:
        chosen = labelled(count)

        assert len(chosen) <= 7
        assert chosen[-1] == count - 1


class TestSparkline:
    def test_puts_the_largest_at_the_top(self) -> None:
        points = [p.split(",") for p in sparkline([Decimal(1), Decimal(5), Decimal(3)]).split()]

        assert [float(y) for _x, y in points] == [23.0, 1.0, 12.0]

    def test_is_flat_for_one_value(self) -> None:
        assert sparkline([Decimal(4), Decimal(4)]) == "0.0,23.0 84.0,23.0"

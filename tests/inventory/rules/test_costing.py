from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import Pool, carriage, issue, valued

STEPS = st.integers(1, 10**7).map(lambda n: Decimal(n) / 1000)
CENTS = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)


@given(st.lists(STEPS, min_size=1, max_size=8), CENTS)
def test_taking_everything_takes_the_whole_value(parts, value) -> None:
    costs = issue(Pool(sum(parts), value), parts)
    assert sum(costs) == value
    assert all(cost >= 0 and cost == round(cost, 2) for cost in costs)


@given(st.lists(STEPS, min_size=1, max_size=8), STEPS, CENTS)
def test_parts_cost_what_the_whole_costs(parts, rest, value) -> None:
    pool = Pool(sum(parts) + rest, value)
    assert sum(issue(pool, parts)) == issue(pool, [sum(parts)])[0]


@given(st.lists(STEPS, min_size=1, max_size=8), STEPS, CENTS)
def test_each_part_is_within_a_cent_of_its_share(parts, rest, value) -> None:
    pool = Pool(sum(parts) + rest, value)
    for part, cost in zip(parts, issue(pool, parts), strict=True):
        assert abs(cost - value * part / pool.quantity) <= Decimal("0.01")


def test_more_than_there_is_cannot_be_taken() -> None:
    with pytest.raises(ValueError, match="more than"):
        issue(Pool(Decimal(2), Decimal(5)), [Decimal(1), Decimal("1.001")])


def test_nothing_taken_of_nothing_costs_nothing() -> None:
    assert issue(Pool(Decimal(0), Decimal(0)), []) == []


@given(STEPS, CENTS, STEPS)
def test_what_is_found_is_worth_the_average(owned, value, found) -> None:
    worth = valued(Pool(owned, value), found, None)
    assert abs(worth - value * found / owned) <= Decimal("0.005")


def test_what_is_found_first_is_worth_nothing_unless_told() -> None:
    empty = Pool(Decimal(0), Decimal(0))
    assert valued(empty, Decimal(3), None) == 0
    assert valued(empty, Decimal(3), Decimal("0.335")) == Decimal("1.01")  # 1.005 half up


@pytest.mark.parametrize(
    ("weight", "cost"), [("0", "5.00"), ("10", "10.00"), ("0.01", "5.01"), ("0.009", "5.00")]
)
def test_carriage_is_base_and_weight(weight, cost) -> None:
    asked = carriage(Decimal(weight), base=Decimal(5), per_kg=Decimal("0.5"))
    assert asked == Decimal(cost)

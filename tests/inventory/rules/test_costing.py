from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import Layer, Pool, carriage, draw, issue, moved_on, spread, valued

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


LAYERS = st.lists(st.tuples(STEPS, CENTS), min_size=1, max_size=6).map(
    lambda found: tuple(Layer(n, *each) for n, each in enumerate(found, start=1))
)


def pool_of(layers: tuple[Layer, ...]) -> Pool:
    return Pool(sum(each.quantity for each in layers), sum(each.value for each in layers), layers)


class TestLayers:
    def test_the_oldest_leave_first(self) -> None:
        layers = (Layer(1, Decimal(3), Decimal(3)), Layer(2, Decimal(4), Decimal(8)))

        first, second = draw(pool_of(layers), [Decimal(2), Decimal(3)])

        assert (first.cost, second.cost) == (Decimal(2), Decimal(5))
        assert [(d.layer.id, d.quantity, d.value) for d in second.draws] == [(1, 1, 1), (2, 2, 4)]

    @given(LAYERS, st.lists(st.integers(0, 100), min_size=1, max_size=6))
    def test_whatever_leaves_the_layers_are_the_pool(self, layers, shares) -> None:
        pool = pool_of(layers)
        for share in shares:
            wanted = round(pool.quantity * share / 100, 3)
            (taken,) = draw(pool, [wanted])
            assert taken.cost == sum(each.value for each in taken.draws)
            assert wanted == sum(each.quantity for each in taken.draws)
            pool = moved_on(pool, -wanted, -taken.cost, draws=taken.draws)
            assert sum(each.quantity for each in pool.layers) == pool.quantity
            assert sum(each.value for each in pool.layers) == pool.value >= 0
        (rest,) = draw(pool, [pool.quantity])
        assert rest.cost == pool.value

    @given(LAYERS, st.lists(STEPS, min_size=1, max_size=6))
    def test_parts_come_out_of_the_layers_as_the_whole_does(self, layers, parts) -> None:
        pool = pool_of((*layers, Layer(99, sum(parts), Decimal(7))))
        apart = draw(pool, parts)
        (whole,) = draw(pool, [sum(parts)])
        assert sum(each.cost for each in apart) == whole.cost

    def test_what_came_in_the_same_go_is_there_to_leave(self) -> None:
        pool = moved_on(pool_of(()), Decimal(2), Decimal(5), source=7)
        (taken,) = draw(pool, [Decimal(2)])
        assert (taken.cost, taken.draws[0].layer.source) == (Decimal(5), 7)


class TestSpread:
    @given(
        st.integers(-(10**9), 10**9).map(lambda n: Decimal(n) / 100),
        st.lists(STEPS, min_size=1, max_size=6),
    )
    def test_loses_no_cent_and_is_off_by_less_than_one(self, amount, weights) -> None:
        parts = spread(amount, weights)
        assert sum(parts) == amount
        for part, weight in zip(parts, weights, strict=True):
            assert part == round(part, 2)
            assert abs(part - amount * weight / sum(weights)) < Decimal("0.01")

    def test_goes_to_the_last_where_nothing_weighs(self) -> None:
        assert spread(Decimal(5), [Decimal(0), Decimal(0)]) == [0, 5]

"""Tests inventory/rules/classing.py."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import abc_classes, aged, excess_of, xyz_class

A, B = Decimal("0.8"), Decimal("0.95")
X, Y = Decimal("0.5"), Decimal(1)
amounts = st.integers(0, 10_000).map(Decimal)


class TestAbcClasses:
    def test_follows_the_value_of_usage(self) -> None:
        usage = {1: Decimal(70), 2: Decimal(20), 3: Decimal(6), 4: Decimal(4), 5: Decimal(0)}

        assert abc_classes(usage, a_share=A, b_share=B) == {
            1: "A", 2: "A", 3: "B", 4: "C", 5: "C",
        }  # fmt: skip

    def test_the_limit_itself_belongs_to_the_next_class(self) -> None:
        usage = {1: Decimal(80), 2: Decimal(15), 3: Decimal(5)}

        assert abc_classes(usage, a_share=A, b_share=B) == {1: "A", 2: "B", 3: "C"}

    @given(st.dictionaries(st.integers(1, 50), amounts, max_size=30))
    def test_class_a_reaches_its_share_and_no_class_is_out_of_order(
        self, usage: dict[int, Decimal]
    ) -> None:
        classes = abc_classes(usage, a_share=A, b_share=B)

        assert classes.keys() == usage.keys()
        total = sum(usage.values(), Decimal(0))
        of_a = [usage[key] for key in usage if classes[key] == "A"]
        if total:
            assert sum(of_a) >= total * A
            assert sum(of_a) - min(of_a) < total * A
        ranked = sorted(usage, key=lambda key: -usage[key])
        of_rank = [(usage[key], classes[key]) for key in ranked]
        for (more, better), (less, worse) in pairwise(of_rank):
            assert more == less or better <= worse


class TestXyzClass:
    def test_steady_is_x_wild_is_z(self) -> None:
        assert xyz_class([Decimal(10)] * 8, x_cv=X, y_cv=Y) == "X"
        assert xyz_class([Decimal(5), Decimal(15)] * 4, x_cv=X, y_cv=Y) == "X"
        assert xyz_class([Decimal(4), Decimal(16)] * 4, x_cv=X, y_cv=Y) == "Y"
        assert xyz_class([Decimal(0), Decimal(20)] * 4, x_cv=X, y_cv=Y) == "Y"
        assert xyz_class([Decimal(0), Decimal(0), Decimal(30)], x_cv=X, y_cv=Y) == "Z"
        assert xyz_class([Decimal(0)] * 4, x_cv=X, y_cv=Y) == "Z"
        assert xyz_class([], x_cv=X, y_cv=Y) == "Z"


class TestAged:
    def test_the_newest_are_still_there(self) -> None:
        ages = aged(Decimal(10), [(90, Decimal(50)), (3, Decimal(4)), (20, Decimal(5))])

        assert [(each.days, each.quantity) for each in ages] == [(3, 4), (20, 5), (90, 1)]

    @given(amounts, st.lists(st.tuples(st.integers(0, 900), amounts), max_size=12))
    def test_ages_sum_to_what_is_there(
        self, on_hand: Decimal, arrivals: list[tuple[int, Decimal]]
    ) -> None:
        ages = aged(on_hand, arrivals)

        assert sum((each.quantity for each in ages), Decimal(0)) == on_hand
        known = [each.days for each in ages if each.days is not None]
        assert known == sorted(known)


def test_excess_is_what_lasts_longer() -> None:
    assert excess_of(Decimal(100), Decimal(2), 30) == 40
    assert excess_of(Decimal(60), Decimal(2), 30) == 0
    assert excess_of(Decimal(7), Decimal(0), 30) == 7

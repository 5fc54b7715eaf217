"""Fair shares: rules/allocation/sharing.py."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules import Policy, fair
from tests.inventory.rules.planning import planned, source, want

FAIR = Policy(fair_share=True)
LINES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 30), st.sampled_from([1, 2, 5])),
    min_size=1,
    max_size=12,
)


def shares(lines: list[tuple[int, int, int]], there: int) -> list[int]:
    columns: Any = np.array(lines, np.int64).T
    group = np.zeros(len(lines), np.int64)
    return fair(*columns, group, np.array([there], np.int64)).tolist()


class TestFair:
    def test_by_need_the_largest_remainder_first(self) -> None:
        assert shares([(50, 0, 1), (30, 0, 1), (20, 0, 1)], 11) == [6, 3, 2]

    def test_minimums_first(self) -> None:
        assert shares([(50, 0, 1), (10, 10, 1)], 30) == [20, 10]

    def test_minimums_that_are_too_much_are_shared_themselves(self) -> None:
        assert shares([(50, 40, 1), (50, 20, 1)], 30) == [20, 10]

    def test_in_packs(self) -> None:
        assert shares([(20, 0, 5), (20, 0, 5)], 24) == [10, 10]

    def test_enough_for_all(self) -> None:
        assert shares([(7, 0, 5), (9, 0, 2)], 16) == [7, 9]

    def test_beyond_64_bits(self) -> None:
        assert shares([(10**15, 0, 1), (3 * 10**15, 0, 1)], 10**15) == [25 * 10**13, 75 * 10**13]

    @settings(max_examples=200, deadline=None)
    @given(LINES, st.integers(0, 400))
    def test_never_more_than_there_is_nor_than_needed_and_in_packs(self, lines, there) -> None:
        got = shares(lines, there)
        needs = [line[0] for line in lines]
        assert sum(got) <= there or sum(got) == sum(needs) <= there
        for (need, minimum, pack), share in zip(lines, got, strict=True):
            assert 0 <= share <= need
            assert share % pack == 0 or share == need or minimum
        if sum(needs) <= there:
            assert got == needs

    @settings(max_examples=200, deadline=None)
    @given(LINES, st.integers(0, 400))
    def test_leaves_less_than_a_pack_for_each(self, lines, there) -> None:
        lines = [(need, 0, 1) for need, _, _ in lines]
        got = shares(lines, there)
        assert sum(got) == min(there, sum(need for need, _, _ in lines))

    @settings(max_examples=200, deadline=None)
    @given(LINES, st.integers(0, 400))
    def test_who_needs_more_gets_no_less(self, lines, there) -> None:
        lines = [(need, 0, 1) for need, _, _ in lines]
        got = shares(lines, there)
        for (one, _, _), mine in zip(lines, got, strict=True):
            for (other, _, _), theirs in zip(lines, got, strict=True):
                assert one <= other or mine + 1 >= theirs


class TestPlansOfFairShares:
    def test_shares_within_a_class_and_ranks_between(self) -> None:
        wants = [
            want(1, 6, rank=(1, 1, 1)),
            want(2, 30, rank=(2, 1, 2)),
            want(3, 10, rank=(2, 2, 3)),
        ]
        made = planned(wants, [source(1, 1, 10), source(2, 2, 4)], FAIR)
        assert [verdict.given for verdict in made.verdicts] == [6, 6, 2]

    def test_what_one_may_not_take_goes_to_the_others(self) -> None:
        wants = [want(1, 10, only=frozenset([2])), want(2, 10)]
        made = planned(wants, [source(1, 1, 8), source(2, 2, 2)], FAIR)
        assert [verdict.given for verdict in made.verdicts] == [2, 8]

    def test_all_or_nothing_comes_before_the_shares_of_its_class(self) -> None:
        wants = [want(1, 8), want(2, 6, ship_complete=True)]
        made = planned(wants, [source(1, 1, 9)], FAIR)
        assert {v.want: v.given for v in made.verdicts} == {2: 6, 1: 3}

    def test_a_line_says_what_it_lacks(self) -> None:
        made = planned([want(1, 8), want(2, 8)], [source(1, 1, 8)], FAIR)
        assert [verdict.flip[0].steps for verdict in made.verdicts] == [4, 4]

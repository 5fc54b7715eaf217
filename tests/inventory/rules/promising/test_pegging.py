"""inventory/rules/promising/pegging.py"""

from collections import Counter
from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import NEVER, Protection, Segment
from inventory.rules.promising import Claim, Pegged, Shares, Waits, pegs

DAY = date(2026, 11, 30)


def want(number: int, steps: int, *, node: int | None = None, priority: int = 50) -> Waits:
    return Waits(number, "orders.line", node, steps, (priority, 0, number))


def claim(number: int, steps: int, *, node: int = 1, days: int = 0) -> Claim:
    return Claim(number, node, steps, DAY + timedelta(days=days))


class TestPegs:
    def test_the_first_in_rank_gets_what_comes_first(self) -> None:
        found = pegs(
            [want(1, 5), want(2, 5, priority=10)], [claim(7, 4, days=2), claim(8, 5, days=1)]
        )

        assert found == [
            Pegged(8, "orders.line", 2, 5),
            Pegged(7, "orders.line", 1, 4),
        ]

    def test_a_demand_of_one_node_waits_only_for_what_comes_there(self) -> None:
        found = pegs([want(1, 5, node=2), want(2, 5)], [claim(7, 9, node=1), claim(8, 3, node=2)])

        assert found == [Pegged(8, "orders.line", 1, 3), Pegged(7, "orders.line", 2, 5)]

    @given(
        st.lists(st.tuples(st.integers(1, 9), st.sampled_from([None, 1, 2]), st.integers(0, 3))),
        st.lists(st.tuples(st.integers(1, 9), st.sampled_from([1, 2]), st.integers(0, 5))),
    )
    def test_gives_nothing_twice_and_leaves_nothing_that_somebody_waits_for(
        self, wants: list[tuple[int, int | None, int]], supplies: list[tuple[int, int, int]]
    ) -> None:
        waiting = [want(n, s, node=at, priority=p) for n, (s, at, p) in enumerate(wants)]
        claims = [claim(n, s, node=at, days=d) for n, (s, at, d) in enumerate(supplies)]
        found = pegs(waiting, claims)

        out: Counter[int] = Counter()
        into: Counter[int] = Counter()
        for each in found:
            assert each.steps > 0
            assert waiting[each.demand].node in (None, claims[each.supply].node)
            out[each.supply] += each.steps
            into[each.demand] += each.steps
        assert all(out[c.id] <= c.steps for c in claims)
        assert all(into[w.id] <= w.steps for w in waiting)
        for w in waiting:
            if into[w.id] < w.steps:
                assert all(out[c.id] == c.steps for c in claims if w.node in (None, c.node))

    @given(
        st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1),
        st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), min_size=1),
    )
    def test_nobody_waits_longer_because_of_who_comes_after(
        self, wants: list[tuple[int, int]], supplies: list[tuple[int, int]]
    ) -> None:
        waiting = [want(n, s, priority=p) for n, (s, p) in enumerate(wants)]
        claims = [claim(n, s, days=d) for n, (s, d) in enumerate(supplies)]
        last = max(waiting, key=lambda each: each.rank)
        without = [each for each in waiting if each is not last]

        assert pegs(without, claims) == [p for p in pegs(waiting, claims) if p.demand != last.id]

    def test_an_insisting_demand_waits_only_for_the_nodes_it_allows(self) -> None:
        first = Waits(1, "orders.line", None, 5, (10, 0, 1), frozenset({2}))
        nowhere = Waits(3, "orders.line", 1, 5, (10, 0, 3), frozenset({2}))

        found = pegs([first, nowhere, want(2, 5)], [claim(7, 9, node=1), claim(8, 3, node=2)])

        assert found == [Pegged(8, "orders.line", 1, 3), Pegged(7, "orders.line", 2, 5)]


GOLD, SILVER, NORTH = 1, 2, 3
TREE = [Segment(GOLD, rank=1), Segment(SILVER, rank=2), Segment(NORTH, parent=GOLD, rank=1)]
SEGMENTS = st.sampled_from([0, GOLD, SILVER, NORTH])


def kept(segment: int, floor: int = 0, cap: int = NEVER, node: int = 0) -> Protection:
    return Protection(segment, 1, 1, node, floor, cap)


def of(segment: int, number: int, steps: int, priority: int = 50) -> Waits:
    return Waits(number, "orders.line", None, steps, (priority, 0, number), None, segment)


class TestShares:
    def test_what_is_kept_for_one_is_not_pegged_to_who_ranks_before_it(self) -> None:
        early, late = of(SILVER, 1, 9, priority=1), of(GOLD, 2, 9, priority=2)

        found = pegs([early, late], [claim(7, 10)], Shares(TREE, [kept(GOLD, 6)]))

        assert [(each.demand, each.steps) for each in found] == [(1, 4), (2, 6)]

    def test_a_cap_counts_for_all_below(self) -> None:
        found = pegs(
            [of(NORTH, 1, 4, priority=1), of(GOLD, 2, 9)],
            [claim(7, 20)],
            Shares(TREE, [kept(GOLD, cap=7)]),
        )

        assert [(each.demand, each.steps) for each in found] == [(1, 4), (2, 3)]

    @given(
        st.lists(st.tuples(SEGMENTS, st.integers(1, 9), st.integers(0, 3)), max_size=8),
        st.lists(st.tuples(st.integers(1, 9), st.sampled_from([1, 2])), max_size=4),
        st.lists(
            st.tuples(
                st.sampled_from([GOLD, SILVER, NORTH]), st.integers(0, 9),
                st.none() | st.integers(0, 12), st.sampled_from([0, 1]),
            ),
            max_size=4, unique_by=lambda each: (each[0], each[3]),
        ),
        st.randoms(use_true_random=False),
    )  # fmt: skip
    def test_nobody_gets_what_is_kept_for_others_nor_more_than_their_cap(
        self,
        wants: list[tuple[int, int, int]],
        supplies: list[tuple[int, int]],
        shares: list[tuple[int, int, int | None, int]],
        dice: Random,
    ) -> None:
        waiting = [of(who, n, s, p) for n, (who, s, p) in enumerate(wants)]
        claims = [claim(n, s, node=at, days=n) for n, (s, at) in enumerate(supplies)]
        all_kept = [
            kept(who, floor, NEVER if cap is None else max(cap, floor), at)
            for who, floor, cap, at in shares
        ]
        if not all_kept:
            return
        found = pegs(waiting, claims, Shares(TREE, all_kept))

        mixed, other = [*waiting], [*claims]
        dice.shuffle(mixed)
        dice.shuffle(other)
        assert pegs(mixed, other, Shares(TREE, all_kept)) == found
        below = {0: {0}, GOLD: {GOLD, NORTH}, SILVER: {SILVER}, NORTH: {NORTH}}
        for scope in {each.node for each in all_kept}:
            here = {c.id for c in claims if scope in {0, c.node}}
            held = sum(claims[n].steps for n in here)
            floors = {each.segment: each.floor for each in all_kept if each.node == scope}
            got = Counter[int]()
            for each in found:
                if each.supply in here:
                    got[waiting[each.demand].segment] += each.steps
            if sum(floors.values()) <= held:
                assert got[0] + got[SILVER] <= held - floors.get(GOLD, 0) - floors.get(NORTH, 0)
                assert got[0] <= held - sum(floors.values())
            for each in all_kept:
                if each.node == scope:
                    assert sum(got[who] for who in below[each.segment]) <= each.cap

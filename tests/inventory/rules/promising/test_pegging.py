"""inventory/rules/promising/pegging.py"""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.promising import Claim, Pegged, Waits, pegs

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

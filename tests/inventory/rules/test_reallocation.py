"""Sharing out anew: rules/reallocation.py."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules import (
    NEVER,
    Held,
    Policy,
    Protection,
    Reallocation,
    Segment,
    Source,
    Sources,
    Strategy,
    Want,
    Wants,
    certify,
    reallocate,
)
from tests.inventory.rules.planning import source, want

QUICK = settings(max_examples=80, deadline=None)


def again(
    wants: list[Want],
    sources: list[Source],
    held: list[tuple[int, int, int]],
    strategies: list[Strategy],
    policy: Policy | None = None,
) -> Reallocation:
    columns = np.array(held, np.int64).reshape(-1, 3).T
    return reallocate(
        Wants.of(wants),
        Held(*columns),
        Sources.of(sources),
        np.array(strategies, np.int64),
        policy or Policy(),
    )


@st.composite
def worlds(draw) -> tuple[list[Want], list[Source], list[tuple[int, int, int]], list[Strategy]]:
    count = draw(st.integers(1, 8))
    sources = [
        source(n, draw(st.integers(1, 3)), draw(st.integers(0, 6)), product=draw(st.integers(1, 2)))
        for n in range(1, 7)
    ]
    wants, held = [], []
    for number in range(1, count + 1):
        product = draw(st.integers(1, 2))
        fit = [place for place, each in enumerate(sources) if each.product == product]
        own = draw(st.lists(st.sampled_from(fit), max_size=2, unique=True)) if fit else []
        mine = [(number - 1, place, draw(st.integers(1, 5))) for place in own]
        held += mine
        has = sum(piece[2] for piece in mine)
        rank = (draw(st.integers(1, 2)), 1, number)
        wants.append(want(number, has + draw(st.integers(1, 9)), product=product, rank=rank))
    strategies = [draw(st.sampled_from(Strategy)) for _ in wants]
    return wants, sources, held, strategies


class TestReallocate:
    @QUICK
    @given(worlds())
    def test_gives_what_there_is_and_no_more(self, world) -> None:
        wants, sources, held, _ = world
        made = again(*world)
        for place, each in enumerate(sources):
            there = each.steps + sum(piece[2] for piece in held if piece[1] == place)
            assert made.held.steps[made.held.supply == place].sum() <= there
        for place, each in enumerate(wants):
            assert made.held.steps[made.held.line == place].sum() == made.after[place]
            assert made.after[place] <= each.steps

    @QUICK
    @given(worlds())
    def test_each_gains_and_loses_only_as_it_may(self, world) -> None:
        wants, _, _, strategies = world
        made = again(*world)
        for place, strategy in enumerate(strategies):
            gained, after = made.gained[place], made.after[place]
            if strategy <= Strategy.GAIN:
                assert gained >= 0
            if strategy is Strategy.FILL:
                assert gained <= 0
            if strategy is Strategy.LOSE:
                assert after == 0
            is_unmet = strategy is Strategy.WIN and after < wants[place].steps
            assert (place in made.unmet.tolist()) == is_unmet

    @QUICK
    @given(worlds())
    def test_doing_it_twice_changes_nothing_more(self, world) -> None:
        wants, sources, held, strategies = world
        made = again(*world)
        columns = (made.held.line, made.held.supply, made.held.steps)
        pieces = list(zip(*(column.tolist() for column in columns), strict=True))
        free = []
        for place, each in enumerate(sources):
            there = each.steps + sum(piece[2] for piece in held if piece[1] == place)
            kept = sum(piece[2] for piece in pieces if piece[1] == place)
            free.append(Source(each.id, 1, each.product, each.node, there - kept))
        assert not again(wants, free, pieces, strategies).gained.any()

    def test_the_loser_feeds_the_winner(self) -> None:
        wants = [want(1, 5), want(2, 5, value=250)]
        made = again(wants, [source(1, 1, 0)], [(0, 0, 5)], [Strategy.LOSE, Strategy.WIN])
        assert made.gained.tolist() == [-5, 5]

    def test_a_loss_has_its_price(self) -> None:
        wants = [want(1, 2000, value=250, rank=(9, 1, 1)), want(2, 2000, value=100)]
        strategies = [Strategy.REDISTRIBUTE, Strategy.WIN]
        made = again(wants, [source(1, 1, 1000)], [(0, 0, 2000)], strategies)
        assert made.gained.tolist() == [-1000, 2000]
        assert made.money(Wants.of(wants)).tolist() == [-250, 200]

    def test_by_rank_among_those_that_may_lose(self) -> None:
        wants = [want(1, 5, rank=(9, 1, 1)), want(2, 5, rank=(1, 1, 2))]
        made = again(wants, [source(1, 1, 0)], [(0, 0, 5)], [Strategy.REDISTRIBUTE] * 2)
        assert made.gained.tolist() == [-5, 5]

    def test_who_keeps_all_stays_where_it_is(self) -> None:
        wants = [want(1, 3), want(2, 2)]
        sources = [source(1, 1, 9), source(2, 2, 0)]
        made = again(wants, sources, [(0, 1, 3)], [Strategy.REDISTRIBUTE] * 2)
        assert made.held.supply[made.held.line == 0].tolist() == [1]

    def test_a_win_that_cannot_be_is_said(self) -> None:
        made = again([want(1, 5)], [source(1, 1, 4)], [], [Strategy.WIN])
        assert made.unmet.tolist() == [0]


GOLD, SILVER = 1, 2
TREE = (Segment(GOLD, rank=1), Segment(SILVER, rank=2))


class TestShares:
    def kept(self, floor: int = 0, cap: int = NEVER, segment: int = GOLD) -> Policy:
        return Policy(segments=TREE, protections=[Protection(segment, 1, 1, 0, floor, cap)])

    def test_what_one_strategy_gave_counts_for_the_next(self) -> None:
        wants = [want(1, 9, segment=SILVER), want(2, 9, segment=SILVER), want(3, 9, segment=GOLD)]
        strategies = [Strategy.WIN, Strategy.GAIN, Strategy.REDISTRIBUTE]

        capped = again(wants, [source(1, 1, 20)], [], strategies, self.kept(0, 12, SILVER))
        floored = again(wants, [source(1, 1, 20)], [], strategies, self.kept(7))

        assert capped.after.tolist() == [9, 3, 8]
        assert floored.after.tolist() == [9, 4, 7]

    def test_who_keeps_what_was_kept_for_others_keeps_it(self) -> None:
        wants = [want(1, 9, segment=SILVER), want(2, 9, segment=GOLD)]
        held = [(0, 0, 8)]

        kept = again(wants, [source(1, 1, 2)], held, [Strategy.GAIN, Strategy.WIN], self.kept(5))
        gave = again(wants, [source(1, 1, 2)], held, [Strategy.FILL, Strategy.GAIN], self.kept(5))

        assert kept.after.tolist() == [8, 2]
        assert gave.after.tolist() == [1, 9]

    @QUICK
    @given(
        worlds(),
        st.integers(0, 20),
        st.integers(0, 20),
        st.lists(st.sampled_from([0, GOLD, SILVER]), min_size=8, max_size=8),
    )
    def test_nobody_is_given_what_is_kept_for_others_nor_more_than_the_cap(
        self, world, floor: int, more: int, segments: list[int]
    ) -> None:
        wants, sources, held, strategies = world
        wants = [replace(w, segment=at) for w, at in zip(wants, segments, strict=False)]
        policy = Policy(
            segments=TREE,
            protections=[
                Protection(GOLD, 1, 1, 0, floor, NEVER),
                Protection(SILVER, 1, 1, 0, 0, more),
            ],
        )

        made = again(wants, sources, held, strategies, policy)

        gives = [n for n, each in enumerate(strategies) if each > Strategy.GAIN]
        back = sum(steps for line, at, steps in held if line in gives and sources[at].product == 1)
        there = back + sum(each.steps for each in sources if each.product == 1)
        given_ = made.after - np.where(np.isin(np.arange(len(wants)), gives), 0, made.before)
        of = [(w.segment, int(got)) for w, got in zip(wants, given_, strict=True) if w.product == 1]
        assert sum(got for who, got in of if who != GOLD) <= max(there - floor, 0)
        assert sum(got for who, got in of if who == SILVER) <= more
        for part in made.parts:
            assert certify(part.wants, part.supply, part.made)["holds"]

"""What every plan promises, whatever it is given."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules import (
    Criterion,
    Gap,
    Mode,
    Policy,
    Protection,
    Rejection,
    Segment,
    Source,
    Want,
    explain,
)
from inventory.rules.allocation.wording import WAY, WHY
from tests.inventory.rules.planning import Planned, planned, source, taken, want

NODES = [1, 2, 3]
QUICK = settings(max_examples=40, deadline=None)


@st.composite
def wants_of(draw, *, bound: bool) -> list[Want]:
    wants = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        group = draw(st.integers(1, 4))
        wants.append(
            Want(
                id=number,
                owner=draw(st.integers(1, 2)),
                product=draw(st.integers(1, 3)),
                steps=draw(st.integers(1, 9)),
                rank=(draw(st.integers(1, 2)), draw(st.integers(1, 2)), number),
                group=group,
                node=draw(st.none() | st.sampled_from(NODES)),
                ship_complete=bound and group == 1,
                no_split=bound and group == 2,
                only=draw(st.none() | st.frozensets(st.sampled_from(NODES))),
            )
        )
    return wants


@st.composite
def supplies_of(draw) -> list[Source]:
    keys = draw(
        st.sets(
            st.tuples(st.integers(1, 2), st.integers(1, 3), st.sampled_from(NODES)), max_size=12
        )
    )
    return [
        Source(number, *key, steps=draw(st.integers(0, 12)), is_open=draw(st.integers(0, 5)) > 0)
        for number, key in enumerate(sorted(keys), start=1)
    ]


def given_by(made: Planned) -> dict[int, int]:
    given_: dict[int, int] = defaultdict(int)
    for take in made.takes:
        given_[take.want] += take.steps
    return given_


class TestAnyPlan:
    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_gives_no_more_than_there_is_and_was_asked_for(self, wants, supplies) -> None:
        made = planned(wants, supplies)
        by_supply: dict[int, int] = defaultdict(int)
        for take in made.takes:
            assert take.steps > 0
            by_supply[take.supply] += take.steps
        held = {supply.id: supply for supply in supplies}
        assert all(steps <= held[number].steps for number, steps in by_supply.items())
        got = given_by(made)
        assert all(got[want.id] <= want.steps for want in wants)

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_takes_only_what_is_the_owners_allowed_and_open(self, wants, supplies) -> None:
        held, asked = {s.id: s for s in supplies}, {w.id: w for w in wants}
        for take in planned(wants, supplies).takes:
            supply, want = held[take.supply], asked[take.want]
            assert (supply.owner, supply.product) == (want.owner, want.product)
            assert supply.node == take.node
            assert supply.is_open
            assert want.only is None or supply.node in want.only

    @QUICK
    @given(wants_of(bound=True), supplies_of(), st.randoms(use_true_random=False))
    def test_does_not_depend_on_the_order_of_its_input(self, wants, supplies, random) -> None:
        made = planned(wants, supplies)
        random.shuffle(wants)
        random.shuffle(supplies)
        assert planned(wants, supplies)[:2] == made[:2]

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_one_by_one_is_the_same_as_all_at_once(self, wants, supplies) -> None:
        """Hands without end make the engine go candidate by candidate."""
        careful = planned(wants, supplies, Policy(capacity=[(node, 99) for node in NODES]))
        assert careful[:2] == planned(wants, supplies)[:2]

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_nothing_binds_what_no_policy_names(self, wants, supplies) -> None:
        """A share that protects nothing, and a score that is the same for all, change nothing."""
        plain = planned(wants, supplies)
        segments = [Segment(1, rank=1), Segment(2, rank=2)]
        kept = [Protection(2, 1, product, floor=0) for product in (1, 2, 3)]
        policy = Policy(
            nodes_by=(Criterion.SCORE, *Policy().nodes_by), segments=segments, protections=kept
        )
        assert planned(wants, supplies, policy)[:2] == plain[:2]

    @QUICK
    @given(wants_of(bound=False), supplies_of())
    def test_nothing_is_left_for_a_second_run(self, wants, supplies) -> None:
        made = planned(wants, supplies)
        got = given_by(made)
        taken: dict[int, int] = defaultdict(int)
        for take in made.takes:
            taken[take.supply] += take.steps
        rest = [
            Source(s.id, s.owner, s.product, s.node, s.steps - taken[s.id], s.is_open)
            for s in supplies
        ]
        still = [
            Want(
                w.id, w.owner, w.product, w.steps - got[w.id], w.rank, w.group, w.node, only=w.only
            )
            for w in wants
            if got[w.id] < w.steps
        ]
        assert planned(still, rest).takes == []

    @QUICK
    @given(wants_of(bound=False), supplies_of())
    def test_no_line_could_gain_without_a_higher_one_losing(self, wants, supplies) -> None:
        """Every row that a short line may use went to higher ranks."""
        made = planned(wants, supplies)
        got = given_by(made)
        rank = {each.id: each.rank for each in wants}
        for line in wants:
            if got[line.id] == line.steps:
                continue
            for supply in supplies:
                if (
                    (supply.owner, supply.product) == (line.owner, line.product)
                    and supply.is_open
                    and (line.only is None or supply.node in line.only)
                ):
                    takers = [take for take in made.takes if take.supply == supply.id]
                    assert sum(take.steps for take in takers) == supply.steps
                    assert all(rank[take.want] <= line.rank for take in takers)

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_an_order_that_leaves_complete_gets_all_or_nothing(self, wants, supplies) -> None:
        got = given_by(planned(wants, supplies))
        lines = [want for want in wants if want.ship_complete]
        assert {got[want.id] == want.steps for want in lines} != {True, False}
        assert all(got[want.id] in {0, want.steps} for want in lines)

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_an_undivided_order_leaves_from_one_node(self, wants, supplies) -> None:
        undivided = {want.id for want in wants if want.no_split}
        nodes = {take.node for take in planned(wants, supplies).takes if take.want in undivided}
        assert len(nodes) <= 1

    @QUICK
    @given(wants_of(bound=True), supplies_of())
    def test_says_of_every_line_what_it_got_and_why_not_more(self, wants, supplies) -> None:
        made = planned(wants, supplies)
        got = given_by(made)
        assert {verdict.want for verdict in made.verdicts} == {want.id for want in wants}
        assert len(made.verdicts) == len(wants)
        for verdict in made.verdicts:
            assert verdict.given == got[verdict.want]
            assert verdict.given == sum(each.taken for each in verdict.candidates)
            assert all((each.taken > 0) == (each.rejected is None) for each in verdict.candidates)
            assert bool(verdict.flip) == (verdict.given < verdict.asked)

    @QUICK
    @given(wants_of(bound=False), supplies_of())
    def test_the_flip_would_have_been_enough(self, wants, supplies) -> None:
        wants = [replace(each, only=None) for each in wants]
        supplies = [replace(each, is_open=True) for each in supplies]
        short = next((v for v in planned(wants, supplies).verdicts if v.flip), None)
        if short is None:
            return
        asked = {each.id: each for each in wants}
        (gap,) = short.flip
        found = Source(1000, asked[short.want].owner, gap.product, gap.node or NODES[0], gap.steps)
        again = {v.want: v for v in planned(wants, [*supplies, found]).verdicts}
        assert again[short.want].given == short.asked


class TestPreferences:
    def test_the_named_node_first(self) -> None:
        made = planned([want(1, 5, node=2)], [source(1, 1, 50), source(2, 2, 3)])
        assert taken(made) == [(1, 1, 2), (1, 2, 3)]

    def test_a_node_with_all_of_it_before_two(self) -> None:
        made = planned([want(1, 5)], [source(1, 1, 4), source(2, 2, 5)])
        assert taken(made) == [(1, 2, 5)]

    def test_one_node_for_the_whole_order(self) -> None:
        wants = [want(1, 5, group=9), want(2, 5, group=9, product=2)]
        supplies = [
            source(1, 1, 100),
            source(2, 2, 5),
            source(3, 2, 5, product=2),
            source(4, 3, 9, product=2),
        ]
        assert taken(planned(wants, supplies)) == [(1, 2, 5), (2, 2, 5)]

    def test_the_fullest_node_otherwise(self) -> None:
        assert taken(planned([want(1, 9)], [source(1, 1, 3), source(2, 2, 4)])) == [
            (1, 1, 3),
            (1, 2, 4),
        ]

    def test_a_policy_may_want_it_otherwise(self) -> None:
        most_first = Policy(nodes_by=(Criterion.MOST, Criterion.NAMED))
        made = planned([want(1, 1, node=2)], [source(1, 1, 50), source(2, 2, 3)], most_first)
        assert taken(made) == [(1, 1, 1)]

    def test_the_first_in_rank_first(self) -> None:
        wants = [want(1, 6, rank=(50, 1, 1)), want(2, 6, rank=(10, 9, 2))]
        assert taken(planned(wants, [source(1, 1, 10)])) == [(2, 1, 6), (1, 1, 4)]

    def test_two_lines_of_one_product_share_it(self) -> None:
        wants = [want(1, 6, group=9), want(2, 6, group=9)]
        assert taken(planned(wants, [source(1, 1, 10)])) == [(1, 1, 6), (2, 1, 4)]


class TestReasons:
    @pytest.mark.parametrize(
        ("lines", "supplies", "reason"),
        [
            ([want(1, 5)], [source(1, 1, 9), source(2, 2, 0)], Rejection.EMPTY),
            ([want(1, 5)], [source(1, 1, 9), source(2, 2, 6)], Rejection.NOT_NEEDED),
            ([want(1, 5)], [source(1, 1, 9), source(2, 2, 9, is_open=False)], Rejection.CLOSED),
            (
                [want(1, 5, only=frozenset([1]))],
                [source(1, 1, 9), source(2, 2, 9)],
                Rejection.NOT_ALLOWED,
            ),
            ([want(1, 5, no_split=True)], [source(1, 1, 4), source(2, 2, 3)], Rejection.SPLIT),
        ],
    )
    def test_the_second_node_says_why_not(self, lines, supplies, reason) -> None:
        (verdict,) = planned(lines, supplies).verdicts
        assert verdict.candidates[1].rejected == reason

    def test_what_others_took(self) -> None:
        low, high = want(2, 5), want(1, 5)
        verdict = planned([low, high], [source(1, 1, 5)]).verdicts[1]
        assert verdict.candidates[0].rejected == Rejection.TAKEN
        assert verdict.flip == (Gap(1, 1, 5),)

    def test_an_incomplete_order_says_what_it_lacks(self) -> None:
        wants = [
            want(1, 5, group=9, ship_complete=True),
            want(2, 5, group=9, product=2, ship_complete=True),
        ]
        made = planned(wants, [source(1, 1, 5), source(2, 1, 3, product=2)])
        assert made.takes == []
        assert {verdict.flip for verdict in made.verdicts} == {(Gap(2, 1, 2),)}
        assert made.verdicts[0].candidates[0].rejected == Rejection.INCOMPLETE

    def test_what_an_incomplete_order_leaves_goes_to_the_next(self) -> None:
        wants = [want(1, 5, ship_complete=True), want(2, 2)]
        assert taken(planned(wants, [source(1, 1, 3)])) == [(2, 1, 2)]

    def test_a_product_that_lies_nowhere(self) -> None:
        (verdict,) = planned([want(1, 5)], []).verdicts
        assert (verdict.candidates, verdict.flip) == ([], (Gap(1, None, 5),))


class TestExplain:
    def test_says_it_in_sentences(self) -> None:
        wants = [want(1, 4000), want(2, 5500)]
        made = planned(wants, [source(1, 1, 7000), source(2, 2, 0)])
        assert explain(made.verdicts[1], {1: "DC-A", 2: "DC-B"}, {1: "PEN"}) == [
            "Asked 5.5, got 3: 3 from DC-A.",
            "DC-B gave nothing: nothing was free.",
            "2.5 more of PEN at DC-A would have been enough.",
        ]

    def test_every_reason_has_words(self) -> None:
        assert set(WHY) == set(Rejection)
        assert set(WAY) == set(Mode)

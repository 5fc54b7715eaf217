"""inventory/rules/certificate.py, and that what the engine decides passes it, whatever binds it."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules import (
    NEVER,
    Consent,
    Mode,
    Policy,
    Protection,
    Rule,
    Segment,
    Source,
    Sources,
    Substitution,
    Want,
    Wants,
    certify,
    plan,
)
from tests.inventory.rules.planning import planned, source, want

NODES = [1, 2, 3]
PRODUCTS = [1, 2, 3, 4]
QUICK = settings(max_examples=60, deadline=None)
SOFT = [Rule.NONE, Rule.ONLY_NODES, Rule.FRESH, Rule.NODES_MAX, Rule.NO_SPLIT, Rule.SHIP_COMPLETE]
PLAIN = Policy()


@st.composite
def wants_of(draw, *, bound: bool) -> list[Want]:
    """Lines that insist on nodes, shelf life, few nodes and their own goods, hard or soft."""
    wants = []
    for number in range(1, draw(st.integers(1, 10)) + 1):
        group = draw(st.integers(1, 4))
        soft = draw(st.sampled_from(SOFT)) if bound else Rule.NONE
        wants.append(
            Want(
                id=number,
                owner=1,
                product=draw(st.sampled_from(PRODUCTS)),
                steps=draw(st.integers(1, 9)),
                rank=(draw(st.integers(1, 2)), draw(st.integers(1, 2)), number),
                group=group,
                ship_complete=bound and group == 1,
                no_split=bound and group == 2,
                nodes_max=2 if bound and group == 3 else 0,
                soft=soft,
                only=draw(st.none() | st.frozensets(st.sampled_from(NODES))),
                fresh_until=draw(st.sampled_from([0, 0, 50, 100])),
                no_substitutes=draw(st.booleans()),
                consent=draw(st.sampled_from([Consent.ASK, Consent.ALWAYS, Consent.EVERY_TIME])),
            )
        )
    return wants


@st.composite
def supplies_of(draw) -> list[Source]:
    keys = draw(st.sets(st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(NODES)), max_size=10))
    return [
        Source(
            number, 1, *key, draw(st.integers(0, 12)), expires=draw(st.sampled_from([49, 99, 200]))
        )
        for number, key in enumerate(sorted(keys), start=1)
    ]


@st.composite
def policies_of(draw, *, hands: bool) -> Policy:
    """Pairs with a ratio, in any direction; nodes with few hands."""
    found = draw(
        st.sets(
            st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(PRODUCTS)).filter(
                lambda pair: pair[0] != pair[1]
            ),
            max_size=5,
        )
    )
    pairs = [
        Substitution(
            *pair,
            units=draw(st.integers(1, 3)),
            per=draw(st.integers(1, 3)),
            consent=draw(st.sampled_from(list(Consent))),
            since=draw(st.sampled_from([0, 9, 11])),
            rank=draw(st.integers(0, 1)),
        )
        for pair in sorted(found)
    ]
    capacity = [(node, draw(st.integers(0, 3))) for node in NODES] if hands else []
    return Policy(substitutions=pairs, capacity=capacity, today=10)


TREE = (Segment(1, rank=1), Segment(2, rank=2), Segment(3, parent=2), Segment(4, 0, 3, lends=False))


@st.composite
def shares_of(draw) -> list[Protection]:
    """Floors and caps of some segments, of some products, at one node or anywhere."""
    keys = draw(
        st.sets(
            st.tuples(
                st.sampled_from([1, 2, 3, 4]), st.just(1), st.sampled_from(PRODUCTS),
                st.sampled_from([0, 0, *NODES]),
            ),
            max_size=6,
        )
    )  # fmt: skip
    floors = [(key, draw(st.integers(0, 9))) for key in sorted(keys)]
    return [
        Protection(*key, floor, draw(st.sampled_from([NEVER, floor, floor + 3])))
        for key, floor in floors
    ]


class TestShares:
    @QUICK
    @given(
        wants_of(bound=True),
        supplies_of(),
        policies_of(hands=True),
        shares_of(),
        st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 9]), min_size=10, max_size=10),
        st.randoms(use_true_random=False),
    )
    def test_every_plan_keeps_what_is_kept(  # noqa: PLR0917
        self, wants, supplies, policy, shares, segments, random
    ) -> None:
        wants = [replace(w, segment=at) for w, at in zip(wants, segments, strict=False)]
        policy = replace(policy, segments=TREE, protections=shares)

        made = planned(wants, supplies, policy)

        random.shuffle(wants)
        random.shuffle(supplies)
        assert planned(wants, supplies, policy)[:2] == made[:2]

    @pytest.mark.parametrize(
        "share",
        [
            Protection(1, 1, 1, 0, floor=5),
            Protection(1, 1, 1, 1, floor=5),
            Protection(2, 1, 1, 0, cap=8),
            Protection(3, 1, 1, 1, cap=8),
            Protection(4, 1, 1, 0, floor=5),
        ],
    )
    def test_a_plan_that_forgets_a_share_is_found_out(self, share: Protection) -> None:
        demand = Wants.of([want(1, 9, segment=3)])
        supply = Sources.of([source(1, 1, 9)])
        made = plan(demand, supply)
        assert certify(demand, supply, made)["holds"]

        said = replace(made.policy, segments=TREE, protections=[share])
        found = certify(demand, supply, replace(made, policy=said))

        assert not found["holds"]
        assert found["faults"]["beyond_shares"] >= 1
        assert sum(found["faults"].values()) == found["faults"]["beyond_shares"]


class TestAnyPlan:
    @QUICK
    @given(wants_of(bound=True), supplies_of(), policies_of(hands=True))
    def test_is_certified_whatever_binds_it(self, wants, supplies, policy) -> None:
        planned(wants, supplies, policy)

    @QUICK
    @given(
        wants_of(bound=True),
        supplies_of(),
        policies_of(hands=True),
        st.randoms(use_true_random=False),
    )
    def test_does_not_depend_on_the_order_of_its_input(
        self, wants, supplies, policy, random
    ) -> None:
        made = planned(wants, supplies, policy)
        random.shuffle(wants)
        random.shuffle(supplies)
        pairs = list(policy.substitutions)
        random.shuffle(pairs)
        assert planned(wants, supplies, replace(policy, substitutions=pairs))[:2] == made[:2]

    @QUICK
    @given(wants_of(bound=False), supplies_of(), policies_of(hands=False))
    def test_nothing_is_left_for_a_second_run(self, wants, supplies, policy) -> None:
        made = planned(wants, supplies, policy)
        got: dict[int, int] = defaultdict(int)
        spent: dict[int, int] = defaultdict(int)
        for take in made.takes:
            got[take.want] += take.steps
            spent[take.supply] += take.spent
        rest = [replace(each, steps=each.steps - spent[each.id]) for each in supplies]
        still = [
            replace(each, steps=each.steps - got[each.id])
            for each in wants
            if got[each.id] < each.steps
        ]
        assert planned(still, rest, policy).takes == []

    @QUICK
    @given(wants_of(bound=False), supplies_of(), policies_of(hands=False))
    def test_every_short_line_that_only_rank_binds_is_judged(self, wants, supplies, policy) -> None:
        demand, supply = Wants.of(wants), Sources.of(supplies)
        assert certify(demand, supply, plan(demand, supply, policy))["excused"] == 0

    @QUICK
    @given(wants_of(bound=False), supplies_of(), policies_of(hands=False))
    def test_exchanges_are_exact(self, wants, supplies, policy) -> None:
        ratio = {(pair.product, pair.by): pair for pair in policy.substitutions}
        product = {each.id: each.product for each in supplies}
        asked = {each.id: each for each in wants}
        for take in planned(wants, supplies, policy).takes:
            line = asked[take.want]
            if take.mode is Mode.SUBSTITUTE:
                pair = ratio[line.product, product[take.supply]]
                assert take.steps * pair.per == take.spent * pair.units
                assert not line.no_substitutes
            else:
                assert take.steps == take.spent
                assert product[take.supply] == line.product


class TestCertify:
    """It is no rubber stamp: what is done to a plan, it finds."""

    def faults_of(
        self, line: Want, supply: list[Source], policy: Policy, given_: list[int], **broken: object
    ) -> set[str]:
        """Plan, then have the plan give `given_` from its candidates, in their order."""
        demand, sources = Wants.of([line]), Sources.of(supply)
        made = plan(demand, sources, policy)
        taken = np.array(given_, np.int64)
        told = replace(made, taken=taken, given=np.array([taken.sum()]))
        demand = replace(demand, **broken) if broken else demand
        return {name for name, count in certify(demand, sources, told)["faults"].items() if count}

    @pytest.mark.parametrize(
        ("taken", "faults"),
        [([3], set()), ([2], {"left_over"}), ([4], {"more_than_there_is"})],
    )
    def test_its_own_goods(self, taken: list[int], faults: set[str]) -> None:
        assert self.faults_of(want(1, 5), [source(1, 1, 3)], PLAIN, taken) == faults

    @pytest.mark.parametrize(
        ("taken", "faults"),
        [([2, 2], set()), ([2, 0], {"left_over"}), ([2, 1], {"left_over", "not_instead"})],
    )
    def test_another_product_in_whole_exchanges(self, taken, faults) -> None:
        pair = Substitution(1, 2, units=2, per=3, consent=Consent.ALWAYS)
        held = [source(1, 1, 2), source(2, 1, 4, product=2)]
        found = self.faults_of(want(1, 9), held, Policy(substitutions=[pair]), taken)
        assert found == faults

    def test_another_product_that_had_to_be_asked_about(self) -> None:
        policy = Policy(substitutions=[Substitution(1, 2)])
        held = [source(2, 1, 4, product=2)]
        assert self.faults_of(want(1, 4), held, policy, [4]) == {"not_instead"}

    def test_what_is_too_old_or_lies_elsewhere(self) -> None:
        old = self.faults_of(want(1, 4, fresh_until=9), [source(1, 1, 4, expires=8)], PLAIN, [4])
        elsewhere = want(1, 4, only=frozenset([2]))
        assert old == {"not_allowed"}
        assert self.faults_of(elsewhere, [source(1, 1, 4)], PLAIN, [4]) == {"not_allowed"}

    def test_more_lines_than_a_node_has_hands_for(self) -> None:
        policy = Policy(capacity=[(1, 0)])
        assert self.faults_of(want(1, 4), [source(1, 1, 4)], policy, [4]) == {"too_many_hands"}

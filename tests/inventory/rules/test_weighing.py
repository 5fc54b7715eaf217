"""The weights that a plan is made with, and every way to serve a line: rules/allocation."""

from dataclasses import replace

import pytest

from inventory.rules import (
    Affiliation,
    Consent,
    Criterion,
    Lane,
    Mode,
    Policy,
    Protection,
    Rejection,
    Rule,
    Segment,
    Substitution,
    policy_of,
)
from tests.inventory.rules.planning import planned, source, taken, want

SCORED = Policy(nodes_by=(Criterion.SCORE,))


class TestScore:
    def test_the_cheapest_way_to_serve(self) -> None:
        near, far = source(1, 1, 9000, per_unit=30), source(2, 2, 9000, per_unit=20)
        assert taken(planned([want(1, 5000)], [near, far], SCORED)) == [(1, 2, 5000)]

    def test_a_day_late_costs_the_customers_weight(self) -> None:
        now, later = source(1, 1, 9000, fixed=100, day=10), source(2, 2, 9000, day=12)
        line = want(1, 1000, rank=(50, 10, 1), weight=49)
        assert taken(planned([line], [now, later], SCORED)) == [(1, 2, 1000)]
        line = replace(line, weight=51)
        assert taken(planned([line], [now, later], SCORED)) == [(1, 1, 1000)]

    def test_being_faster_may_be_bought(self) -> None:
        now, later = source(1, 1, 9000, fixed=100, day=10), source(2, 2, 9000, day=12)
        line = want(1, 1000, rank=(50, 10, 1), weight=80)
        policy = replace(SCORED, expedite_cost=90, expedite_days=2)
        assert taken(planned([line], [now, later], policy)) == [(1, 2, 1000)]

    def test_a_further_node_costs(self) -> None:
        small, whole = source(1, 1, 1000), source(2, 2, 9000, fixed=10)
        assert taken(planned([want(1, 2000)], [small, whole], SCORED)) == [
            (1, 1, 1000),
            (1, 2, 1000),
        ]
        policy = replace(SCORED, split_cost=11)
        assert taken(planned([want(1, 2000)], [small, whole], policy)) == [(1, 2, 2000)]

    def test_waiting_may_be_cheaper(self) -> None:
        line = want(1, 1000, weight=10, rank=(50, 10, 1))
        dear = source(1, 1, 9000, fixed=31)
        made = planned([line], [dear], replace(SCORED, wait_days=3))
        assert made.takes == []
        assert made.verdicts[0].candidates[0].rejected == Rejection.NOT_WORTH_IT
        assert planned([line], [replace(dear, fixed=30)], replace(SCORED, wait_days=3)).takes


class TestSplit:
    @pytest.mark.parametrize(("first", "gives"), [(4000, False), (5000, True), (6000, False)])
    def test_both_halves_must_be_worth_it(self, first: int, *, gives: bool) -> None:
        """Of 10 units at 1.00 each, a part and its rest must each be worth 5.00."""
        line = want(1, 10_000, value=100)
        made = planned([line], [source(1, 1, first)], Policy(split_minimum=500))
        assert bool(made.takes) is gives
        if not gives:
            assert made.verdicts[0].candidates[0].rejected == Rejection.SPLIT_TOO_SMALL

    def test_at_most_so_many_nodes(self) -> None:
        wants = [want(1, 9, group=1, nodes_max=2)]
        made = planned(wants, [source(1, 1, 3), source(2, 2, 4), source(3, 3, 2)])
        assert taken(made) == [(1, 1, 3), (1, 2, 4)]
        assert made.verdicts[0].candidates[2].rejected == Rejection.SPLIT

    def test_a_line_in_full_or_not_at_all(self) -> None:
        made = planned([want(1, 5, line_complete=True), want(2, 2)], [source(1, 1, 4)])
        assert taken(made) == [(2, 1, 2)]
        assert made.verdicts[0].candidates[0].rejected == Rejection.INCOMPLETE

    def test_no_line_in_part_where_the_policy_says_so(self) -> None:
        made = planned([want(1, 5)], [source(1, 1, 4)], Policy(allows_partial=False))
        assert made.takes == []


class TestSoftRules:
    def test_is_kept_where_it_can_be(self) -> None:
        line = want(1, 4, no_split=True, soft=Rule.NO_SPLIT)
        made = planned([line], [source(1, 1, 3), source(2, 2, 4)])
        assert taken(made) == [(1, 2, 4)]
        assert made.verdicts[0].dropped == Rule.NONE

    def test_is_dropped_where_it_cannot_and_said_so(self) -> None:
        line = want(1, 5, no_split=True, soft=Rule.NO_SPLIT)
        made = planned([line], [source(1, 1, 3), source(2, 2, 4)])
        assert taken(made) == [(1, 1, 1), (1, 2, 4)]
        assert made.verdicts[0].dropped == Rule.NO_SPLIT

    def test_other_nodes_where_the_wished_are_empty(self) -> None:
        line = want(1, 5, only=frozenset([1]), soft=Rule.ONLY_NODES)
        made = planned([line], [source(1, 1, 3), source(2, 2, 4)])
        assert sum(take.steps for take in made.takes) == 5
        assert made.verdicts[0].dropped == Rule.ONLY_NODES

    def test_what_was_tried_first_leaves_nothing_behind(self) -> None:
        lines = [want(1, 9, ship_complete=True, soft=Rule.SHIP_COMPLETE), want(2, 3)]
        made = planned(lines, [source(1, 1, 10)])
        assert taken(made) == [(1, 1, 9), (2, 1, 1)]


class TestShelfLife:
    def test_takes_nothing_that_expires_too_soon(self) -> None:
        line = want(1, 5, fresh_until=100)
        made = planned([line], [source(1, 1, 9, expires=99), source(2, 1, 3, expires=100)])
        assert [(take.supply, take.steps) for take in made.takes] == [(2, 3)]
        assert made.verdicts[0].candidates[0].rejected == Rejection.TOO_OLD

    def test_takes_what_expires_first(self) -> None:
        sources = [source(1, 1, 9, expires=200), source(2, 1, 3, expires=100)]
        made = planned([want(1, 5)], sources)
        assert [(take.supply, take.steps) for take in made.takes] == [(2, 3), (1, 2)]

    def test_a_node_counts_with_all_its_lots(self) -> None:
        sources = [source(1, 1, 3), source(2, 1, 3, expires=9), source(3, 2, 5)]
        assert taken(planned([want(1, 5)], sources)) == [(1, 1, 3), (1, 1, 2)]
        assert taken(planned([want(1, 6)], sources)) == [(1, 1, 3), (1, 1, 3)]


class TestOtherWays:
    pair = Substitution(1, 2, units=1, per=2, consent=Consent.ALWAYS)

    def test_another_product_by_its_ratio(self) -> None:
        policy = Policy(substitutions=[self.pair])
        made = planned([want(1, 5)], [source(1, 1, 2), source(2, 1, 7, product=2)], policy)
        assert [(t.supply, t.steps, t.spent, t.mode) for t in made.takes] == [
            (1, 2, 2, Mode.STOCK),
            (2, 3, 6, Mode.SUBSTITUTE),
        ]

    @pytest.mark.parametrize(
        ("line", "pair", "why"),
        [
            ({"no_substitutes": True}, {}, Rejection.NO_SUBSTITUTE),
            ({"consent": Consent.NEVER}, {}, Rejection.NO_SUBSTITUTE),
            ({}, {"consent": Consent.ASK}, Rejection.NEEDS_CONSENT),
            ({}, {"until": 9}, Rejection.NO_SUBSTITUTE),
        ],
    )
    def test_but_only_as_the_customer_agrees(self, line, pair, why) -> None:
        policy = Policy(substitutions=[self.pair._replace(**pair)], today=10)
        made = planned([want(1, 5, **line)], [source(2, 1, 99, product=2)], policy)
        assert made.takes == []
        assert made.verdicts[0].candidates[0].rejected == why

    def test_is_directed(self) -> None:
        policy = Policy(substitutions=[self.pair])
        assert planned([want(1, 5, product=2)], [source(1, 1, 9)], policy).takes == []

    def test_two_products_may_want_one_substitute(self) -> None:
        pairs = [Substitution(p, 3, consent=Consent.ALWAYS) for p in (1, 2)]
        made = planned(
            [want(1, 5), want(2, 5, product=2)],
            [source(1, 1, 7, product=3)],
            Policy(substitutions=pairs),
        )
        assert [(t.want, t.steps) for t in made.takes] == [(1, 5), (2, 2)]

    def test_by_a_lane_to_the_only_node_it_may_leave_from(self) -> None:
        line = want(1, 5, only=frozenset([2]))
        made = planned([line], [source(1, 1, 9)], Policy(lanes=[Lane(1, 2, 3)]))
        assert [(t.node, t.steps, t.mode) for t in made.takes] == [(2, 5, Mode.TRANSFER)]

    def test_one_supply_two_ways_is_given_once(self) -> None:
        made = planned([want(1, 9)], [source(1, 1, 5)], Policy(lanes=[Lane(1, 2, 3)]))
        assert [(t.mode, t.steps) for t in made.takes] == [(Mode.STOCK, 5)]

    def test_from_another_company_of_the_house(self) -> None:
        made = planned(
            [want(1, 5)], [source(1, 1, 3, owner=2)], Policy(affiliations=[Affiliation(2, 1)])
        )
        assert [(t.mode, t.steps) for t in made.takes] == [(Mode.AFFILIATE, 3)]

    def test_on_its_way_before_bought(self) -> None:
        coming = source(1, 1, 2, mode=Mode.INBOUND, day=5)
        bought = source(2, 1, 10**9, mode=Mode.BUY, day=9)
        dropped = source(3, 9, 10**9, mode=Mode.DROP_SHIP, day=7)
        made = planned([want(1, 5)], [bought, coming, dropped])
        assert [(t.mode, t.steps) for t in made.takes] == [(Mode.INBOUND, 2), (Mode.BUY, 3)]


class TestHands:
    def test_a_node_picks_no_more_lines_than_it_can(self) -> None:
        wants = [want(number, 1) for number in range(1, 5)]
        sources = [source(1, 1, 99), source(2, 2, 1)]
        made = planned(wants, sources, Policy(capacity=[(1, 2)]))
        assert taken(made) == [(1, 1, 1), (2, 1, 1), (3, 2, 1)]
        assert made.verdicts[3].candidates[0].rejected == Rejection.AT_CAPACITY

    def test_across_products(self) -> None:
        wants = [want(1, 1), want(2, 1, product=2)]
        sources = [source(1, 1, 9), source(2, 1, 9, product=2)]
        assert len(planned(wants, sources, Policy(capacity=[(1, 1)])).takes) == 1

    def test_what_is_taken_back_frees_the_hands(self) -> None:
        wants = [want(1, 9, ship_complete=True), want(2, 2)]
        made = planned(wants, [source(1, 1, 5)], Policy(capacity=[(1, 1)]))
        assert taken(made) == [(2, 1, 2)]


class TestProtection:
    """Web (1) ranks before stores (2), both under the root; kiosks (3) are under stores."""

    segments = (Segment(1, rank=1), Segment(2, rank=2), Segment(3, parent=2, rank=1))

    def gives(self, steps: int, segment: int, *kept: Protection, held: int = 100) -> int:
        policy = Policy(segments=self.segments, protections=kept)
        made = planned([want(1, steps, segment=segment)], [source(1, 1, held)], policy)
        return sum(take.steps for take in made.takes)

    def test_nobody_takes_what_is_kept_for_a_higher_one(self) -> None:
        kept = Protection(1, 1, 1, floor=30)
        assert self.gives(100, 2, kept) == 70
        assert self.gives(100, 0, kept) == 70

    def test_its_own_then_the_rest_then_the_lower_ones(self) -> None:
        kept = (Protection(1, 1, 1, floor=30), Protection(2, 1, 1, floor=20))
        assert self.gives(100, 1, *kept) == 100
        assert self.gives(100, 2, *kept) == 70

    def test_a_share_that_lends_nothing_stays(self) -> None:
        kept = (Protection(2, 1, 1, floor=20),)
        segments = (Segment(1, rank=1), Segment(2, rank=2, lends=False))
        policy = Policy(segments=segments, protections=kept)
        made = planned([want(1, 100, segment=1)], [source(1, 1, 100)], policy)
        assert sum(take.steps for take in made.takes) == 80
        assert made.verdicts[0].flip

    def test_a_child_takes_from_its_parents_share(self) -> None:
        assert (
            self.gives(100, 3, Protection(2, 1, 1, floor=20), Protection(1, 1, 1, floor=50)) == 50
        )

    def test_no_more_than_the_cap_of_itself_and_of_all_above(self) -> None:
        assert self.gives(100, 1, Protection(1, 1, 1, cap=12)) == 12
        assert self.gives(100, 3, Protection(2, 1, 1, cap=7)) == 7

    def test_at_one_node_only(self) -> None:
        policy = Policy(segments=self.segments, protections=[Protection(1, 1, 1, node=1, floor=30)])
        made = planned([want(1, 99, segment=2)], [source(1, 1, 40), source(2, 2, 5)], policy)
        assert taken(made) == [(1, 1, 10), (1, 2, 5)]
        assert made.verdicts[0].candidates[0].rejected is None

    def test_shares_of_too_little_shrink_alike(self) -> None:
        kept = (Protection(1, 1, 1, floor=30), Protection(2, 1, 1, floor=10))
        assert self.gives(100, 2, *kept, held=20) == 5

    def test_says_why(self) -> None:
        policy = Policy(segments=self.segments, protections=[Protection(1, 1, 1, floor=9)])
        made = planned([want(1, 5, segment=2)], [source(1, 1, 9)], policy)
        assert made.verdicts[0].candidates[0].rejected == Rejection.PROTECTED

    def test_switched_off(self) -> None:
        policy = Policy(
            segments=self.segments, protections=[Protection(1, 1, 1, floor=9)], protects=False
        )
        assert planned([want(1, 5, segment=2)], [source(1, 1, 9)], policy).takes


class TestPolicyOf:
    def test_reads_what_is_said(self) -> None:
        policy = policy_of(
            {"node_preference": "score, requested, magic", "fair_share": True, "wait_days": -1}
        )
        assert policy.nodes_by == (Criterion.SCORE, Criterion.NAMED)
        assert policy.fair_share
        assert policy.wait_days is None

    def test_nothing_said_is_built_in(self) -> None:
        assert policy_of({}) == Policy()

    def test_the_day_before_the_class(self) -> None:
        policy = policy_of({"order_by": "due,priority,id"})
        wants = [want(1, 5, rank=(1, 9, 1)), want(2, 5, rank=(2, 8, 2))]
        assert taken(planned(wants, [source(1, 1, 5)], policy)) == [(2, 1, 5)]

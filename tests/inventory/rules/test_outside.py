"""inventory/rules/allocation: ways from elsewhere, with modes that the policy bars."""

from dataclasses import replace
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inventory.rules import (
    Affiliation,
    Lane,
    Mode,
    Plan,
    Policy,
    Rejection,
    Source,
    Sources,
    Want,
    Wants,
    plan,
)
from inventory.rules.allocation import Criterion

OWNER, SISTER, PRODUCT = 1, 2, 7
A, B, S = 11, 12, 21  # our nodes, the sister's
LANES = (Lane(B, A, 5, fixed=300), Lane(S, A, 9, fixed=700), Lane(S, B, 7, fixed=900))
BY_SCORE = Policy(nodes_by=(Criterion.SCORE, Criterion.NAMED), lanes=LANES)
SHELF = 1 << Mode.STOCK
MODES = [Mode.INBOUND, Mode.BUY, Mode.DROP_SHIP]


def sister(per_unit: int = 0, product: int = 0) -> Affiliation:
    return Affiliation(SISTER, OWNER, per_unit=per_unit, product=product, moves=True)


@st.composite
def sources(draw: st.DrawFn) -> list[Source]:
    made = []
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["own", "sister", "other"]))
        mode = draw(st.sampled_from(MODES)) if kind == "other" else Mode.STOCK
        node = (
            S
            if kind == "sister"
            else 0
            if mode is Mode.DROP_SHIP
            else draw(st.sampled_from([A, B]))
        )
        made.append(
            Source(
                id=number + 1,
                owner=SISTER if kind == "sister" else OWNER,
                product=PRODUCT,
                node=node,
                steps=draw(st.integers(0, 20_000)),
                mode=mode,
                day=draw(st.integers(0, 40)),
                fixed=draw(st.integers(0, 2_000)),
                per_unit=draw(st.integers(-50, 500)),
            )
        )
    return made


@st.composite
def wants(draw: st.DrawFn) -> list[Want]:
    return [
        Want(
            id=number + 1,
            owner=OWNER,
            product=PRODUCT,
            steps=draw(st.integers(1, 15_000)),
            rank=(draw(st.integers(0, 2)), draw(st.integers(0, 20)), number + 1),
            group=number + 1,
            node=draw(st.sampled_from([None, A, B])),
            only=draw(st.sampled_from([None, frozenset({A}), frozenset({A, B})])),
            weight=draw(st.integers(0, 300)),
            barred=SHELF | draw(st.integers(0, 127)),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


def made_of(lines: list[Want], supplies: list[Source], policy: Policy) -> Plan:
    return plan(Wants.of(lines), Sources.of(supplies), policy)


class TestPlan:
    @given(wants(), sources(), st.sampled_from([None, 0, 3]), st.randoms(use_true_random=False))
    @settings(max_examples=150, deadline=None)
    def test_never_gives_more_than_there_is_whatever_the_order(
        self, lines: list[Want], supplies: list[Source], wait: int | None, random: Random
    ) -> None:
        policy = replace(BY_SCORE, affiliations=(sister(40),), wait_days=wait)
        made = made_of(lines, supplies, policy)

        asked = {line.id: line for line in lines}
        spent, got = dict.fromkeys(range(1, 8), 0), dict.fromkeys(asked, 0)
        for take in made.takes():
            spent[take.supply] += take.spent
            got[take.want] += take.steps
            assert not asked[take.want].barred >> take.mode & 1
            only = asked[take.want].only
            assert only is None or take.node in only
        assert all(spent[each.id] <= each.steps for each in supplies)
        assert all(got[each.id] <= each.steps for each in lines)

        shuffled = random.sample(lines, len(lines)), random.sample(supplies, len(supplies))
        assert sorted(made_of(*shuffled, policy).takes()) == sorted(made.takes())

    def test_takes_what_scores_least_and_says_what_each_comes_to(self) -> None:
        line = Want(id=1, owner=OWNER, product=PRODUCT, steps=10_000, rank=(1, 4, 1), group=1,
                    weight=20, barred=SHELF)  # fmt: skip
        supplies = [
            Source(1, SISTER, PRODUCT, S, 30_000),
            Source(2, OWNER, PRODUCT, A, 30_000, mode=Mode.BUY, day=14, per_unit=60),
        ]

        made = made_of([line], supplies, replace(BY_SCORE, affiliations=(sister(5),)))

        (verdict,) = made.verdicts()
        scores = made.scores.tolist()
        found = {
            (each.mode, each.node): (score, each.taken, each.rejected)
            for each, score in zip(verdict.candidates, scores, strict=True)
        }
        assert found == {
            # five days late at 200 a day, the lane, five a piece
            (Mode.AFFILIATE, A): (5 * 200 + 700 + 50, 0, Rejection.NOT_NEEDED),
            (Mode.AFFILIATE, B): (3 * 200 + 900 + 50, 10_000, None),
            (Mode.BUY, A): (10 * 200 + 600, 0, Rejection.NOT_NEEDED),
        }

    def test_names_what_the_policy_bars_and_takes_the_next(self) -> None:
        line = Want(id=1, owner=OWNER, product=PRODUCT, steps=10_000, rank=(1, 4, 1), group=1,
                    barred=SHELF | 1 << Mode.AFFILIATE)  # fmt: skip
        supplies = [
            Source(1, SISTER, PRODUCT, S, 30_000),
            Source(2, OWNER, PRODUCT, A, 30_000, mode=Mode.BUY, per_unit=500),
        ]

        made = made_of([line], supplies, replace(BY_SCORE, affiliations=(sister(),)))

        said = {each.mode: each.rejected for each in made.verdicts()[0].candidates}
        assert said == {Mode.AFFILIATE: Rejection.POLICY, Mode.BUY: None}
        assert np.array_equal(made.given, [10_000])

    def test_a_price_is_that_of_one_product(self) -> None:
        line = Want(id=1, owner=OWNER, product=PRODUCT, steps=10_000, rank=(1, 4, 1), group=1,
                    barred=SHELF)  # fmt: skip
        supplies = [Source(1, SISTER, PRODUCT, S, 30_000)]

        made = made_of([line], supplies, replace(BY_SCORE, affiliations=(sister(5, product=8),)))

        assert not made.takes()

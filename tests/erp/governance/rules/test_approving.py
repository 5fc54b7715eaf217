"""erp/governance/rules/approving.py: steps out of a table, and what follows a decision."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.governance.rules.approving import (
    Asked,
    Candidate,
    Plan,
    Standing,
    plan_of,
    rank_of,
    what_follows,
    why_stranded,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
NAMES = ("step", "permission", "role", "rule", "hours", "on_expiry", "escalate_to")


def row(step: int, role: str = "", permission: str = "", **values: Any) -> tuple[Any, ...]:
    told = {"rule": "all", "hours": 0, "on_expiry": "void", "escalate_to": ""} | values
    return (step, permission, role, *(told[name] for name in NAMES[3:]))


def plan(*rows: tuple[Any, ...]) -> Plan:
    columns = zip(*rows, strict=True) if rows else ([] for _ in NAMES)
    outcome = {name: list(column) for name, column in zip(NAMES, columns, strict=True)}
    return plan_of(outcome, permission="p.ask", role="buyer")


class TestPlanOf:
    def test_no_row_leaves_it_to_the_caller(self) -> None:
        assert plan() == Plan((Asked(1, "p.ask", "buyer"),))

    def test_step_nought_alone_needs_nobody(self) -> None:
        assert plan(row(0)) == Plan(is_automatic=True)

    def test_step_nought_beside_another_counts_for_nothing(self) -> None:
        assert plan(row(0), row(1, "controller")) == Plan((Asked(1, "", "controller"),))

    def test_a_row_that_names_nobody_means_the_caller_s(self) -> None:
        assert plan(row(2, "ceo"), row(1)).steps == (
            Asked(1, "p.ask", "buyer"),
            Asked(2, "", "ceo"),
        )

    def test_the_same_people_at_the_same_step_are_asked_once_in_the_shorter_time(self) -> None:
        steps = plan(row(1, "a", hours=8), row(1, "a", hours=0), row(1, "a", hours=4)).steps

        assert [(step.role, step.hours) for step in steps] == [("a", 4)]

    def test_one_row_with_any_makes_it_the_rule_of_the_number(self) -> None:
        steps = plan(row(1, "a", rule="any"), row(1, "b"), row(2, "c")).steps

        assert [(step.role, step.rule) for step in steps] == [
            ("a", "any"),
            ("b", "any"),
            ("c", "all"),
        ]

    def test_escalating_to_nobody_is_ending(self) -> None:
        assert plan(row(1, "a", on_expiry="escalate")).steps[0].on_expiry == "void"
        escalating = plan(row(1, "a", on_expiry="escalate", escalate_to="b")).steps[0]
        assert (escalating.on_expiry, escalating.escalate_to) == ("escalate", "b")

    @given(
        st.lists(
            st.tuples(st.integers(0, 4), st.sampled_from(["", "a", "b"]), st.integers(-1, 9)),
            max_size=12,
        )
    )
    def test_whatever_the_table_says_there_is_somebody_or_nobody_need_agree(
        self, drawn: list[tuple[int, str, int]]
    ) -> None:
        found = plan(*(row(step, role, hours=hours) for step, role, hours in drawn))

        people = [(step.number, step.permission, step.role) for step in found.steps]
        assert bool(people) is not found.is_automatic
        assert people == sorted(set(people))
        assert all(permission or role for _number, permission, role in people)
        assert all(step.hours >= 0 for step in found.steps)


def steps(*drawn: str) -> list[Standing]:
    """Read "1 all open": number, rule, state."""
    read = [text.split() for text in drawn]
    return [Standing(i, int(number), rule, state) for i, (number, rule, state) in enumerate(read)]


class TestWhatFollows:
    def test_the_first_number_opens_first(self) -> None:
        following = what_follows(steps("2 all waiting", "1 all waiting", "1 all waiting"))

        assert (following.state, following.open) == ("pending", (1, 2))

    def test_the_second_waits_until_all_of_the_first_agreed(self) -> None:
        half = what_follows(steps("1 all approved", "1 all open", "2 all waiting"))
        whole = what_follows(steps("1 all approved", "1 all approved", "2 all waiting"))

        assert (half.state, half.open) == ("pending", ())
        assert (whole.state, whole.open) == ("pending", (2,))

    def test_one_is_enough_where_the_table_says_so(self) -> None:
        following = what_follows(steps("1 any approved", "1 any open", "2 all waiting"))

        assert (following.open, following.skip) == ((2,), (1,))

    def test_the_last_agreement_approves(self) -> None:
        assert what_follows(steps("1 all approved", "2 all approved")).state == "approved"
        last = what_follows(steps("1 any approved", "1 any open"))
        assert (last.state, last.skip) == ("approved", (1,))

    def test_one_refusal_ends_it(self) -> None:
        following = what_follows(steps("1 any approved", "1 any rejected", "2 all waiting"))

        assert (following.state, following.open, following.skip) == ("rejected", (), (2,))

    @given(
        st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=6),
        st.randoms(use_true_random=False),
    )
    def test_agreeing_to_whatever_is_open_always_ends_in_approval(
        self, drawn: list[tuple[int, bool]], chance: Any
    ) -> None:
        anys = {number for number, is_any in drawn if is_any}
        rules = {number: "any" if number in anys else "all" for number, _ in drawn}
        states = dict.fromkeys(range(len(drawn)), "waiting")
        opened: list[int] = []
        for _turn in range(3 * len(drawn) + 1):
            standing = [
                Standing(i, number, rules[number], states[i]) for i, (number, _) in enumerate(drawn)
            ]
            following = what_follows(standing)
            states |= dict.fromkeys(following.open, "open") | dict.fromkeys(
                following.skip, "skipped"
            )
            opened += following.open
            if following.state == "approved":
                break
            still = [i for i, state in states.items() if state == "open"]
            states[chance.choice(still)] = "approved"

        assert following.state == "approved"
        numbers = [drawn[i][0] for i in opened]
        assert numbers == sorted(numbers)  # nobody is asked before the number below is done
        for number, rule in rules.items():
            agreed = [states[i] for i, (n, _) in enumerate(drawn) if n == number]
            assert "approved" in agreed
            assert rule == "any" or set(agreed) == {"approved"}

    def test_the_order_of_the_rows_does_not_matter(self) -> None:
        drawn = steps("1 all approved", "2 any open", "2 any waiting", "3 all waiting")

        answers = {what_follows(list(order)).open for order in permutations(drawn)}

        assert answers == {(2,)}


class TestRankOf:
    @pytest.mark.parametrize(("hours", "rank"), [(0, "100"), (24, "200"), (36, "250"), (-5, "100")])
    def test_is_the_money_and_as_much_again_a_day(self, hours: int, rank: str) -> None:
        since = NOW - timedelta(hours=hours)
        assert rank_of(weight=Decimal(100), since=since, now=NOW) == Decimal(rank)

    @given(
        st.decimals(-(10**12), 10**12, places=4),
        st.integers(0, 10_000),
        st.integers(1, 10_000),
    )
    def test_waiting_longer_never_lowers_it(self, weight: Decimal, hours: int, more: int) -> None:
        first = rank_of(weight=weight, since=NOW - timedelta(hours=hours), now=NOW)
        later = rank_of(weight=weight, since=NOW - timedelta(hours=hours + more), now=NOW)

        assert 0 < first < later


class TestWhyStranded:
    def test_names_the_reason(self) -> None:
        fit = Candidate(is_unfit=False, is_away=False)
        unfit = Candidate(is_unfit=True, is_away=False)
        away = Candidate(is_unfit=False, is_away=True)

        assert why_stranded([fit, unfit], who="Credit") == ""
        assert why_stranded([], who="Credit") == "Nobody holds what it asks for: Credit."
        assert why_stranded([unfit], who="Credit").startswith("Only those who took part")
        assert why_stranded([unfit, away], who="Credit").startswith("Everybody who could")

"""erp/governance/rules/checking.py: what keeps a table from becoming active."""

import pytest

from erp.governance.rules import Schema, Traits, lint, problems_of

SCHEMA = Schema(fields={"n": "number", "m": "number", "t": "text", "f": "flag"}, outcomes={})


def table(*whens: list, hit: str = "first", closed: bool = True) -> dict:
    rows = [{"when": when, "then": {}} for when in whens]
    return {"hit": hit, "rows": [*rows, {"when": [], "then": {}}] if closed else rows}


def rows_with_problems(raw: dict) -> list[int | None]:
    return [problem.row for problem in problems_of(raw, SCHEMA)]


class TestProblemsOf:
    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            ([["n", ">", 1]], [["n", ">", 1]]),
            ([["n", ">", 1]], [["t", "=", "A"], ["n", ">", 1]]),
            ([["n", ">", 1]], [["n", ">", 2]]),
            ([["n", ">=", 1]], [["n", ">", 1]]),
            ([["n", "between", [1, 9]]], [["n", "between", [2, 8]]]),
            ([["n", "<=", 9]], [["n", "=", 9]]),
            ([["t", "in", ["A", "B"]]], [["t", "=", "A"]]),
            ([], [["n", ">", 1]]),
        ],
    )
    def test_finds_rows_nobody_reaches(self, earlier: list, later: list) -> None:
        assert 1 in rows_with_problems(table(earlier, later))

    @pytest.mark.parametrize(
        ("earlier", "later"),
        [
            ([["n", ">", 2]], [["n", ">", 1]]),
            ([["n", ">", 1]], [["n", ">=", 1]]),
            ([["n", ">", 1], ["t", "=", "A"]], [["n", ">", 1]]),
            ([["t", "=", "A"]], [["t", "in", ["A", "B"]]]),
            ([["n", "<", {"field": "m"}]], [["n", "<", 5]]),
            ([["n", "≠", 5]], [["n", ">", 1]]),
        ],
    )
    def test_leaves_reachable_rows_alone(self, earlier: list, later: list) -> None:
        assert rows_with_problems(table(earlier, later)) == []

    @pytest.mark.parametrize(
        "when",
        [
            [["n", "<", 1], ["n", ">", 2]],
            [["n", "<", 1], ["n", ">=", 1]],
            [["n", "=", 1], ["n", "=", 2]],
            [["t", "=", "A"], ["t", "in", ["B", "C"]]],
            [["f", "=", True], ["f", "=", False]],
            [["n", "is empty", True], ["n", ">", 1]],
            [["n", "is empty", True], ["n", "is empty", False]],
        ],
    )
    def test_finds_contradictions(self, when: list) -> None:
        assert rows_with_problems(table(when)) == [0]

    def test_wants_an_answer_for_every_case(self) -> None:
        assert rows_with_problems(table([["n", ">", 1]], closed=False)) == [None]
        assert rows_with_problems({"rows": []}) == [None]
        assert rows_with_problems(table([["n", ">", 1]], closed=False, hit="collect")) == []

    def test_finds_twins_among_rows_that_collect(self) -> None:
        twins = table([["n", ">", 1]], [["n", ">", 1]], closed=False, hit="collect")

        assert rows_with_problems(twins) == [1]

    def test_says_why_a_table_cannot_be_read(self) -> None:
        assert problems_of({"rows": [{"when": [["x", "=", 1]], "then": {}}]}, SCHEMA)[0].row == 0


def found_codes(raw: dict, schema: Schema = SCHEMA) -> list[tuple]:
    return [(p.row, p.level, p.code) for p in lint(raw, schema)]


class TestLint:
    def test_several_rows_together_leave_a_later_one_unreached(self) -> None:
        raw = table([["n", "<", 5]], [["n", ">=", 5]], [["n", ">", 1], ["f", "=", True]])

        assert (2, "error", "unreachable") in found_codes(raw)

    def test_rows_without_a_last_one_may_still_cover_everything(self) -> None:
        raw = table([["n", "<", 5]], [["n", ">=", 5]], [["n", "empty", True]], closed=False)

        assert found_codes(raw) == []

    def test_facts_compared_with_facts_may_cover_everything(self) -> None:
        more, rest = ["n", ">", {"field": "m"}], ["n", "<=", {"field": "m"}]
        empty = [[[name, "empty", True]] for name in "nm"]

        assert found_codes(table([more], [rest], *empty, closed=False)) == []
        (gap,) = lint(table([more], [rest], empty[0], closed=False), SCHEMA)
        assert (gap.code, gap.example["m"]) == ("gap", None)

    def test_the_same_conditions_with_other_outcomes_contradict(self) -> None:
        schema = Schema({"n": "number"}, {"hold": "flag"})
        rows = [{"when": [["n", ">", 1]], "then": {"hold": hold}} for hold in (True, False)]
        raw = {"rows": [*rows, {"when": [], "then": {"hold": False}}]}

        assert found_codes(raw, schema) == [(1, "error", "contradiction")]
        assert found_codes({"hit": "collect", "rows": rows}, schema) == [
            (1, "error", "contradiction")
        ]

    def test_an_overlap_only_warns_and_shows_a_case(self) -> None:
        schema = Schema({"n": "number", "f": "flag"}, {"o": "number"})
        whens = [[["n", ">", 1]], [["f", "=", True]], []]
        raw = {"rows": [{"when": when, "then": {"o": n}} for n, when in enumerate(whens)]}

        (problem,) = lint(raw, schema)

        assert (problem.row, problem.level, problem.code, problem.other) == (
            1, "warning", "overlap", 0,
        )  # fmt: skip
        assert problem.example == {"n": 2, "f": True}

    def test_an_outcome_that_must_agree_is_an_error_wherever_rows_meet(self) -> None:
        schema = Schema({"n": "number"}, {"role": "text"}, Traits(agree=("role",)))
        rows = [
            {"when": [["n", ">", low]], "then": {"role": role}}
            for low, role in ((1, "a"), (5, "b"))
        ]

        assert found_codes({"hit": "collect", "rows": rows}, schema) == [
            (1, "error", "contradiction")
        ]

    def test_names_every_fault_of_every_row(self) -> None:
        schema = Schema({"n": "number"}, {"o": "number"})
        rows = [
            {"when": [["x", "=", 1], ["n", "~", 1]], "then": {"o": "many", "p": 1}},
            {"when": [["n", ["="], 1]], "then": {}},
            "no row",
        ]

        found = [(p.row, p.field) for p in lint({"rows": rows}, schema)]

        assert found == [(0, "x"), (0, "n"), (0, "o"), (0, "p"), (1, "n"), (1, "o"), (2, "")]

    def test_texts_that_the_policy_does_not_know(self) -> None:
        schema = Schema(
            {"t": "text"}, {"o": "text"}, Traits(values={"t": ("A", "B"), "o": ("x", "y")})
        )
        rows = [{"when": [["t", "=", "Z"]], "then": {"o": "x"}}, {"when": [], "then": {"o": "q"}}]

        assert found_codes({"rows": rows}, schema) == [
            (0, "warning", "unknown_value"), (1, "error", "unknown_value"),
        ]  # fmt: skip


class TestChains:
    ROLES = Schema(
        {"role": "text", "big": "flag"}, {"next": "text"},
        Traits(chain={"fact": "role", "next": "next"}),
    )  # fmt: skip

    def hands(self, *steps: tuple[list, str]) -> dict:
        return {"rows": [{"when": when, "then": {"next": to}} for when, to in steps]}

    def test_roles_that_hand_it_round_are_an_error(self) -> None:
        raw = self.hands(
            ([["role", "=", "a"]], "b"), ([["role", "=", "b"]], "c"), ([["role", "=", "c"]], "a"),
            ([], ""),
        )  # fmt: skip

        (problem,) = [p for p in lint(raw, self.ROLES) if p.code == "loop"]

        assert problem.level == "error"
        assert "a → b → c → a" in problem.message

    def test_roles_that_end_are_none(self) -> None:
        raw = self.hands(([["role", "=", "a"]], "b"), ([["role", "=", "b"]], "c"), ([], ""))

        assert found_codes(raw, self.ROLES) == []

    def test_two_ways_that_no_case_goes_together_are_none(self) -> None:
        raw = self.hands(
            ([["role", "=", "a"], ["big", "=", True]], "b"),
            ([["role", "=", "b"], ["big", "=", False]], "a"),
            ([], ""),
        )

        assert found_codes(raw, self.ROLES) == []

    @pytest.mark.parametrize(("last", "codes"), [(0, []), (60, ["loop"])])
    def test_a_level_must_end_some_time(self, last: int, codes: list[str]) -> None:
        schema = Schema(
            {"level": "number"},
            {"again": "number"},
            Traits(chain={"level": "level", "next": "again"}),
        )
        rows = [
            {"when": [["level", "<=", 2]], "then": {"again": 30}},
            {"when": [], "then": {"again": last}},
        ]

        assert [p.code for p in lint({"rows": rows}, schema)] == codes

"""erp/governance/rules/checking.py: what keeps a table from becoming active."""

import pytest

from erp.governance.rules import Schema, problems_of

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

"""erp/governance/rules/cells.py: which cases a row holds for."""

from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from erp.governance.rules import Schema, compile_table, read_table
from erp.governance.rules.cells import Space
from erp.governance.rules.checking import lint

SCHEMA = Schema({"n": "number", "t": "text", "f": "flag"}, {"o": "number"})
NUMBERS = [None, -1, 0, Decimal("0.5"), 1, Decimal("1.5"), 2, 3, 4]
CASES = [
    {"n": n, "t": t, "f": f}
    for n, t, f in product(NUMBERS, [None, "a", "b", "z"], [None, True, False])
]

conditions = st.one_of(
    st.tuples(st.just("n"), st.sampled_from(["=", "≠", "<", "≤", ">", "≥"]), st.integers(0, 3)),
    st.tuples(st.just("n"), st.just("between"), st.sampled_from([[0, 1], [1, 3], [2, 2]])),
    st.tuples(st.just("n"), st.just("in"), st.sampled_from([[0], [1, 3]])),
    st.tuples(st.just("t"), st.sampled_from(["=", "≠"]), st.sampled_from(["a", "b"])),
    st.tuples(st.just("f"), st.just("="), st.booleans()),
    st.tuples(st.sampled_from(["n", "t", "f"]), st.just("is empty"), st.booleans()),
)
rows = st.lists(st.lists(conditions, max_size=3), min_size=1, max_size=5)


def table(whens: list[list[Any]]) -> dict[str, Any]:
    return {
        "rows": [
            {"when": [list(c) for c in when], "then": {"o": n}} for n, when in enumerate(whens)
        ]
    }


class TestSpace:
    @settings(max_examples=150, deadline=None)
    @given(rows)
    def test_finds_exactly_the_rows_that_some_case_reaches(self, whens: list) -> None:
        read = read_table(table(whens), SCHEMA)
        reached = {answer[0] for answer in compile_table(read).answers(CASES) if answer}
        space = Space(read.rows, SCHEMA)
        boxes = [space.box(row) for row in read.rows]

        said = {
            number
            for number, box in enumerate(boxes)
            if box is not None
            and space.beyond(box, [b for b in boxes[:number] if b is not None]) is not None
        }

        assert said == reached

    @settings(max_examples=150, deadline=None)
    @given(rows)
    def test_finds_a_gap_exactly_where_some_case_is_left(self, whens: list) -> None:
        read = read_table(table(whens), SCHEMA)
        is_left = () in compile_table(read).answers(CASES)

        said = [problem for problem in lint(table(whens), SCHEMA) if problem.code == "gap"]

        assert bool(said) is is_left
        for problem in said:
            known = {name: value for name, value in problem.example.items() if value is not None}
            assert compile_table(read).answers([known]) == [()]

"""erp/governance/rules/editing.py: a table as a form and back."""

from typing import Any

import pytest

from erp.governance.rules import Schema, Traits
from erp.governance.rules.editing import after, fields_of, table_from

SCHEMA = Schema(
    {"n": "number", "m": "number", "t": "text", "k": "text", "f": "flag", "d": "date"},
    {"hold": "flag", "why": "text", "mins": "number", "role": "text"},
    Traits(values={"k": ("A", "B"), "role": ("", "credit")}),
)
THEN = {"hold": True, "why": "x", "mins": 0, "role": "credit"}
TABLE: dict[str, Any] = {
    "hit": "first",
    "rows": [
        {
            "when": [
                ["n", "≥", "0.05"], ["n", "between", [1, 9]],
                ["n", ">", {"field": "m", "times": "1.1"}], ["t", "in", ["a", "b"]],
                ["k", "=", "A"], ["k", "in", ["A", "Z"]], ["f", "=", False],
                ["d", "<", "2026-01-01"], ["m", "is empty", True], ["n", "≤", {"field": "m"}],
            ],
            "then": THEN,
        },
        {"when": [], "then": {"hold": None, "why": "", "mins": None, "role": ""}},
    ],
}  # fmt: skip


def form_of(table: dict[str, Any]) -> dict[str, list[str]]:
    """Fill the form as a browser does."""
    form: dict[str, list[str]] = {"hit": [table["hit"]], "rows": [str(len(table["rows"]))]}
    for r, row in enumerate(fields_of(table, SCHEMA)):
        form[f"r{r}n"] = [str(len(row.conditions))]
        for c, field in enumerate(row.conditions):
            name = f"r{r}c{c}"
            form |= {f"{name}f": [field.fact], f"{name}o": [field.operator]}
            if field.shape == "fact":
                form |= {f"{name}x": [field.value], f"{name}t": [field.times]}
            else:
                chosen = list(field.chosen) if field.shape == "choices" else [field.value]
                form |= {f"{name}v": chosen, f"{name}w": [field.upper]}
        for outcome in row.outcomes:
            form[f"r{r}t-{outcome.name}"] = [outcome.value]
    return form


def read(form: dict[str, list[str]]) -> dict[str, Any]:
    return table_from(
        lambda name: form.get(name, [""])[-1], lambda name: form.get(name, []), SCHEMA
    )


class TestTableFrom:
    def test_a_table_that_nobody_touched_stays_as_it_was(self) -> None:
        assert read(form_of(TABLE)) == TABLE

    def test_nonsense_is_left_for_lint(self) -> None:
        form = {"rows": ["1"], "r0n": ["1"], "r0c0f": ["n"], "r0c0o": ["~"], "r0c0v": ["many"]}

        assert read(form)["rows"][0]["when"] == [["n", "=", "many"]]
        assert read({"rows": ["9" * 40]})["rows"] == []


class TestAfter:
    @pytest.mark.parametrize(
        ("command", "order", "row"),
        [
            ("up:1", "bac", 0), ("up:0", "abc", 0), ("down:1", "acb", 2), ("down:2", "abc", 2),
            ("copy:0", "aabc", 1), ("drop:2", "ab", 1), ("drop:9", "abc", 0), ("x", "abc", 2),
            ("up:99999999", "abc", 0),
        ],
    )  # fmt: skip
    def test_moves_copies_and_drops(self, command: str, order: str, row: int) -> None:
        rows = [{"when": [["t", "=", name]], "then": THEN} for name in "abc"]

        table, at = after({"hit": "first", "rows": rows}, command, SCHEMA)

        assert "".join(each["when"][0][2] for each in table["rows"]) == order
        assert at == row
        assert len(rows) == 3

    def test_adds_rows_and_conditions(self) -> None:
        table, at = after(TABLE, "add:0", SCHEMA)
        table, _ = after(table, f"more:{at}", SCHEMA)

        assert (at, len(table["rows"]), table["rows"][1]["when"]) == (1, 3, [["n", "=", None]])
        assert after(table, "less:1:0", SCHEMA)[0]["rows"][1]["when"] == []
        assert table["rows"][1]["then"] == {"hold": False, "why": "", "mins": None, "role": ""}

"""erp/governance/rules/comparing.py: what differs between two tables."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from erp.governance.rules import compare, differing


def row(n: int, **then: object) -> dict[str, Any]:
    return {"when": [["n", ">", n]], "then": {"hold": True, **then}}


def table(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"hit": "first", "rows": list(rows)}


def told(before: dict, after: dict) -> list[tuple]:
    return [(c.kind, c.before, c.after) for c in differing(compare(before, after))]


class TestCompare:
    def test_a_table_does_not_differ_from_itself(self) -> None:
        assert told(table(row(1), row(2)), table(row(1), row(2))) == []

    def test_tells_added_removed_moved_and_changed_rows(self) -> None:
        one, two, three = row(1), row(2), row(3)

        assert told(table(one), table(one, two)) == [("added", None, 1)]
        assert told(table(one, two), table(two)) == [("removed", 0, None)]
        assert told(table(one, two, three), table(three, one, two)) == [("moved", 2, 0)]
        assert told(table(one, two, three), table(one, row(2, hold=False), three)) == [
            ("changed", 1, 1)
        ]

    def test_names_the_fields_of_a_changed_row(self) -> None:
        before = table(
            {"when": [["n", ">", 1], ["t", "=", "A"]], "then": {"hold": True, "why": ""}}
        )
        after = table(
            {"when": [["n", ">", 2], ["t", "=", "A"]], "then": {"hold": True, "why": "x"}}
        )

        (change,) = differing(compare(before, after))

        assert (change.kind, change.fields) == ("changed", ("n", "why"))

    @given(st.lists(st.integers(0, 4), max_size=6), st.lists(st.integers(0, 4), max_size=6))
    def test_tells_of_every_row_once(self, old: list[int], new: list[int]) -> None:
        found = compare(table(*map(row, old)), table(*map(row, new)))

        assert sorted(c.before for c in found if c.before is not None) == list(range(len(old)))
        assert [c.after for c in found if c.after is not None] == list(range(len(new)))

"""erp/governance/rules/tables.py: the form of a decision table."""

from datetime import date
from decimal import Decimal

import pytest

from erp.governance.rules import BadTable, Reference, Schema, read_table

SCHEMA = Schema(
    fields={"amount": "number", "limit": "number", "tier": "text", "held": "flag", "on": "date"},
    outcomes={"hold": "flag", "why": "text"},
)
THEN = {"hold": True, "why": ""}


def one(*condition: object) -> dict:
    return {"rows": [{"when": [list(condition)], "then": THEN}]}


class TestReadTable:
    def test_reads_every_type(self) -> None:
        table = read_table(
            {
                "rows": [
                    {
                        "when": [
                            ["amount", ">=", "1000.10"],
                            ["amount", "<=", {"field": "limit", "times": "1.1"}],
                            ["tier", "in", ["A", "B"]],
                            ["held", "=", False],
                            ["on", "between", ["2026-01-01", "2026-12-31"]],
                            ["limit", "empty", False],
                        ],
                        "then": THEN,
                    }
                ]
            },
            SCHEMA,
        )

        conditions = table.rows[0].when
        assert conditions[0].operand == Decimal("1000.10")
        assert conditions[1].operand == Reference("limit", Decimal("1.1"))
        assert conditions[4].operand == (date(2026, 1, 1), date(2026, 12, 31))
        assert table.used == frozenset(SCHEMA.fields)

    def test_what_is_written_reads_as_the_same(self) -> None:
        raw = {
            "hit": "collect",
            "rows": [
                {"when": [["amount", "!=", {"field": "limit"}]], "then": THEN},
                {"when": [["on", "<", date(2026, 1, 1)]], "then": {"hold": False, "why": None}},
            ],
        }

        table = read_table(raw, SCHEMA)

        assert read_table(table.written(), SCHEMA) == table

    @pytest.mark.parametrize(
        ("raw", "said"),
        [
            ([], "hit policy and rows"),
            ({"rows": [], "more": 1}, "no more"),
            ({"rows": [], "hit": "best"}, "first or collect"),
            ({"rows": [{"when": []}]}, "conditions"),
            ({"rows": [{"when": {}, "then": THEN}]}, "list"),
            ({"rows": [{"when": [["amount", ">"]], "then": THEN}]}, "a fact, an operator"),
            (one("colour", "=", 1), "no fact colour"),
            (one("amount", "~", 1), "no operator"),
            (one("amount", ">", 0.5), "not a number"),
            (one("amount", ">", date(2026, 1, 1)), "not a number"),
            (one("amount", ">", "NaN"), "not a number"),
            (one("amount", ">", "Infinity"), "not a number"),
            (one("amount", ">", "1e30"), "not a number"),
            (one("amount", "in", []), "list of values"),
            (one("amount", "between", [2, 1]), "lower and an upper"),
            (one("amount", ">", {"field": "tier"}), "tier is a text"),
            (one("amount", ">", {"field": "nothing"}), "no fact nothing"),
            (one("amount", ">", {"times": 2}), "by its name"),
            (one("tier", ">", "A"), "cannot be compared"),
            (one("tier", "=", 1), "not a text"),
            (one("tier", "=", "a\0b"), "not a text"),
            (one("held", "≠", 1), "cannot be compared"),
            (one("on", "=", "yesterday"), "not a date"),
            (one("on", "=", {"field": "on", "times": 2}), "cannot be multiplied"),
            ({"rows": [{"when": [], "then": {"hold": True}}]}, "why is missing"),
            ({"rows": [{"when": [], "then": {**THEN, "x": 1}}]}, "no outcome x"),
            ({"rows": [{"when": [], "then": {**THEN, "hold": "yes"}}]}, "not a flag"),
        ],
    )
    def test_says_what_is_wrong(self, raw: object, said: str) -> None:
        with pytest.raises(BadTable, match=said):
            read_table(raw, SCHEMA)

    def test_names_the_row(self) -> None:
        raw = {"rows": [{"when": [], "then": THEN}, *one("colour", "=", 1)["rows"]]}

        with pytest.raises(BadTable) as refused:
            read_table(raw, SCHEMA)

        assert refused.value.row == 1

"""erp/governance/rules/evaluating.py: many cases at once, each answered as if alone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.governance.rules import (
    Condition,
    Hit,
    Reference,
    Row,
    Schema,
    Table,
    WrongFacts,
    compile_table,
    read_table,
)

SCHEMA = Schema(
    fields={"a": "number", "b": "number", "t": "text", "f": "flag", "d": "date"},
    outcomes={"n": "number"},
)
numbers = st.one_of(
    st.integers(-5, 5), st.decimals(-5, 5, places=2), st.sampled_from([Decimal("0.1"), 1])
)
texts = st.sampled_from(["", "A", "B", "C"])
days = st.dates(date(2026, 1, 1), date(2026, 1, 10))
VALUES = {"a": numbers, "b": numbers, "t": texts, "f": st.booleans(), "d": days}
cases = st.fixed_dictionaries(
    {}, optional={name: st.none() | values for name, values in VALUES.items()}
)


@st.composite
def conditions(draw: Any) -> Condition:
    name = draw(st.sampled_from(list(VALUES)))
    values = VALUES[name]
    if draw(st.integers(0, 9)) == 0:
        return Condition(name, "is empty", draw(st.booleans()))
    if name == "f":
        return Condition(name, "=", draw(values))
    if name == "t":
        return draw(
            st.builds(Condition, st.just(name), st.sampled_from(["=", "≠"]), values)
            | st.builds(Condition, st.just(name), st.just("in"), st.tuples(values, values))
        )
    operator = draw(st.sampled_from(["=", "≠", "<", "≤", ">", "≥", "in", "between"]))
    if operator in {"in", "between"}:
        return Condition(name, operator, tuple(sorted(draw(st.tuples(values, values)))))
    if name in {"a", "b"} and draw(st.booleans()):
        other = "b" if name == "a" else "a"
        return Condition(
            name, operator, Reference(other, draw(st.sampled_from([Decimal(1), Decimal("1.1")])))
        )
    return Condition(name, operator, draw(values))


tables = st.builds(
    lambda whens, hit: Table(
        SCHEMA,
        tuple(Row(tuple(when), {"n": n}) for n, when in enumerate(whens)),
        hit,
        frozenset(VALUES),
    ),
    st.lists(st.lists(conditions(), max_size=3), max_size=6),
    st.sampled_from(list(Hit)),
)


def holds(condition: Condition, case: Mapping[str, Any]) -> bool:
    """Read one condition plainly: the definition the engine is measured by."""
    value, operand = case.get(condition.field), condition.operand
    if condition.operator == "is empty":
        return (value is None) == operand
    if value is None:
        return False
    if condition.operator == "in":
        return any(value == each for each in operand)
    if condition.operator == "between":
        return operand[0] <= value <= operand[1]
    if isinstance(operand, Reference):
        other = case.get(operand.field)
        if other is None:
            return False
        operand = other * operand.times
    return {
        "=": value == operand,
        "≠": value != operand,
        "<": condition.operator in "<≤" and value < operand,
        "≤": condition.operator in "<≤" and value <= operand,
        ">": condition.operator in ">≥" and value > operand,
        "≥": condition.operator in ">≥" and value >= operand,
    }[condition.operator]


def plainly(table: Table, case: Mapping[str, Any]) -> tuple[int, ...]:
    held = [n for n, row in enumerate(table.rows) if all(holds(c, case) for c in row.when)]
    return tuple(held if table.hit is Hit.COLLECT else held[:1])


class TestAnswers:
    @settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
    @given(tables, st.lists(cases, max_size=8))
    def test_are_those_of_the_plain_reading(self, table: Table, found: list) -> None:
        assert compile_table(table).answers(found) == [plainly(table, case) for case in found]

    @settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
    @given(tables, st.lists(cases, max_size=8))
    def test_many_are_as_one_by_one(self, table: Table, found: list) -> None:
        compiled = compile_table(table)

        assert compiled.answers(found) == [compiled.answers([case])[0] for case in found]

    def test_exactly_at_the_limit_is_not_over_it(self) -> None:
        raw = {
            "rows": [
                {"when": [["a", ">", {"field": "b"}]], "then": {"n": 1}},
                {"when": [], "then": {"n": 0}},
            ]
        }
        compiled = compile_table(read_table(raw, SCHEMA))

        answers = compiled.answers(
            [
                {"a": Decimal("1000.00"), "b": Decimal(1000)},
                {"a": Decimal("1000.01"), "b": Decimal(1000)},
                {"a": Decimal("0.1") + Decimal("0.2"), "b": Decimal("0.3")},
            ]
        )

        assert answers == [(1,), (0,), (1,)]

    @pytest.mark.parametrize(
        "case",
        [
            {"a": 1.5},
            {"a": True},
            {"a": "1"},
            {"a": Decimal("NaN")},
            {"f": 1},
            {"t": 1},
            {"d": datetime(2026, 1, 1, tzinfo=UTC)},
            {"typo": 1},
        ],
    )
    def test_refuses_facts_of_another_kind(self, case: dict) -> None:
        row = {
            "when": [[n, "is empty", False] for n in SCHEMA.fields],
            "then": {"n": 1},
        }

        with pytest.raises(WrongFacts):
            compile_table(read_table({"rows": [row]}, SCHEMA)).answers([{}, case])

    def test_answers_many_a_second(self) -> None:
        raw = {
            "rows": [
                {"when": [["t", "=", "A"], ["a", ">", n]], "then": {"n": n}}
                for n in range(20, 10, -1)
            ]
            + [{"when": [], "then": {"n": 0}}]
        }
        compiled = compile_table(read_table(raw, SCHEMA))
        found = [{"t": "AB"[n % 2], "a": Decimal(n % 30)} for n in range(50_000)]

        began = perf_counter()
        compiled.answers(found)

        assert len(found) / (perf_counter() - began) > 50_000  # far below what a quiet machine does

"""Answers many cases at once: a table becomes one filter a condition, run column by column."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from erp.governance.rules.tables import Condition, Fact, Hit, Reference, Table

Columns = Mapping[str, Sequence[Any]]
Filter = Callable[[Columns, Sequence[int]], Sequence[int]]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "≠": ne, "<": lt, "≤": le, ">": gt, "≥": ge,
}  # fmt: skip
KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, Decimal), "text": (str,), "flag": (bool,), "date": (date,),
}  # fmt: skip
NOTHING = type(None)


class WrongFacts(ValueError):
    """The code that asks gave a fact the policy does not know, or one of another type: a bug."""


class CompiledTable:
    """A table made ready to answer. Answers are row numbers from zero, in table order."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.used = tuple(sorted(table.used))
        self.outcomes = [dict(row.then) for row in table.rows]
        self._known = frozenset(table.schema.fields)
        self._filters = [[_filter(condition) for condition in row.when] for row in table.rows]

    def answers(self, cases: Sequence[Mapping[str, Fact]]) -> list[tuple[int, ...]]:
        """Return, for each case, the rows that answer it: at most one unless the table collects.

        A fact that a case leaves out is empty.

        Raises:
            WrongFacts: a case has a fact that the policy does not declare, or of another type.
        """
        columns = self._columns(cases)
        everyone: Sequence[int] = range(len(cases))
        if self.table.hit is Hit.COLLECT:
            return self._collect(columns, everyone)
        found: list[tuple[int, ...]] = [()] * len(cases)
        left = everyone
        for number, filters in enumerate(self._filters):
            held = _hold(filters, columns, left)
            if not held:
                continue
            answer = (number,)
            for case in held:
                found[case] = answer
            if len(held) == len(left):
                break
            left = [case for case in left if not found[case]]
        return found

    def _collect(self, columns: Columns, everyone: Sequence[int]) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = [()] * len(everyone)
        for number, filters in enumerate(self._filters):
            for case in _hold(filters, columns, everyone):
                found[case] = (*found[case], number)
        return found

    def _columns(self, cases: Sequence[Mapping[str, Fact]]) -> Columns:
        known = self._known
        if not all(map(known.issuperset, cases)):
            unknown = {name for case in cases for name in case} - known
            raise WrongFacts(f"the policy knows no fact {sorted(unknown)}")
        columns = {name: [case.get(name) for case in cases] for name in self.used}
        for name, column in columns.items():
            _check(name, self.table.schema.fields[name], column)
        return columns


def compile_table(table: Table) -> CompiledTable:
    """Make a table ready to answer many cases at once."""
    return CompiledTable(table)


def _check(name: str, kind: str, column: Sequence[Any]) -> None:
    wanted = KINDS[kind]
    for found in set(map(type, column)):
        if found is NOTHING or found in wanted:
            continue
        if kind != "text" or not issubclass(found, str):  # bool is an int, datetime a date: no
            raise WrongFacts(f"{name} must be a {kind}, not {found.__name__}")
    if kind == "number" and any(value != value for value in column):  # noqa: PLR0124  NaN
        raise WrongFacts(f"{name} must be a number")


def _hold(filters: Sequence[Filter], columns: Columns, cases: Sequence[int]) -> Sequence[int]:
    for keep in filters:
        cases = keep(columns, cases)
        if not cases:
            break
    return cases


def _filter(condition: Condition) -> Filter:
    name, operator, operand = condition.field, condition.operator, condition.operand
    if operator == "is empty":
        return _emptiness(name, wanted=operand is True)
    if operator == "in":
        return _membership(name, frozenset(operand))  # type: ignore[arg-type]
    if operator == "between":
        low, high = operand  # type: ignore[misc, str-unpack]
        return _range(name, low, high)
    if isinstance(operand, Reference):
        return _against_fact(name, COMPARE[operator], operand)
    return _against_value(name, COMPARE[operator], operand)


def _emptiness(name: str, *, wanted: bool) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column = columns[name]
        return [i for i in cases if (column[i] is None) is wanted]

    return keep


def _membership(name: str, values: frozenset[Any]) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column = columns[name]
        return [i for i in cases if column[i] in values]

    return keep


def _range(name: str, low: Any, high: Any) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column = columns[name]
        return [i for i in cases if (v := column[i]) is not None and low <= v <= high]

    return keep


def _against_value(name: str, compare: Callable[[Any, Any], bool], value: Any) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column = columns[name]
        return [i for i in cases if (v := column[i]) is not None and compare(v, value)]

    return keep


def _against_fact(name: str, compare: Callable[[Any, Any], bool], other: Reference) -> Filter:
    times = other.times
    is_scaled = times != 1

    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column, second = columns[name], columns[other.field]
        return [
            i
            for i in cases
            if (v := column[i]) is not None
            and (w := second[i]) is not None
            and compare(v, w * times if is_scaled else w)
        ]

    return keep

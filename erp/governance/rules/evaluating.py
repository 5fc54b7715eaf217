"""Answers many cases at once: a table becomes one filter a condition, run column by column."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import compress, repeat
from operator import eq, ge, gt, itemgetter, le, lt, ne, not_
from typing import Any

from erp.governance.rules.tables import Condition, Fact, Hit, Reference, Table

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "≠": ne, "<": lt, "≤": le, ">": gt, "≥": ge,
}  # fmt: skip
KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, Decimal), "text": (str,), "flag": (bool,), "date": (date,),
}  # fmt: skip
NOTHING = type(None)


@dataclass(frozen=True, slots=True)
class Column:
    """One fact of every case, in order; `has_gaps` where some case leaves it empty."""

    values: Sequence[Any]
    has_gaps: bool

    def of(self, cases: Sequence[int]) -> Iterable[Any]:
        """Return the values of some of the cases, in their order."""
        return (
            self.values if len(cases) == len(self.values) else map(self.values.__getitem__, cases)
        )


Columns = Mapping[str, Column]
Filter = Callable[[Columns, Sequence[int]], Sequence[int]]


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
            left = list(compress(left, map(not_, map(found.__getitem__, left))))
        return found

    def _collect(self, columns: Columns, everyone: Sequence[int]) -> list[tuple[int, ...]]:
        found: list[tuple[int, ...]] = [()] * len(everyone)
        for number, filters in enumerate(self._filters):
            for case in _hold(filters, columns, everyone):
                found[case] = (*found[case], number)
        return found

    def _columns(self, cases: Sequence[Mapping[str, Fact]]) -> Columns:
        known, fields = self._known, self.table.schema.fields
        if not all(map(known.issuperset, cases)):
            unknown = {name for case in cases for name in case} - known
            raise WrongFacts(f"the policy knows no fact {sorted(unknown)}")
        return {name: _column(name, fields[name], cases) for name in self.used}


def compile_table(table: Table) -> CompiledTable:
    """Make a table ready to answer many cases at once."""
    return CompiledTable(table)


def _column(name: str, kind: str, cases: Sequence[Mapping[str, Fact]]) -> Column:
    try:
        values = list(map(itemgetter(name), cases))
    except KeyError:
        values = [case.get(name) for case in cases]
    wanted, types = KINDS[kind], set(map(type, values))
    for found in types:
        if found is NOTHING or found in wanted:
            continue
        if kind != "text" or not issubclass(found, str):  # bool is an int, datetime a date: no
            raise WrongFacts(f"{name} must be a {kind}, not {found.__name__}")
    if Decimal in types and any(map(ne, values, values)):  # NaN
        raise WrongFacts(f"{name} must be a number")
    return Column(values, NOTHING in types)


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
        if not column.has_gaps:
            return () if wanted else cases
        return [i for i, v in zip(cases, column.of(cases), strict=True) if (v is None) is wanted]

    return keep


def _membership(name: str, values: frozenset[Any]) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        return list(compress(cases, map(values.__contains__, columns[name].of(cases))))

    return keep


def _range(name: str, low: Any, high: Any) -> Filter:
    at_least, at_most = _against_value(name, ge, low), _against_value(name, le, high)

    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        return at_most(columns, at_least(columns, cases))

    return keep


def _against_value(name: str, compare: Callable[[Any, Any], bool], value: Any) -> Filter:
    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        column = columns[name]
        if not column.has_gaps:
            return list(compress(cases, map(compare, column.of(cases), repeat(value))))
        return [
            i
            for i, v in zip(cases, column.of(cases), strict=True)
            if v is not None and compare(v, value)
        ]

    return keep


def _against_fact(name: str, compare: Callable[[Any, Any], bool], other: Reference) -> Filter:
    times = other.times
    is_scaled = times != 1

    def keep(columns: Columns, cases: Sequence[int]) -> Sequence[int]:
        pairs = zip(cases, columns[name].of(cases), columns[other.field].of(cases), strict=True)
        return [
            i
            for i, v, w in pairs
            if v is not None and w is not None and compare(v, w * times if is_scaled else w)
        ]

    return keep

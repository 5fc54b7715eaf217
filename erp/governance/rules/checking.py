"""What is wrong with a decision table: rows nobody reaches, cases nobody covers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from erp.governance.rules.tables import BadTable, Condition, Hit, Row, Schema, Table, read_table


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a table must not become active. `row` counts from zero; None is the whole table."""

    row: int | None
    message: str


def problems_of(raw: Any, schema: Schema) -> list[Problem]:
    """Return everything that keeps a table from being activated, in row order."""
    try:
        table = read_table(raw, schema)
    except BadTable as error:
        return [Problem(error.row, str(error))]
    return [*_unreachable(table), *_gaps(table)]


def _unreachable(table: Table) -> Iterator[Problem]:
    for number, row in enumerate(table.rows):
        if (field := contradicting(row)) is not None:
            yield Problem(number, f"No case can meet the conditions on {field}.")
        if table.hit is Hit.FIRST:
            for earlier in range(number):
                if _covers(table.rows[earlier], row):
                    yield Problem(number, f"Row {earlier + 1} already answers every such case.")
                    break
        elif any(_same(table.rows[earlier], row) for earlier in range(number)):
            yield Problem(number, "The same row occurs twice.")


def _gaps(table: Table) -> Iterator[Problem]:
    if table.hit is Hit.FIRST and not (table.rows and not table.rows[-1].when):
        yield Problem(None, "The last row must answer every other case: give it no conditions.")


def _same(one: Row, other: Row) -> bool:
    return set(one.when) == set(other.when) and one.then == other.then


def _covers(earlier: Row, later: Row) -> bool:
    """Test if every case of `later` is one of `earlier`: a narrower condition for each."""
    return all(any(_implies(have, wanted) for have in later.when) for wanted in earlier.when)


def _implies(have: Condition, wanted: Condition) -> bool:
    if have == wanted:
        return True
    if have.field != wanted.field:
        return False
    ours, theirs = _interval(have), _interval(wanted)
    if ours is not None and theirs is not None:
        return _within(ours, theirs)
    chosen, allowed = _choices(have), _choices(wanted)
    return chosen is not None and allowed is not None and chosen <= allowed


@dataclass(frozen=True, slots=True)
class _Interval:
    """From `low` to `high`, None is without end; the flags say whether the bound is left out."""

    low: Any = None
    high: Any = None
    above: bool = False
    below: bool = False


def _interval(condition: Condition) -> _Interval | None:
    operand = condition.operand
    if condition.operator == "between":
        assert isinstance(operand, tuple)
        low, high = operand
        return _Interval(low, high)
    if isinstance(operand, bool) or not isinstance(operand, Decimal | int | date):
        return None
    forms = {
        "=": _Interval(operand, operand),
        ">": _Interval(low=operand, above=True),
        "≥": _Interval(low=operand),
        "<": _Interval(high=operand, below=True),
        "≤": _Interval(high=operand),
    }
    return forms.get(condition.operator)


def _choices(condition: Condition) -> frozenset[Any] | None:
    if condition.operator == "in":
        assert isinstance(condition.operand, tuple)
        return frozenset(condition.operand)
    if condition.operator == "=" and isinstance(condition.operand, str | bool):
        return frozenset([condition.operand])
    return None


def _within(inner: _Interval, outer: _Interval) -> bool:
    low = outer.low is None or (
        inner.low is not None
        and (inner.low > outer.low or (inner.low == outer.low and inner.above >= outer.above))
    )
    high = outer.high is None or (
        inner.high is not None
        and (inner.high < outer.high or (inner.high == outer.high and inner.below >= outer.below))
    )
    return low and high


def contradicting(row: Row) -> str | None:
    """Return the fact on which two conditions of a row exclude one another, if there is one."""
    for position, one in enumerate(row.when):
        for other in row.when[:position]:
            if one.field == other.field and _exclude(one, other):
                return one.field
    return None


def _exclude(one: Condition, other: Condition) -> bool:
    empties = [c.operand is True for c in (one, other) if c.operator == "is empty"]
    if empties:
        both = len(empties) == 2  # noqa: PLR2004
        return empties[0] is not empties[1] if both else empties[0]
    chosen, allowed = _choices(one), _choices(other)
    if chosen is not None and allowed is not None:
        return not chosen & allowed
    ours, theirs = _interval(one), _interval(other)
    if ours is None or theirs is None:
        return False
    return _ends_before(ours, theirs) or _ends_before(theirs, ours)


def _ends_before(one: _Interval, other: _Interval) -> bool:
    if one.high is None or other.low is None:
        return False
    return bool(one.high < other.low or (one.high == other.low and (one.below or other.above)))

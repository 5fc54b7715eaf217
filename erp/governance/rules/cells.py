"""Which cases a row holds for, exactly: conditions as sets of cells, and what is left of them.

The conditions of a table cut each fact's values into finitely many cells (below 5, 5, between 5 and
9, …, empty); within one cell every condition answers alike. A row is then a box: for each fact the
cells it allows, as bits. Whether a case exists that meets one box and none of others is found by
cutting the others out, piece by piece.

A fact compared with another fact is an axis of its own (less, equal, greater, one of them empty),
tied to both facts by their emptiness alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from erp.governance.rules.evaluating import COMPARE
from erp.governance.rules.tables import Condition, Fact, Reference, Row, Schema

Axis = str | tuple[str, str, Decimal]
Box = Mapping[Axis, int]  # allowed cells as bits; an axis that is missing allows all of them
EMPTY = 1  # the first cell of every axis: the fact, or one of the two compared, is empty
ORDERINGS = (None, -1, 0, 1)  # the cells of a comparison of two facts
STEPS_MAX = 100_000
OTHER = "\x00other"  # any text that no condition names


class Undecided(Exception):
    """The table is too large to be looked through."""


@dataclass(slots=True)
class _Steps:
    left: int = STEPS_MAX

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Undecided


class Space:
    """The cells that the conditions of some rows cut the cases into."""

    def __init__(self, rows: Iterable[Row], schema: Schema) -> None:
        self.schema = schema
        self.cells: dict[Axis, tuple[Any, ...]] = {}
        self.steps = _Steps()
        known: dict[str, set[Any]] = {}
        for row in rows:
            for condition in row.when:
                if isinstance(condition.operand, Reference):
                    self.cells[_axis(condition)] = ORDERINGS
                    known.setdefault(condition.operand.field, set())
                    known.setdefault(condition.field, set())
                else:
                    known.setdefault(condition.field, set()).update(_constants(condition))
        for name, constants in known.items():
            allowed = schema.traits.values.get(name, ())
            self.cells[name] = _cells(schema.fields[name], constants, allowed)
        self.pairs = [axis for axis in self.cells if isinstance(axis, tuple)]

    def box(self, row: Row) -> Box | None:
        """Return the cases that a row holds for; None if there are none."""
        box: dict[Axis, int] = {}
        for condition in row.when:
            axis = _axis(condition)
            box[axis] = box.get(axis, self._all(axis)) & self._mask(condition, axis)
        return self._tied(box)

    def meet(self, one: Box, other: Box) -> Box | None:
        """Return the cases that are in both; None if there are none."""
        found = dict(one)
        for axis, mask in other.items():
            found[axis] = found.get(axis, self._all(axis)) & mask
            if not found[axis]:
                return None
        return self._tied(found)

    def covers(self, outer: Box, inner: Box) -> bool:
        """Test if every case of `inner` is one of `outer`."""
        return all(not inner.get(axis, self._all(axis)) & ~mask for axis, mask in outer.items())

    def beyond(self, box: Box, others: Sequence[Box]) -> Box | None:
        """Return some cases of `box` that are in none of `others`; None if there are none.

        Raises:
            Undecided: it would take too long to say.
        """
        self.steps.take()
        for number, other in enumerate(others):
            if self.meet(box, other) is None:
                continue
            rest, inside = others[number + 1 :], dict(box)
            for axis, mask in other.items():
                have = inside.get(axis, self._all(axis))
                if have & ~mask:
                    outside = self._tied({**inside, axis: have & ~mask})
                    found = None if outside is None else self.beyond(outside, rest)
                    if found is not None:
                        return found
                inside[axis] = have & mask
            return None
        return box

    def narrow(self, box: Box, name: str, values: Iterable[Fact]) -> Box | None:
        """Return the cases of `box` in which a fact has one of `values`."""
        cells = self.cells.get(name)
        if cells is None:
            return box
        wanted = set(values)
        mask = sum(1 << n for n, cell in enumerate(cells) if cell in wanted)
        return self.meet(box, {name: mask})

    def example(self, box: Box) -> dict[str, Fact]:
        """Return facts of one case in `box`, as far as it narrows them.

        Two facts that are compared are made to fit where their own cells leave the room.
        """
        found: dict[str, Fact] = {}
        for axis, mask in box.items():
            if isinstance(axis, str):
                found[axis] = self._sample(axis, mask)
        for axis in self.pairs:
            self._relate(axis, box.get(axis, self._all(axis)), box, found)
        return found

    def _relate(self, axis: Any, mask: int, box: Box, found: dict[str, Fact]) -> None:
        name, other, times = axis
        if mask == self._all(axis):
            return
        order = next((c for n, c in enumerate(ORDERINGS) if mask >> n & 1 and c is not None), None)
        if order is None:
            empty = name if box.get(name, self._all(name)) & EMPTY else other
            found[empty] = None
            return
        base = found.get(other)
        if base is None:
            base = self._sample(other, box.get(other, self._all(other)) & ~EMPTY, 100)
            found[other] = base
        if isinstance(base, bool) or not isinstance(base, Decimal | int | date):
            found[name] = base if order == 0 else self._sample(name, self._all(name) & ~EMPTY)
        elif isinstance(base, date):
            found[name] = base + timedelta(days=order)
        else:
            found[name] = base * times + order

    def _sample(self, name: str, mask: int, otherwise: int = 0) -> Fact:
        chosen = [cell for n, cell in enumerate(self.cells[name]) if mask >> n & 1]
        filled = [cell for cell in chosen if cell is not None]
        if not filled:
            return None
        if mask == self._all(name) & ~EMPTY and self.schema.fields[name] == "number" and otherwise:
            return otherwise
        found: Fact = filled[0]
        return "something else" if found == OTHER else found

    def _all(self, axis: Axis) -> int:
        return int((1 << len(self.cells[axis])) - 1)

    def _mask(self, condition: Condition, axis: Axis) -> int:
        if isinstance(axis, tuple):
            compare = COMPARE[condition.operator]
            told = [cell is not None and compare(cell, 0) for cell in ORDERINGS]
        else:
            told = [holds(condition, cell) for cell in self.cells[axis]]
        return sum(1 << n for n, said in enumerate(told) if said)

    def _tied(self, box: dict[Axis, int]) -> Box | None:
        """Return the box, its comparisons tied to the emptiness of their facts; None if empty."""
        for axis in self.pairs:
            if axis not in box:
                continue
            name, other, _ = axis
            if not box[axis] & EMPTY:
                for each in (name, other):
                    box[each] = box.get(each, self._all(each)) & ~EMPTY
            else:
                can = [box.get(each, self._all(each)) & EMPTY for each in (name, other)]
                if not any(can):
                    box[axis] &= ~EMPTY
                if any(box.get(each) == EMPTY for each in (name, other)):
                    box[axis] &= EMPTY
        return box if all(box.values()) else None


def holds(condition: Condition, value: Fact) -> bool:
    """Test if a condition that names no other fact holds for a value of its own."""
    operand = condition.operand
    if condition.operator == "is empty":
        return (value is None) is (operand is True)
    if value is None:
        return False
    if condition.operator == "in":
        return value in operand  # type: ignore[operator]
    if condition.operator == "between":
        low, high = _bounds(operand)
        return bool(low <= value <= high)
    return COMPARE[condition.operator](value, operand)


def _bounds(operand: Any) -> tuple[Any, Any]:
    low, high = operand
    return low, high


def _axis(condition: Condition) -> Axis:
    operand = condition.operand
    if isinstance(operand, Reference):
        return (condition.field, operand.field, operand.times)
    return condition.field


def _constants(condition: Condition) -> Iterable[Any]:
    if condition.operator == "is empty":
        return ()
    operand = condition.operand
    return operand if isinstance(operand, tuple) else (operand,)


def _cells(kind: str, constants: set[Any], allowed: Sequence[str]) -> tuple[Any, ...]:
    """Return a sample of each cell of a fact; None stands for empty."""
    if kind == "flag":
        return (None, True, False)
    if kind == "text":
        rest = [] if allowed else [OTHER]
        return (None, *sorted(constants | set(allowed)), *rest)
    points = sorted(constants)
    if not points:
        return (None, Decimal(0) if kind == "number" else date(2000, 1, 1))
    one: Any = timedelta(days=1) if kind == "date" else 1
    cells: list[Any] = [None, points[0] - one, points[0]]
    for low, high in pairwise(points):
        if kind == "number":
            cells.append(_between(low, high))
        elif high - low > one:
            cells.append(low + one)
        cells.append(high)
    return (*cells, points[-1] + one)


def _between(low: Decimal | int, high: Decimal | int) -> Decimal | int:
    """Return a number between two: a whole one where there is one."""
    whole = int(low // 1) + 1
    return whole if whole < high else (Decimal(low) + Decimal(high)) / 2

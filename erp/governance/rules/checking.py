"""What is wrong with a decision table: rows nobody reaches, contradictions, gaps, loops."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from erp.governance.rules.cells import OTHER, Box, Space, Undecided
from erp.governance.rules.chains import endless
from erp.governance.rules.evaluating import compile_table
from erp.governance.rules.tables import (
    BadTable,
    Condition,
    Fact,
    Hit,
    Row,
    Schema,
    Table,
    faults_of,
    read_table,
)

ERROR, WARNING = "error", "warning"
WARNINGS_MAX = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a table. `row` counts from zero; None is the whole table.

    An error keeps the table from being activated; a warning only informs. `field` names the fact
    or outcome, `other` the row it quarrels with, `example` the facts of a case that shows it.
    """

    row: int | None
    message: str
    level: str = ERROR
    code: str = "unreadable"
    field: str = ""
    other: int | None = None
    example: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def problems_of(raw: Any, schema: Schema) -> list[Problem]:
    """Return everything that keeps a table from being activated, in row order."""
    return [problem for problem in lint(raw, schema) if problem.level == ERROR]


def lint(raw: Any, schema: Schema) -> list[Problem]:
    """Return every error and warning of a table, in row order.

    A table that cannot be read has only the faults that keep it from being read.
    """
    if faults := list(faults_of(raw, schema)):
        return [Problem(fault.row, str(fault), field=fault.field) for fault in faults]
    try:
        table = read_table(raw, schema)
    except BadTable as error:
        return [Problem(error.row, str(error), field=error.field)]
    found = [*_values(table)]
    space = Space(table.rows, schema)
    try:
        found += _quarrels(table, space)
    except Undecided:
        said = "The table is too large to be looked through for gaps and overlaps."
        found.append(Problem(None, said, WARNING, "undecided"))
    return sorted(found, key=lambda each: -1 if each.row is None else each.row)


def _quarrels(table: Table, space: Space) -> Iterator[Problem]:
    boxes = [space.box(row) for row in table.rows]
    for number, row in enumerate(table.rows):
        if boxes[number] is None:
            said = f"No case can meet the conditions on {impossible(row, space)}."
            yield Problem(number, said, code="impossible")
    if table.hit is Hit.FIRST:
        dead = dict(_unreached(table, space, boxes))
        yield from dead.values()
        yield from _overlaps(table, space, boxes, dead)
        yield from _gap(table, space, boxes)
    else:
        yield from _collected(table, space, boxes)
    yield from _chains(table, space, boxes)


def _unreached(
    table: Table, space: Space, boxes: Sequence[Box | None]
) -> Iterator[tuple[int, Problem]]:
    for number, box in enumerate(boxes):
        if box is None:
            continue
        earlier = [(n, b) for n, b in enumerate(boxes[:number]) if b is not None]
        whole = next((n for n, other in earlier if space.covers(other, box)), None)
        if whole is not None:
            yield number, _shadowed(table, space, boxes, whole, number)
        elif space.beyond(box, [other for _, other in earlier]) is None:
            rows = _listed([n for n, other in earlier if space.meet(other, box) is not None])
            said = f"{rows} together already answer every such case."
            yield number, Problem(number, said, code="unreachable", other=earlier[-1][0])


def _shadowed(
    table: Table, space: Space, boxes: Sequence[Box | None], whole: int, number: int
) -> Problem:
    one, other = boxes[whole], boxes[number]
    assert one is not None
    assert other is not None
    is_twin = space.covers(other, one)
    differs = table.rows[whole].then != table.rows[number].then
    if is_twin and differs:
        names = ", ".join(_differing(table.rows[whole], table.rows[number]))
        said = f"Row {whole + 1} already answers every such case, and otherwise: {names}."
        return Problem(number, said, code="contradiction", other=whole)
    said = f"Row {whole + 1} already answers every such case."
    return Problem(number, said, code="unreachable", other=whole)


def _overlaps(
    table: Table, space: Space, boxes: Sequence[Box | None], dead: Mapping[int, Problem]
) -> Iterator[Problem]:
    """Name rows that both hold for a case and answer otherwise, where the order alone decides.

    A rule after its own exception is not named.
    """
    told = 0
    for number, box in enumerate(boxes):
        for earlier in range(number):
            other = boxes[earlier]
            if box is None or other is None or number in dead or earlier in dead:
                continue
            if table.rows[earlier].then == table.rows[number].then or space.covers(box, other):
                continue
            both = space.meet(box, other)
            before = [b for b in boxes[:earlier] if b is not None]
            case = None if both is None else space.beyond(both, before)
            if case is None:
                continue
            example = space.example(case)
            said = f"Row {earlier + 1} answers first where both hold{_shown(example)}."
            yield Problem(number, said, WARNING, "overlap", other=earlier, example=example)
            told += 1
            if told >= WARNINGS_MAX:
                return
            break


def _gap(table: Table, space: Space, boxes: Sequence[Box | None]) -> Iterator[Problem]:
    case = space.beyond({}, [box for box in boxes if box is not None])
    if case is None:
        return
    example = space.example(case)
    if compile_table(table).answers([_known(example)]) != [()]:
        example = {}  # facts compared with several others: what is left is not shown by one case
    said = "No row answers every other case"
    said += f"{_shown(example)}: end with a row without conditions."
    yield Problem(None, said, ERROR, "gap", example=example)


def _collected(table: Table, space: Space, boxes: Sequence[Box | None]) -> Iterator[Problem]:
    flags = [name for name, kind in table.schema.outcomes.items() if kind == "flag"]
    for number, box in enumerate(boxes):
        for earlier in range(number):
            other = boxes[earlier]
            if box is None or other is None:
                continue
            both = space.meet(box, other)
            if both is None:
                continue
            differing = _differing(table.rows[earlier], table.rows[number])
            is_twin = space.covers(box, other) and space.covers(other, box)
            if is_twin and not differing:
                said = "The same row occurs twice."
                yield Problem(number, said, code="twin", other=earlier)
            opposed = [n for n in differing if n in table.schema.traits.agree]
            opposed += [n for n in differing if n in flags and n not in opposed]
            if opposed:
                is_error = is_twin or opposed[0] in table.schema.traits.agree
                example = space.example(both)
                said = f"Row {earlier + 1} says otherwise about {opposed[0]} where both hold"
                yield Problem(
                    number, f"{said}{_shown(example)}.", ERROR if is_error else WARNING,
                    "contradiction", opposed[0], earlier, example,
                )  # fmt: skip
                break


def _chains(table: Table, space: Space, boxes: Sequence[Box | None]) -> Iterator[Problem]:
    for row, said in endless(table, space, boxes):
        yield Problem(row, said, code="loop", field=table.schema.traits.chain["next"])


def _values(table: Table) -> Iterator[Problem]:
    """Name texts that the policy does not know: of outcomes an error, of facts a warning."""
    values = table.schema.traits.values
    for number, row in enumerate(table.rows):
        for name, value in row.then.items():
            if name in values and value is not None and value not in values[name]:
                said = f"{name}: {value!r} is not one of {', '.join(values[name])}."
                yield Problem(number, said, code="unknown_value", field=name)
        for condition in row.when:
            for value in _texts(condition):
                if condition.field in values and value not in values[condition.field]:
                    said = f"{condition.field} is never {value!r} as far as is known."
                    yield Problem(number, said, WARNING, "unknown_value", condition.field)


def _texts(condition: Condition) -> Sequence[Fact]:
    operand = condition.operand
    found = operand if isinstance(operand, tuple) else (operand,)
    return [each for each in found if isinstance(each, str)]


def impossible(row: Row, space: Space) -> str:
    """Return the facts on which the conditions of a row that never holds exclude one another."""
    names = sorted({condition.field for condition in row.when})
    for name in names:
        own = tuple(c for c in row.when if c.field == name)
        if space.box(Row(own, row.then)) is None:
            return name
    return " and ".join(names)


def _differing(one: Row, other: Row) -> list[str]:
    return [name for name, value in one.then.items() if other.then[name] != value]


def _known(example: Mapping[str, Fact]) -> dict[str, Fact]:
    return {name: value for name, value in example.items() if value is not None}


def _listed(numbers: Sequence[int]) -> str:
    shown = [str(number + 1) for number in numbers]
    if len(shown) == 1:
        return f"Row {shown[0]}"
    return f"Rows {', '.join(shown[:-1])} and {shown[-1]}"


def _shown(example: Mapping[str, Fact]) -> str:
    """Return a case in words, after a comma; nothing when it says nothing."""
    said = [f"{name.replace('_', ' ')} {_word(value)}" for name, value in sorted(example.items())]
    return f", for example {', '.join(said)}" if said else ""


def _word(value: Fact) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in {OTHER, ""}:
        return "something else" if value else "“”"
    return value.isoformat() if isinstance(value, date) else str(value)

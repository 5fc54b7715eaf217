"""What an entity's or a node's own version may say otherwise than everybody's.

Limits are plain values: `{"policy": "locked"|"overridable", "outcomes": {name: limit}}`, where a
limit is `"locked"`, `{"min": "5", "max": "60"}` (numbers, both included) or `{"values": ["a"]}`. An
outcome without a limit may be anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from erp.governance.rules.cells import Box, Space, Undecided
from erp.governance.rules.checking import Problem
from erp.governance.rules.tables import Fact, Hit, Row, Schema, Table

LOCKED, OVERRIDABLE = "locked", "overridable"


class BadLimits(ValueError):
    """The limits cannot be read. `field` is the outcome that is at fault, or empty."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


def read_limits(raw: Any, schema: Schema) -> dict[str, Any]:
    """Return limits in their one written form.

    Raises:
        BadLimits: a limit has not the form, or not that of its outcome's type.
    """
    if not isinstance(raw, Mapping) or set(raw) - {"policy", "outcomes"}:
        raise BadLimits("Limits say whether the policy is locked, and what binds its outcomes.")
    mode, outcomes = raw.get("policy", OVERRIDABLE), raw.get("outcomes", {})
    if mode not in (LOCKED, OVERRIDABLE):
        raise BadLimits("A policy is locked or overridable.", "policy")
    if not isinstance(outcomes, Mapping):
        raise BadLimits("The limits of outcomes go by their names.", "outcomes")
    return {
        "policy": mode,
        "outcomes": {str(name): _limit(name, said, schema) for name, said in outcomes.items()},
    }


def _limit(name: Any, said: Any, schema: Schema) -> Any:
    if name not in schema.outcomes:
        raise BadLimits(f"There is no outcome {name}.", str(name))
    if said == LOCKED:
        return LOCKED
    kind = schema.outcomes[name]
    if isinstance(said, Mapping) and kind == "number" and said and set(said) <= {"min", "max"}:
        ends = {each: _number(said[each], name) for each in ("min", "max") if each in said}
        if len(ends) == 2 and Decimal(ends["min"]) > Decimal(ends["max"]):  # noqa: PLR2004
            raise BadLimits(f"{name}: the lower bound is above the upper one.", str(name))
        return ends
    if isinstance(said, Mapping) and kind == "text" and set(said) == {"values"}:
        values = said["values"]
        if isinstance(values, list | tuple) and all(isinstance(each, str) for each in values):
            return {"values": list(values)}
    raise BadLimits(f"{name}: write “locked”, bounds of a number or values of a text.", str(name))


def _number(value: Any, name: str) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise BadLimits(f"{name}: {value!r} is not a number.", name)
    return f"{number:f}"


def beyond_limits(own: Table, everybody: Table, limits: Mapping[str, Any]) -> list[Problem]:
    """Return where a version of one entity or node leaves what everybody's limits allow it.

    A locked outcome is touched where some case gets another answer than by everybody's table.
    """
    if limits.get("policy") == LOCKED:
        said = "The policy is locked: nobody has a version of their own."
        return [Problem(None, said, code="locked")]
    found = []
    locked = []
    for name, limit in limits.get("outcomes", {}).items():
        if name not in own.schema.outcomes:
            continue
        if limit == LOCKED:
            locked.append(name)
            continue
        for number, row in enumerate(own.rows):
            if said := _outside(row.then[name], limit):
                found.append(Problem(number, f"{name} {said}.", code="bounds", field=name))
    if locked:
        found += _touched(own, everybody, locked)
    return sorted(found, key=lambda each: -1 if each.row is None else each.row)


def _outside(value: Fact, limit: Mapping[str, Any]) -> str:
    if "values" in limit:
        allowed = limit["values"]
        return "" if value in allowed else f"may only be {', '.join(allowed)}"
    if not isinstance(value, int | Decimal):
        return "may not be empty"
    if "min" in limit and value < Decimal(limit["min"]):
        return f"may not be below {limit['min']}"
    if "max" in limit and value > Decimal(limit["max"]):
        return f"may not be above {limit['max']}"
    return ""


def _touched(own: Table, everybody: Table, locked: Sequence[str]) -> Iterator[Problem]:
    space = Space([*own.rows, *everybody.rows], own.schema)
    mine, theirs = _parts(own, space), _parts(everybody, space)
    try:
        for name in locked:
            if Hit.COLLECT in {own.hit, everybody.hit}:
                yield from _collected(name, space, mine, theirs)
            else:
                yield from _answered(name, space, mine, theirs)
    except Undecided:
        said = f"{', '.join(locked)}: the tables are too large to be compared."
        yield Problem(None, said, code="locked", field=locked[0])


Part = tuple[int, Row, Box, list[Box]]


def _parts(table: Table, space: Space) -> list[Part]:
    """Return each row with its box and those before it that answer first."""
    found: list[Part] = []
    before: list[Box] = []
    for number, row in enumerate(table.rows):
        box = space.box(row)
        if box is not None:
            found.append((number, row, box, list(before) if table.hit is Hit.FIRST else []))
            before.append(box)
    return found


def _answered(
    name: str, space: Space, mine: Sequence[Part], theirs: Sequence[Part]
) -> Iterator[Problem]:
    for number, row, box, before in mine:
        for at, other, theirs_box, theirs_before in theirs:
            both = None
            if other.then[name] != row.then[name]:
                both = space.meet(box, theirs_box)
            if both is not None and space.beyond(both, [*before, *theirs_before]) is not None:
                yield _locked(number, name, at)
                break


def _collected(
    name: str, space: Space, mine: Sequence[Part], theirs: Sequence[Part]
) -> Iterator[Problem]:
    for number, row, box, _ in mine:
        same = [b for _, other, b, _ in theirs if other.then[name] == row.then[name]]
        if space.beyond(box, same) is not None:
            yield _locked(number, name, None)
    for at, other, box, _ in theirs:
        same = [b for _, row, b, _ in mine if row.then[name] == other.then[name]]
        if space.beyond(box, same) is not None:
            yield _locked(None, name, at)


def _locked(number: int | None, name: str, at: int | None) -> Problem:
    where = "" if at is None else f" (row {at + 1} there)"
    said = f"{name} is locked: everybody's version answers otherwise{where}."
    return Problem(number, said, code="locked", field=name, other=at)

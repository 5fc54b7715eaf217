"""The form of a decision table: typed conditions over named facts, row by row.

Written as plain values (TOML, JSON):

    {"hit": "first", "rows": [
        {"when": [["exposure", ">", {"field": "limit", "times": "1.1"}]], "then": {"hold": true}},
        {"when": [], "then": {"hold": false}},
    ]}

A row holds when all its conditions do. A condition on a fact that is empty never holds, except
`is empty`. Numbers are exact: write fractions as text ("0.05").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from erp.governance.rules.traits import NO_TRAITS, Traits

Fact = Decimal | int | str | bool | date | None

TYPES = ("number", "text", "flag", "date")
ALIASES = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "empty": "is empty"}
ORDERED = frozenset({"<", "≤", ">", "≥"})
OPERATORS = ORDERED | {"=", "≠", "in", "between", "is empty"}
BY_TYPE = {
    "number": OPERATORS,
    "date": OPERATORS,
    "text": frozenset({"=", "≠", "in", "is empty"}),
    "flag": frozenset({"=", "is empty"}),
}
CONDITION_PARTS = 3
ROWS_MAX = 2_000
LARGEST = Decimal(10) ** 15


class Hit(StrEnum):
    """Which rows answer: the first that holds, or all that hold."""

    FIRST = "first"
    COLLECT = "collect"


class BadTable(ValueError):
    """The table cannot be read. `row` counts from zero; None is the table as a whole.

    `field` is the fact or outcome that is at fault, where it is one.
    """

    def __init__(self, message: str, row: int | None = None, field: str = "") -> None:
        self.row, self.field = row, field
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Schema:
    """The facts a table may ask about and the outcomes each row answers: name to type."""

    fields: Mapping[str, str]
    outcomes: Mapping[str, str]
    traits: Traits = NO_TRAITS


@dataclass(frozen=True, slots=True)
class Reference:
    """Another fact to compare with; a number is multiplied by `times` first."""

    field: str
    times: Decimal = Decimal(1)


Operand = Fact | Reference | tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """`field operator operand`: `in` takes a tuple, `between` two bounds (both included)."""

    field: str
    operator: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class Row:
    """What must hold, and what is then answered."""

    when: tuple[Condition, ...]
    then: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table that was read against its schema."""

    schema: Schema
    rows: tuple[Row, ...]
    hit: Hit = Hit.FIRST
    used: frozenset[str] = field(default_factory=frozenset)

    def written(self) -> dict[str, Any]:
        """Return the table as plain JSON values, in one form whoever wrote it."""
        return {
            "hit": str(self.hit),
            "rows": [
                {
                    "when": [[c.field, c.operator, _plain(c.operand)] for c in row.when],
                    "then": {name: _plain(value) for name, value in row.then.items()},
                }
                for row in self.rows
            ],
        }


def read_table(raw: Any, schema: Schema) -> Table:
    """Read a table against the facts and outcomes of its policy.

    Raises:
        BadTable: it has not the form, names an unknown fact, operator or outcome, or a value has
            not its type. The first such fault is named, with its row.
    """
    _check_table(raw)
    rows = tuple(_row(number, row, schema) for number, row in enumerate(raw["rows"]))
    used = {c.field for row in rows for c in row.when}
    used |= {c.operand.field for row in rows for c in row.when if isinstance(c.operand, Reference)}
    return Table(schema, rows, Hit(raw.get("hit", "first")), frozenset(used))


def faults_of(raw: Any, schema: Schema) -> Iterator[BadTable]:
    """Yield every fault that keeps a table from being read, where `read_table` names the first."""
    try:
        _check_table(raw)
    except BadTable as error:
        yield error
        return
    for number, row in enumerate(raw["rows"]):
        try:
            _check_form(row)
        except BadTable as error:
            yield BadTable(str(error), number)
            continue
        yield from _faults_of_row(number, row, schema)


def _faults_of_row(number: int, row: Mapping[str, Any], schema: Schema) -> Iterator[BadTable]:
    for condition in row["when"]:
        try:
            _condition(condition, schema)
        except BadTable as error:
            yield BadTable(str(error), number, error.field or _fact_named(condition))
    told, names = row["then"], schema.outcomes
    for name in [*names, *(name for name in told if name not in names)]:
        try:
            _outcome(name, told, schema)
        except BadTable as error:
            yield BadTable(str(error), number, str(name))


def _fact_named(condition: Any) -> str:
    named = isinstance(condition, list | tuple) and condition and isinstance(condition[0], str)
    return str(condition[0]) if named else ""


def _check_table(raw: Any) -> None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("rows"), list | tuple):
        raise BadTable("A table has a hit policy and rows.")
    if unknown := set(raw) - {"hit", "rows"}:
        raise BadTable(f"A table has no {min(map(str, unknown))}.")
    if raw.get("hit", "first") not in list(Hit):
        raise BadTable("The hit policy is first or collect.")
    if len(raw["rows"]) > ROWS_MAX:
        raise BadTable(f"A table has at most {ROWS_MAX} rows.")


def _row(number: int, raw: Any, schema: Schema) -> Row:
    try:
        _check_form(raw)
        when = tuple(_condition(condition, schema) for condition in raw["when"])
        return Row(when, _outcomes(raw["then"], schema))
    except BadTable as error:
        raise BadTable(str(error), number, error.field) from None


def _check_form(raw: Any) -> None:
    if not isinstance(raw, Mapping) or set(raw) != {"when", "then"}:
        raise BadTable("A row has conditions (when) and outcomes (then).")
    if not isinstance(raw["when"], list | tuple) or not isinstance(raw["then"], Mapping):
        raise BadTable("The conditions are a list, the outcomes have names.")


def _outcomes(raw: Mapping[str, Any], schema: Schema) -> dict[str, Fact]:
    if unknown := set(raw) - set(schema.outcomes):
        raise BadTable(f"There is no outcome {min(map(str, unknown))}.")
    return {name: _outcome(name, raw, schema) for name in schema.outcomes}


def _outcome(name: str, told: Mapping[str, Any], schema: Schema) -> Fact:
    if name not in schema.outcomes:
        raise BadTable(f"There is no outcome {name}.", field=str(name))
    if name not in told:
        raise BadTable(f"The outcome {name} is missing.", field=name)
    return None if told[name] is None else _value(told[name], schema.outcomes[name], name)


def _condition(raw: Any, schema: Schema) -> Condition:
    if not isinstance(raw, list | tuple) or len(raw) != CONDITION_PARTS:
        raise BadTable("A condition is a fact, an operator and a value.")
    name, operator, value = raw
    if not isinstance(name, str) or name not in schema.fields:
        raise BadTable(f"There is no fact {name}.")
    kind = schema.fields[name]
    operator = ALIASES.get(operator, operator) if isinstance(operator, str) else operator
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise BadTable(f"There is no operator {operator}.")
    if operator not in BY_TYPE[kind]:
        raise BadTable(f"{name} is a {kind}: it cannot be compared by {operator}.")
    return Condition(name, operator, _operand(name, kind, operator, value, schema))


def _operand(name: str, kind: str, operator: str, value: Any, schema: Schema) -> Operand:
    if operator == "is empty":
        return bool(_value(value, "flag", name))
    if operator in {"in", "between"}:
        if not isinstance(value, list | tuple) or not value:
            raise BadTable(f"{name} {operator} needs a list of values.")
        values = tuple(_value(item, kind, name) for item in value)
        if operator == "between" and (len(values) != 2 or values[0] > values[1]):  # type: ignore[operator]  # noqa: PLR2004
            raise BadTable(f"{name} between needs a lower and an upper bound.")
        return values
    if isinstance(value, Mapping):
        return _reference(name, kind, value, schema)
    return _value(value, kind, name)


def _reference(name: str, kind: str, value: Mapping[str, Any], schema: Schema) -> Reference:
    if "field" not in value or set(value) - {"field", "times"}:
        raise BadTable(f"{name} is compared with a fact by its name (and times).")
    other = value["field"]
    if other not in schema.fields:
        raise BadTable(f"There is no fact {other}.")
    if schema.fields[other] != kind:
        raise BadTable(f"{name} is a {kind}, {other} is a {schema.fields[other]}.")
    if "times" not in value:
        return Reference(other)
    if kind != "number":
        raise BadTable(f"{other} is a {kind}: it cannot be multiplied.")
    return Reference(other, Decimal(_value(value["times"], "number", name)))  # type: ignore[arg-type]


def _value(value: Any, kind: str, name: str) -> Fact:
    if kind == "flag" and isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str) and "\0" not in value:
        return str(value)
    if kind == "number" and (number := _number(value)) is not None:
        return number
    if kind == "date" and type(value) is date:
        return value
    if kind == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise BadTable(f"{name}: {value!r} is not a {kind}.")


def _number(value: Any) -> Decimal | int | None:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    if isinstance(value, int):
        return value if abs(value) < LARGEST else None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < LARGEST else None


def _plain(value: Any) -> Any:
    if isinstance(value, Reference):
        times = {} if value.times == 1 else {"times": f"{value.times:f}"}
        return {"field": value.field, **times}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value

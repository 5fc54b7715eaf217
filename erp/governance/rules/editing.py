"""A decision table as a form: from rows to fields and back, and what the buttons do to rows.

Row 2's conditions are the fields `r2c0f` (fact), `r2c0o` (operator), `r2c0v` (value), `r2c0w` (the
upper bound), `r2c0x` (the other fact) and `r2c0t` (times); its outcomes `r2t-<name>`. `rows` and
`r2n` count rows and conditions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erp.governance.rules.tables import BY_TYPE, ROWS_MAX, Schema

ORDER = ("=", "≠", "<", "≤", ">", "≥", "in", "between", "is empty")
COMPARED = {"number": ("=", "≠", "<", "≤", ">", "≥"), "date": ("=", "≠", "<", "≤", ">", "≥")}
FACT = " fact"  # an operator that compares with another fact
YES, NO = "yes", "no"
CONDITIONS_MAX = 30
DIGITS_MAX = 15

Get = Callable[[str], str]
GetAll = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class ConditionField:
    """One condition as fields. `shape` is flag, choice, choices, list, between, fact or the type.

    `others` are the facts it may be compared with.
    """

    fact: str
    operator: str
    operators: Sequence[str]
    shape: str
    value: str = ""
    upper: str = ""
    chosen: Sequence[str] = ()
    choices: Sequence[str] = ()
    others: Sequence[str] = ()
    times: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeField:
    """One outcome as a field. `shape` is flag, choice or the type."""

    name: str
    shape: str
    value: str
    choices: Sequence[str]


@dataclass(frozen=True, slots=True)
class RowFields:
    """One row as fields."""

    conditions: Sequence[ConditionField]
    outcomes: Sequence[OutcomeField]


def fields_of(table: Mapping[str, Any], schema: Schema) -> list[RowFields]:
    """Return the rows of a table as fields."""
    return [
        RowFields(
            [_condition_field(condition, schema) for condition in row["when"]],
            [_outcome_field(name, row["then"].get(name), schema) for name in schema.outcomes],
        )
        for row in table["rows"]
    ]


def table_from(get: Get, get_all: GetAll, schema: Schema) -> dict[str, Any]:
    """Return the table that a form says; what is no value of its type stays for lint to name."""
    rows = []
    for number in range(_count(get("rows"), ROWS_MAX)):
        conditions = [
            _condition(f"r{number}c{position}", get, get_all, schema)
            for position in range(_count(get(f"r{number}n"), CONDITIONS_MAX))
        ]
        then = {
            name: _outcome(get(f"r{number}t-{name}"), kind)
            for name, kind in schema.outcomes.items()
        }
        rows.append({"when": conditions, "then": then})
    return {"hit": get("hit") or "first", "rows": rows}


def after(table: Mapping[str, Any], command: str, schema: Schema) -> tuple[dict[str, Any], int]:
    """Return the table after a button was pressed, and the row to go on in.

    Commands: `add`, `add:2` (after row 2), `up:2`, `down:2`, `copy:2`, `drop:2`, `more:2` (another
    condition), `less:2:0` (without that condition). Rows count from zero; what is out of range, or
    no command, changes nothing.
    """
    rows = list(table["rows"])
    verb, _, rest = command.partition(":")
    numbers = [int(part) for part in rest.split(":") if part.isdecimal() and len(part) < 6]  # noqa: PLR2004
    at = numbers[0] if numbers else -1 if rest else len(rows) - 1
    new = {"when": [], "then": dict.fromkeys(schema.outcomes)}
    if verb == "add" and len(rows) < ROWS_MAX and at < len(rows):
        rows.insert(at + 1, {**new, "then": _blank(schema)})
        return {**table, "rows": rows}, min(at + 1, len(rows) - 1)
    if not 0 <= at < len(rows):
        return {**table, "rows": rows}, 0
    to = at
    if verb == "up" and at > 0:
        rows[at - 1], rows[at], to = rows[at], rows[at - 1], at - 1
    elif verb == "down" and at + 1 < len(rows):
        rows[at + 1], rows[at], to = rows[at], rows[at + 1], at + 1
    elif verb == "copy" and len(rows) < ROWS_MAX:
        rows.insert(at + 1, rows[at])
        to = at + 1
    elif verb == "drop":
        del rows[at]
        to = max(0, min(at, len(rows) - 1))
    elif verb == "more" and schema.fields:
        first = next(iter(schema.fields))
        rows[at] = {**rows[at], "when": [*rows[at]["when"], [first, "=", None]]}
    elif verb == "less" and len(numbers) > 1:
        kept = [c for n, c in enumerate(rows[at]["when"]) if n != numbers[1]]
        rows[at] = {**rows[at], "when": kept}
    return {**table, "rows": rows}, to


def _blank(schema: Schema) -> dict[str, Any]:
    blank = {"flag": False, "text": "", "number": None, "date": None}
    return {name: blank[kind] for name, kind in schema.outcomes.items()}


def _count(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() and len(text) < 6 else 0  # noqa: PLR2004


def _condition(name: str, get: Get, get_all: GetAll, schema: Schema) -> list[Any]:
    fact, operator = get(f"{name}f"), get(f"{name}o")
    kind = schema.fields.get(fact, "text")
    if operator not in _operators(fact, schema):
        operator = "="
    if operator.endswith(FACT):
        other: dict[str, Any] = {"field": get(f"{name}x")}
        if (times := get(f"{name}t").strip()) and kind == "number":
            other["times"] = _number(times)
        return [fact, operator.removesuffix(FACT), other]
    value = get(f"{name}v")
    if operator == "is empty":
        return [fact, operator, value != NO]
    if operator == "between":
        return [fact, operator, [_value(value, kind), _value(get(f"{name}w"), kind)]]
    if operator == "in":
        texts = [part.strip() for text in get_all(f"{name}v") for part in text.split(",")]
        return [fact, operator, [_value(text, kind) for text in texts if text]]
    return [fact, operator, _value(value, kind)]


def _value(text: str, kind: str) -> Any:
    if kind == "flag":
        return text == YES
    return _number(text.strip()) if kind == "number" else text.strip().replace("\0", "")


def _outcome(text: str, kind: str) -> Any:
    if kind == "flag":
        return {YES: True, NO: False}.get(text)
    if kind == "text":
        return text.strip().replace("\0", "")
    return (
        (_number(text.strip()) if kind == "number" else text.strip()) or None if text != "0" else 0
    )


def _number(text: str) -> Any:
    """Return a whole number as one, so that what nobody changed stays as it was."""
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdecimal() and len(digits) <= DIGITS_MAX
    return int(text) if is_whole and (digits == "0" or digits[0] != "0") else text.replace("\0", "")


def _operators(fact: str, schema: Schema) -> list[str]:
    kind = schema.fields.get(fact, "text")
    plain = [operator for operator in ORDER if operator in BY_TYPE[kind]]
    return plain + [f"{operator}{FACT}" for operator in COMPARED.get(kind, ())]


def _condition_field(condition: Sequence[Any], schema: Schema) -> ConditionField:
    fact, operator, value = condition
    kind = schema.fields.get(fact, "text")
    choices = schema.traits.values.get(fact, ())
    operators = _operators(fact, schema)
    others = [n for n, each in schema.fields.items() if each == kind and n != fact]
    if isinstance(value, Mapping):
        return ConditionField(
            fact, f"{operator}{FACT}", operators, "fact", _text(value.get("field")),
            others=others, times=_text(value.get("times")),
        )  # fmt: skip
    if operator == "is empty":
        return ConditionField(fact, operator, operators, "flag", YES if value else NO)
    if operator == "between":
        low, high = (*(value if isinstance(value, list | tuple) else ()), None, None)[:2]
        return ConditionField(fact, operator, operators, "between", _text(low), _text(high))
    if operator == "in":
        chosen = [_text(each) for each in (value if isinstance(value, list | tuple) else ())]
        every = [*choices, *(c for c in chosen if c not in choices)] if choices else []
        shape = "choices" if every else "list"
        return ConditionField(
            fact, operator, operators, shape, ", ".join(chosen), chosen=chosen, choices=every
        )
    text = _text(value)
    every = [*choices, *([text] if text and text not in choices else [])] if choices else []
    shape = kind if kind == "flag" or not every else "choice"
    return ConditionField(fact, operator, operators, shape, text, choices=every)


def _outcome_field(name: str, value: Any, schema: Schema) -> OutcomeField:
    kind, text = schema.outcomes[name], _text(value)
    limits = schema.traits.values.get(name, ())
    choices = [*limits, *([text] if text not in limits else [])] if limits else []
    shape = kind if kind == "flag" or not choices else "choice"
    return OutcomeField(name, shape, text, choices)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    return "" if value is None else str(value)

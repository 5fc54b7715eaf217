"""What a table would have answered to decisions that were recorded, and who gains by it.

Recorded facts are plain JSON values. A fact that a record does not hold was left out by the code
that asked, and so empty, if the table that decided knew it; else nobody had asked for it yet, and
the decision cannot be replayed unless the answer comes out the same whatever it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from erp.governance.rules.evaluating import CompiledTable, compile_table
from erp.governance.rules.tables import Condition, Fact, Hit, Reference, Row, Table

GAINS, LOSES, DIFFERS = "gains", "loses", "differs"
Answer = tuple[int, ...]


class Unreadable(ValueError):
    """A recorded fact has another type than the policy declares today."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded decision: its inputs, and the facts that the table that took it looked at."""

    inputs: Mapping[str, Any]
    known: frozenset[str]


class Replayer:
    """A table made ready for decisions of the past."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._blind: dict[frozenset[str], tuple[CompiledTable, frozenset[int]]] = {}

    def answers(self, records: Sequence[Recorded]) -> list[Answer | str]:
        """Return for each record the rows that answer it, or the sentence why it cannot be said."""
        found: list[Answer | str] = [""] * len(records)
        groups: dict[frozenset[str], list[tuple[int, Mapping[str, Fact]]]] = {}
        for position, record in enumerate(records):
            try:
                facts = self._facts(record.inputs)
            except Unreadable as error:
                found[position] = str(error)
                continue
            missing = frozenset(self.table.used - record.inputs.keys() - record.known)
            groups.setdefault(missing, []).append((position, facts))
        for missing, cases in groups.items():
            compiled, guessed = self._without(missing)
            answers = compiled.answers([facts for _, facts in cases])
            said = f"The record does not hold {', '.join(sorted(missing))}."
            for (position, _), answer in zip(cases, answers, strict=True):
                found[position] = said if guessed.intersection(answer) else answer
        return found

    def _facts(self, inputs: Mapping[str, Any]) -> dict[str, Fact]:
        fields, used = self.table.schema.fields, self.table.used
        return {
            name: fact_of(name, fields[name], value)
            for name, value in inputs.items()
            if name in used
        }

    def _without(self, missing: frozenset[str]) -> tuple[CompiledTable, frozenset[int]]:
        """Return the table without its conditions on `missing`, and the rows that lost some."""
        if missing not in self._blind:
            rows, guessed = [], set()
            for number, row in enumerate(self.table.rows):
                kept = tuple(c for c in row.when if not _asks(c) & missing)
                if len(kept) < len(row.when):
                    guessed.add(number)
                rows.append(Row(kept, row.then))
            used = self.table.used - missing
            seeing = compile_table(replace(self.table, rows=tuple(rows), used=used))
            self._blind[missing] = seeing, frozenset(guessed)
        return self._blind[missing]


def _asks(condition: Condition) -> set[str]:
    operand = condition.operand
    other = {operand.field} if isinstance(operand, Reference) else set()
    return {condition.field} | other


def used_by(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the facts that a stored table looks at, whether or not it could still be read."""
    names: set[str] = set()
    for row in raw.get("rows", ()):
        for name, _, value in row["when"]:
            names.add(name)
            if isinstance(value, Mapping) and "field" in value:
                names.add(value["field"])
    return frozenset(names)


def fact_of(name: str, kind: str, value: Any) -> Fact:
    """Return a recorded value as the fact that it was.

    Raises:
        Unreadable: it has another type than the policy declares.
    """
    if value is None:
        return None
    if kind == "flag" and isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str):
        return value
    if kind == "number" and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return value if isinstance(value, int) else Decimal(value)
        except InvalidOperation:
            pass
    if kind == "date" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Unreadable(f"{name} was recorded as something else than a {kind}.")


def outcome_of(table: CompiledTable, answer: Answer) -> dict[str, Any]:
    """Return what the rows of an answer say: of a table that collects, a list of each outcome."""
    said = [table.outcomes[number] for number in answer]
    if table.table.hit is Hit.COLLECT:
        return {name: [row[name] for row in said] for name in table.table.schema.outcomes}
    return dict(said[0]) if said else {}


def changed_outcomes(
    before: Mapping[str, Any], after: Mapping[str, Any], types: Mapping[str, str]
) -> list[str]:
    """Return the outcomes that differ, numbers by their value; those not yet asked for do not."""
    if bool(before) != bool(after):
        return sorted({*before, *after})
    return [
        name
        for name in types
        if name in before
        and name in after
        and _comparable(types[name], before[name]) != _comparable(types[name], after[name])
    ]


def _comparable(kind: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_comparable(kind, each) for each in value]
    if kind == "number" and isinstance(value, str | int) and not isinstance(value, bool):
        return Decimal(value)
    return value.isoformat() if isinstance(value, date) else value


def effect_of(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    better: Mapping[str, Any],
    types: Mapping[str, str],
) -> str:
    """Return whether the subject gains or loses, by the first outcome that says so.

    `better` maps an outcome to the value that is good for it, or to "lower" or "higher".
    """
    for name, good in better.items():
        then = _worth(types[name], before.get(name), good)
        now = _worth(types[name], after.get(name), good)
        if then is not None and now is not None and then != now:
            return GAINS if now > then else LOSES
    return DIFFERS


def _worth(kind: str, value: Any, good: Any) -> Any:
    """Return how good an outcome is: more is better. Where rows collect, the worst counts."""
    if isinstance(value, list):
        every = [_worth(kind, each, good) for each in value]
        return min((each for each in every if each is not None), default=1)
    if kind == "number" and good in {"lower", "higher"}:
        if value is None or isinstance(value, bool):
            return None
        return Decimal(value) if good == "higher" else -Decimal(value)
    return int(_comparable(kind, value) == _comparable(kind, good))


def amount_of(inputs: Mapping[str, Any], money: str) -> Decimal | None:
    """Return what is at stake, to a hundredth of a cent, where the record says it."""
    value = inputs.get(money) if money else None
    if value is None or isinstance(value, bool):
        return None
    try:
        return round(Decimal(value), 4)
    except (InvalidOperation, TypeError):
        return None


def count_values(
    totals: dict[str, dict[str, list[int]]],
    pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]],
    most: int = 50,
) -> None:
    """Add to `totals` how often each value of each outcome was said before, and would be after.

    Beyond `most` values of one outcome the rest are counted together.
    """
    for before, after in pairs:
        for side, said in enumerate((before, after)):
            for name, value in said.items():
                by_value = totals.setdefault(name, {})
                text = value_text(value)
                if text not in by_value and len(by_value) >= most:
                    text = "…"
                by_value.setdefault(text, [0, 0])[side] += 1


def value_text(value: Any) -> str:
    """Return one outcome in a word."""
    if isinstance(value, list):
        return ", ".join(sorted({value_text(each) for each in value})) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "-" if value in (None, "") else str(value)[:100]

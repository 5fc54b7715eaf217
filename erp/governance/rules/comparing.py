"""What differs between two decision tables, row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import orjson

Raw = Mapping[str, Any]
ALIKE = 0.5  # share of conditions and outcomes that two rows have in common to be one row, changed


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of two tables. `kind` is same, added, removed, moved or changed.

    `before` and `after` count from zero; None where the row is not there. `fields` are the facts
    and outcomes that differ.
    """

    kind: str
    before: int | None
    after: int | None
    fields: tuple[str, ...] = ()


def compare(before: Raw, after: Raw) -> list[RowChange]:
    """Return the rows of `after` in order, each after what was taken out before it."""
    old, new = before["rows"], after["rows"]
    old_keys, new_keys = [_key(row) for row in old], [_key(row) for row in new]
    kept = _in_order(old_keys, new_keys)
    pairs = {j: ("same", i) for i, j in kept.items()}
    gone = [i for i in range(len(old)) if i not in kept]
    come = [j for j in range(len(new)) if j not in pairs]
    for j in list(come):
        found = next((i for i in gone if old_keys[i] == new_keys[j]), None)
        if found is not None:
            pairs[j] = ("moved", found)
            gone.remove(found)
            come.remove(j)
    for likeness, i, j in sorted(_likenesses(old, new, gone, come), key=lambda x: (-x[0], x[1:])):
        if likeness >= ALIKE and i in gone and j in come:
            pairs[j] = ("changed", i)
            gone.remove(i)
            come.remove(j)
    return _listed(old, new, pairs, gone)


def differing(changes: Iterable[RowChange]) -> list[RowChange]:
    """Return what is not the same."""
    return [change for change in changes if change.kind != "same"]


def _listed(
    old: Sequence[Raw], new: Sequence[Raw], pairs: Mapping[int, tuple[str, int]], gone: list[int]
) -> list[RowChange]:
    found: list[RowChange] = []
    for j, row in enumerate(new):
        kind, i = pairs.get(j, ("added", -1))
        if kind == "added":
            found.append(RowChange("added", None, j))
            continue
        while gone and gone[0] < i and kind != "moved":
            found.append(RowChange("removed", gone.pop(0), None))
        fields = _fields(old[i], row) if kind == "changed" else ()
        found.append(RowChange(kind, i, j, fields))
    return [*found, *(RowChange("removed", i, None) for i in gone)]


def _in_order(old: Sequence[bytes], new: Sequence[bytes]) -> dict[int, int]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}


def _likenesses(
    old: Sequence[Raw], new: Sequence[Raw], gone: Iterable[int], come: Sequence[int]
) -> Iterable[tuple[float, int, int]]:
    for i in gone:
        for j in come:
            yield _likeness(old[i], new[j]), i, j


def _likeness(one: Raw, other: Raw) -> float:
    if one["when"] == other["when"]:
        return 1.0
    ours, theirs = _said(one), _said(other)
    both = len(ours | theirs)
    return len(ours & theirs) / both if both else 1.0


def _said(row: Raw) -> set[bytes]:
    """Return what a row says in parts; its conditions weigh twice, once by their facts alone."""
    parts = {orjson.dumps(["when", *condition]) for condition in row["when"]}
    parts |= {orjson.dumps(["about", condition[0]]) for condition in row["when"]}
    parts |= {orjson.dumps(["then", name, value]) for name, value in row["then"].items()}
    return parts | ({b"otherwise"} if not row["when"] else set())


def _fields(one: Raw, other: Raw) -> tuple[str, ...]:
    names = [condition[0] for condition in [*one["when"], *other["when"]]]
    about = {
        name for name in names
        if [c for c in one["when"] if c[0] == name] != [c for c in other["when"] if c[0] == name]
    }  # fmt: skip
    then = {
        name
        for name in {*one["then"], *other["then"]}
        if one["then"].get(name) != other["then"].get(name)
    }
    return tuple(sorted(about | then))


def _key(row: Raw) -> bytes:
    return orjson.dumps([row["when"], row["then"]], option=orjson.OPT_SORT_KEYS)

"""Chains that never end: a table that hands something on to roles, again and again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from erp.governance.rules.cells import Box, Space
from erp.governance.rules.tables import Fact, Hit, Table

CYCLE_MAX = 12  # roles in one loop; a longer one is found by its shorter part or not at all


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a row hands on: in the cases of `box`, from `start` to `end`."""

    row: int
    start: Fact
    end: Fact
    box: Box


def endless(table: Table, space: Space, boxes: Sequence[Box | None]) -> Iterator[tuple[int, str]]:
    """Yield a row of each loop, with a sentence.

    Roles hand one case round and round, or a table still hands on however often that happened.
    """
    chain = table.schema.traits.chain
    if not chain:
        return
    reached = list(_reached(table, space, boxes))
    if "level" in chain:
        yield from _without_end(table, space, reached, chain)
    if "fact" in chain:
        yield from _loops(table, space, reached, chain)


def _reached(table: Table, space: Space, boxes: Sequence[Box | None]) -> Iterator[tuple[int, Box]]:
    """Yield rows that answer some case; of a first-match table, a part of those cases."""
    for number, box in enumerate(boxes):
        if box is None:
            continue
        if table.hit is Hit.FIRST:
            before = [other for other in boxes[:number] if other is not None]
            if space.beyond(box, before) is None:
                continue
        yield number, box


def _without_end(
    table: Table, space: Space, reached: Sequence[tuple[int, Box]], chain: Mapping[str, str]
) -> Iterator[tuple[int, str]]:
    level, following = chain["level"], chain["next"]
    cells = space.cells.get(level, (None, 0))
    before: list[Box] = []
    for number, box in reached:
        high = space.narrow(box, level, [cells[-1]])
        is_hit = high is not None and (
            table.hit is Hit.COLLECT or space.beyond(high, before) is not None
        )
        before.append(box)
        if is_hit and table.rows[number].then[following] not in {None, "", 0}:
            said = f"It never ends: {following} is still set however high {level} is."
            yield number, said.replace("_", " ")
            return


def _loops(
    table: Table, space: Space, reached: Sequence[tuple[int, Box]], chain: Mapping[str, str]
) -> Iterator[tuple[int, str]]:
    steps = _steps(table, space, reached, chain)
    by_start: dict[Fact, list[_Step]] = {}
    for step in steps:
        by_start.setdefault(step.start, []).append(step)
    told: set[frozenset[Fact]] = set()
    for first in steps:
        loop = _round(first, by_start, space, chain["fact"])
        if loop is None or frozenset(step.start for step in loop) in told:
            continue
        told.add(frozenset(step.start for step in loop))
        names = " → ".join([*(str(step.start) for step in loop), str(loop[0].start)])
        yield loop[-1].row, f"It goes round in a circle: {names}."


def _steps(
    table: Table, space: Space, reached: Sequence[tuple[int, Box]], chain: Mapping[str, str]
) -> list[_Step]:
    fact, following = chain["fact"], chain["next"]
    ends = {table.rows[number].then[following] for number, _ in reached} - {None, ""}
    starts = ends | {cell for cell in space.cells.get(fact, ()) if cell in ends}
    earlier: list[Box] = []
    found = []
    for (number, box), start in product(reached, sorted(map(str, starts))):
        if not earlier or earlier[-1] is not box:
            earlier.append(box)
        end = table.rows[number].then[following]
        own = _of(space, box, fact, start) if end else None
        if own is None:
            continue
        before = [b for b in earlier[:-1] if b is not box]
        if table.hit is Hit.FIRST:
            own = space.beyond(own, before)
        if own is not None:
            found.append(_Step(number, start, end, {a: m for a, m in own.items() if a != fact}))
    return found


def _of(space: Space, box: Box, fact: str, start: Fact) -> Box | None:
    """Return the cases of `box` in which `start` has it; a role no row names is any other text."""
    cells = space.cells.get(fact)
    if cells is None or start in cells:
        return space.narrow(box, fact, [start])
    return space.narrow(box, fact, [cells[-1]])


def _round(
    first: _Step, by_start: Mapping[Fact, Sequence[_Step]], space: Space, fact: str
) -> list[_Step] | None:
    """Return a way from a step back to its start that one and the same case can go."""
    waiting = [([first], first.box)]
    while waiting:
        path, box = waiting.pop()
        if path[-1].end == first.start:
            return path
        if len(path) >= CYCLE_MAX:
            continue
        for step in by_start.get(path[-1].end, ()):
            if step not in path:
                both = space.meet(box, step.box)
                if both is not None:
                    waiting.append(([*path, step], both))
    return None

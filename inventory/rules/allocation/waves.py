"""The order of serving, cut into waves: what is decided together touches nothing in common."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from inventory.rules.allocation.columns import Flags, Ints, Policy, Rule, Wants
from inventory.rules.allocation.menus import Menus

WHOLE = Rule.SHIP_COMPLETE | Rule.NO_SPLIT


@dataclass(frozen=True, slots=True)
class Turns:
    """Lines in the order of serving, and the units that are decided at once.

    `line[p]` is the line at place p; unit u is the places from `start[u]` to `start[u + 1]`.
    """

    line: Ints
    start: Ints
    is_bound: Flags  # by unit: decided as a whole

    size: Ints = field(init=False)  # how many lines each unit has

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", np.diff(self.start))


def ranked(demand: Wants, policy: Policy) -> Ints:
    """Return the lines in the order of rank: by class, day and id, or as the policy says."""
    if policy.day_first:
        return np.lexsort((demand.id, demand.priority, demand.due))
    return np.lexsort((demand.id, demand.due, demand.priority))


def turns_of(demand: Wants, policy: Policy) -> Turns:
    """Return the order of serving: by rank; a bound group where its first bound line stands."""
    line = ranked(demand, policy)
    bound = ((demand.rules & int(WHOLE)) != 0) | (demand.nodes_max > 0)
    if bound.any():
        line = line[_gathered(demand.group[line], bound[line])]
    group = demand.group[line]
    breaks = np.flatnonzero(group[1:] != group[:-1]) + 1
    start = np.concatenate([[0], breaks, [len(line)]]).astype(np.int64)
    if not len(line):
        return Turns(line, np.zeros(1, np.int64), np.zeros(0, bool))
    return Turns(line, start, np.logical_or.reduceat(bound[line], start[:-1]))


def _gathered(group: Ints, bound: Flags) -> Ints:
    """Return the places so ordered that a group stands where its first bound line stands."""
    _, number = np.unique(group, return_inverse=True)
    size = len(group)
    first = np.full(number.max() + 1, size, np.int64)
    places = np.arange(size)
    np.minimum.at(first, number[bound], places[bound])
    at = np.where(first[number] < size, first[number], places)
    return np.argsort(at, kind="stable")


def waves(
    turns: Turns, menus: Menus, demand: Wants, units: Ints | None = None
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the units of each wave, with the step at which each of their lines takes.

    Waves are exact: a unit stands in the first wave after all that come before it and touch one of
    its resources, and two lines of a unit that touch the same take one after the other: who may go
    to the fewest nodes first.
    """
    chosen = np.arange(len(turns.is_bound)) if units is None else units
    level, step = _levels(turns, menus, demand, chosen)
    order = np.argsort(level, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(level[order])) + 1, len(order))
    begin = 0
    for end in ends.tolist():
        if end > begin:
            yield chosen[order[begin:end]], step
        begin = end


def _levels(turns: Turns, menus: Menus, demand: Wants, chosen: Ints) -> tuple[Ints, Ints]:
    """Return the wave of each chosen unit, and each place's step within its unit."""
    menu = menus.of[turns.line].tolist()
    start = turns.start.tolist()
    touched = menus.touched
    named = range(len(menus.start)) if touched is None else [n for t in touched for n in t]
    last = [0] * (max(named, default=-1) + 1)
    level: list[int] = []
    step = np.zeros(len(turns.line), np.int64)
    for unit in chosen.tolist():
        begin, end = start[unit], start[unit + 1]
        used = menu[begin:end]
        if touched is not None:
            used = [resource for each in used for resource in touched[each]]
        wave = max(map(last.__getitem__, used), default=0)
        level.append(wave)
        for resource in used:
            last[resource] = wave + 1
        if end - begin > 1 and len(set(used)) < len(used):
            resources = [(m,) if touched is None else touched[m] for m in menu[begin:end]]
            order = _narrowest(demand, turns.line[begin:end])
            step[begin:end] = _steps(resources, order)
    return np.array(level, np.int64), step


def _narrowest(demand: Wants, lines: Ints) -> list[int]:
    """Return the order in which lines of a unit take: as given, if they are not all or nothing."""
    only, rules = demand.only[lines].tolist(), int(np.bitwise_or.reduce(demand.rules[lines]))
    from_one = rules & int(Rule.NO_SPLIT) or demand.nodes_max[lines].any()
    if from_one or not rules & int(Rule.SHIP_COMPLETE):
        return list(range(len(only)))
    return sorted(
        range(len(only)),
        key=lambda n: (only[n] < 0, len(demand.sets[only[n]]) if only[n] >= 0 else 0),
    )


def _steps(used: list[tuple[int, ...]], order: list[int]) -> list[int]:
    """Return for each line of a unit after how many others of it that touch the same it takes."""
    last: dict[int, int] = {}
    steps = [0] * len(used)
    for line in order:
        step = max((last.get(resource, 0) for resource in used[line]), default=0)
        steps[line] = step
        for resource in used[line]:
            last[resource] = step + 1
    return steps

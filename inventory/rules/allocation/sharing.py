"""Fair shares: what is too little for a class of lines, divided among them by need."""

from typing import TYPE_CHECKING

import numpy as np

from inventory.rules.allocation.columns import Ints, Mode, Rule

if TYPE_CHECKING:
    from inventory.rules.allocation.serving import Serving

SAFE = 2**62  # products beyond it are counted in Python's own whole numbers


def fair(need: Ints, minimum: Ints, pack: Ints, group: Ints, there: Ints) -> Ints:
    """Divide `there[g]` among the lines of each group g.

    Minimums first, the rest by what is still needed: whole packs, the largest remainder first, the
    earlier line at a tie. A line gets packs, or all it needs. What is less than a pack stays.
    """
    least = np.minimum(minimum, need)
    base = _divided(least, pack, group, there)
    spent = np.zeros(len(there), np.int64)
    np.add.at(spent, group, base)
    return base + _divided(need - base, pack, group, there - spent)


def _divided(need: Ints, pack: Ints, group: Ints, there: Ints) -> Ints:
    total = np.zeros(len(there), np.int64)
    np.add.at(total, group, need)
    tight = (total > there)[group]
    if not tight.any():
        return need
    size, all_ = there[group], np.maximum(total[group], 1)
    if int(need.max()) * int(size.max()) >= SAFE:
        need, size, all_ = need.astype(object), size.astype(object), all_.astype(object)
    share = need * size // all_
    base = share // pack * pack
    over = need * size - base * all_
    part = base.astype(np.int64)
    spare = there.copy()
    np.subtract.at(spare, group[tight], part[tight])
    order = np.lexsort((np.arange(len(part)), _place(-over), group, ~tight))
    order = order[tight[order]]
    more = np.minimum(pack, need.astype(np.int64) - part)[order]
    sums = np.cumsum(more)
    start = np.searchsorted(group[order], group[order], "left")
    within = sums - np.where(start > 0, sums[np.maximum(start, 1) - 1], 0)
    gets = within <= spare[group[order]]
    part[order] += np.where(gets, more, 0)
    return np.where(tight, part, need.astype(np.int64))


def _place(values: Ints) -> Ints:
    """Return ranks for values of any size."""
    if values.dtype != object:
        return values
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def share_out(serving: "Serving") -> None:
    """Serve class by class: what is decided as a whole by rank, then the rest by fair shares.

    What a line may not take of its share goes to the others of its class, by rank.
    """
    turns, demand = serving.turns, serving.demand
    head = demand.priority[turns.line[turns.start[:-1]]]
    whole = serving.rules & int(Rule.LINE_COMPLETE) != 0
    bound = turns.is_bound | np.logical_or.reduceat(whole, turns.start[:-1])
    for tier in np.unique(head):
        units = np.flatnonzero(head == tier)
        serving.serve(units[bound[units]])
        free = units[~bound[units]]
        if not len(free):
            continue
        places = np.concatenate([np.arange(turns.start[u], turns.start[u + 1]) for u in free])
        serving.in_packs = True
        serving.limit[places] = _limits(serving, places)
        serving.serve(free)
        serving.limit[places] = demand.steps[turns.line[places]]
        serving.serve(free)
        serving.in_packs = False


def _limits(serving: "Serving", places: Ints) -> Ints:
    """Return the fair share of each of these lines in what is left of its product."""
    menus, demand = serving.menus, serving.demand
    line = serving.turns.line[places]
    there = np.zeros(len(menus.start), np.int64)
    menu = np.repeat(np.arange(len(menus.start)), menus.count)
    at = np.repeat(menus.start - np.cumsum(menus.count) + menus.count, menus.count)
    entry = at + np.arange(len(menu))
    counts = (menus.refused[entry] == 0) & (menus.mode[entry] <= Mode.INBOUND)
    np.add.at(there, menu, np.where(counts, serving.left[menus.supply[entry]], 0))
    return fair(
        demand.steps[line],
        demand.minimum[line],
        np.maximum(demand.multiple[line], 1),
        menus.of[line],
        there,
    )

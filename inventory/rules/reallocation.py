"""Who would gain and who would lose if what is kept were shared out anew."""

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from inventory.rules.allocation import Plan, Policy, Sources, Wants, plan
from inventory.rules.allocation.columns import Flags, Ints, scaled
from inventory.rules.allocation.protecting import less

BUILT_IN = Policy()


class Strategy(IntEnum):
    """What a line may win or lose, in the order in which lines are served."""

    WIN = 0  # keeps what it has and must get all of it
    GAIN = 1  # keeps what it has and may get more
    REDISTRIBUTE = 2  # may gain or lose, by rank
    FILL = 3  # gains nothing and may lose
    LOSE = 4  # gives up all it has


@dataclass(frozen=True, slots=True)
class Held:
    """What lines hold now, as columns: places in the lines and in the supplies, and steps."""

    line: Ints
    supply: Ints
    steps: Ints


@dataclass(frozen=True, slots=True)
class Part:
    """What was shared out among the lines of one strategy: what they asked, of what, and the plan.

    `chosen` are their places among all lines.
    """

    chosen: Ints
    wants: Wants
    supply: Sources
    made: Plan


@dataclass(frozen=True, slots=True)
class Reallocation:
    """What each line holds before and after, in steps, and out of which supplies.

    `unmet` are lines that had to get all of what they want, and do not. `parts` are the plans it
    was made of, in the order of serving: each can be certified by itself.
    """

    before: Ints
    after: Ints
    held: Held
    unmet: Ints
    parts: tuple[Part, ...] = ()

    @property
    def gained(self) -> Ints:
        """By line: what it gets more; negative is what it loses."""
        return self.after - self.before

    def money(self, demand: Wants) -> Ints:
        """Return by line what it gains or loses is worth, in minor units."""
        gained = self.gained
        return np.sign(gained) * scaled(demand.value, np.abs(gained))


def reallocate(
    demand: Wants, held: Held, supply: Sources, strategy: Ints, policy: Policy = BUILT_IN
) -> Reallocation:
    """Share out anew what lines hold and what is free.

    `demand.steps` is all that a line wants, with what it holds; `supply.steps` is what nobody
    holds. Lines are served strategy by strategy, by rank within one; who wins or gains first keeps
    every piece that it has. A line that may lose is served from where it already has most, so that
    no more changes than has to. What is protected counts what was kept by those who keep, and is
    used up from one strategy to the next. The order of lines, pieces and supplies never matters.
    """
    before = _summed(held.line, held.steps, len(demand))
    keeps = strategy <= Strategy.GAIN
    fixed = keeps[held.line]
    left = supply.steps + _summed(held.supply[~fixed], held.steps[~fixed], len(supply))
    after = np.where(keeps, before, 0)
    pieces = [(held.line[fixed], held.supply[fixed], held.steps[fixed])]
    node = _homes(demand, held, supply, keeps)
    parts = []
    for each in (Strategy.WIN, Strategy.GAIN, Strategy.REDISTRIBUTE, Strategy.FILL):
        asked = demand.steps - after
        if each is Strategy.FILL:
            asked = np.minimum(before, demand.steps)
        chosen = np.flatnonzero((strategy == each) & (asked > 0))
        part = replace(demand.at(chosen), steps=asked[chosen], node=node[chosen])
        there = replace(supply, steps=left)
        made = plan(part, there, policy)
        policy = less(policy, made)
        parts.append(Part(chosen, part, there, made))
        line, steps = chosen[made.line[made.taker]], made.taken[made.taking]
        pieces.append((line, made.taken_from, steps))
        left = left - _summed(made.taken_from, made.spent, len(supply))
        after = after + _summed(line, steps, len(demand))
    unmet = np.flatnonzero((strategy == Strategy.WIN) & (after < demand.steps))
    return Reallocation(before, after, _joined(pieces), unmet, tuple(parts))


def _summed(place: Ints, steps: Ints, size: int) -> Ints:
    total = np.zeros(size, np.int64)
    np.add.at(total, place, steps)
    return total


def _homes(demand: Wants, held: Held, supply: Sources, keeps: Flags) -> Ints:
    """Return the node each line is best served from: where it has most, else the one it names."""
    order = np.lexsort((-supply.id[held.supply], held.steps))
    home = demand.node.copy()
    home[held.line[order]] = supply.node[held.supply[order]]
    return np.where(keeps, demand.node, home)


def _joined(pieces: list[tuple[Ints, Ints, Ints]]) -> Held:
    """Return pieces of one line and supply as one, in the order of both."""
    line, supply, steps = (np.concatenate(column) for column in zip(*pieces, strict=True))
    pair, place = np.unique(np.stack([line, supply]), axis=1, return_inverse=True)
    return Held(pair[0], pair[1], _summed(place.reshape(-1), steps, pair.shape[1]))

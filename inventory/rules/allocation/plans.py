"""A plan: what each line gets out of which supply, and why not more."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inventory.rules.allocation.choosing import costs
from inventory.rules.allocation.columns import (
    REASONS,
    Ints,
    Mode,
    Policy,
    Rejection,
    Rule,
    Sources,
    Wants,
)
from inventory.rules.allocation.menus import Menus
from inventory.rules.allocation.waves import Turns


class Take(NamedTuple):
    """So much of a line served from one supply; never zero. `spent` is what the supply loses."""

    want: int
    supply: int
    node: int
    steps: int
    mode: Mode = Mode.STOCK
    spent: int = 0


class Candidate(NamedTuple):
    """One candidate as a line saw it: what it had, what the line took, or why it took nothing."""

    node: int
    available: int
    taken: int
    rejected: Rejection | None
    mode: Mode = Mode.STOCK


@dataclass(frozen=True, slots=True)
class Gap:
    """So much more of a product at a node (None is any) would have been enough."""

    product: int
    node: int | None
    steps: int


@dataclass(slots=True)
class Verdict:
    """What one line got. `flip` is the smallest change that would have given it the rest.

    `dropped` are the soft rules that were not kept.
    """

    want: int
    asked: int
    given: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    flip: tuple[Gap, ...] = ()
    dropped: Rule = Rule.NONE


@dataclass(frozen=True)
class Plan:
    """What is given, and the reasons, as columns in the order of serving.

    Place p is line `line[p]` of the demand; its candidates are the entries from `at[p]` to
    `at[p + 1]`. `lack` is what it would have needed more at `lack_node` (0 is anywhere); a line
    that got nothing because its order could not needs what the others of its order lack as well.
    """

    demand: Wants
    supply: Sources
    policy: Policy
    menus: Menus = field(repr=False)
    turns: Turns = field(repr=False)
    given: Ints
    lack: Ints
    lack_node: Ints
    at: Ints
    seen: Ints
    taken: Ints
    reason: npt.NDArray[np.int8]
    dropped: Ints

    @property
    def line(self) -> Ints:
        """The lines in the order of serving."""
        return self.turns.line

    @cached_property
    def entry(self) -> Ints:
        """The place of every entry among the candidates of the menus."""
        counts = np.diff(self.at)
        start = self.menus.start[self.menus.of[self.line]]
        return np.arange(len(self.taken)) + np.repeat(start - self.at[:-1], counts)

    @cached_property
    def taking(self) -> Ints:
        """The entries that something was taken from."""
        return np.flatnonzero(self.taken)

    @cached_property
    def taker(self) -> Ints:
        """The place of each that took, entry by entry of `taking`."""
        return np.searchsorted(self.at, self.taking, "right") - 1

    @cached_property
    def taken_from(self) -> Ints:
        """The supply of each take, as a place in the supplies."""
        return self.menus.supply[self.entry[self.taking]]

    @cached_property
    def spent(self) -> Ints:
        """What each take uses up of its supply."""
        return self.menus.spent(self.entry[self.taking], self.taken[self.taking])

    @cached_property
    def scores(self) -> Ints:
        """What it costs to serve a line in full from each entry, in minor units."""
        line = np.repeat(self.line, np.diff(self.at))
        return costs(self.menus, self.demand, self.policy, (line, self.entry))

    def takes(self) -> list[Take]:
        """Return what is taken, line by line in the order of serving."""
        entry = self.entry[self.taking]
        columns = (
            self.demand.id[self.line[self.taker]],
            self.supply.id[self.taken_from],
            self.menus.nodes[self.menus.node[entry]],
            self.taken[self.taking],
            self.menus.mode[entry],
            self.spent,
        )
        listed = zip(*(column.tolist() for column in columns), strict=True)
        return [
            Take(line, supply, node, steps, Mode(mode), spent)
            for line, supply, node, steps, mode, spent in listed
        ]

    def gaps(self, place: int) -> tuple[Gap, ...]:
        """Return what would have given the line the rest; nothing where it lacks nothing."""
        if self.given[place] >= self.demand.steps[self.line[place]]:
            return ()
        unit = int(np.searchsorted(self.turns.start, place, "right")) - 1
        places = [place]
        if self.turns.is_bound[unit]:
            places = list(range(int(self.turns.start[unit]), int(self.turns.start[unit + 1])))
        return tuple(
            Gap(
                int(self.demand.product[self.line[each]]),
                int(self.lack_node[each]) or None,
                int(self.lack[each]),
            )
            for each in places
            if self.lack[each] > 0
        )

    def verdicts(self) -> list[Verdict]:
        """Return the reasons, line by line in the order of serving."""
        entry = self.entry
        columns = (
            self.menus.nodes[self.menus.node[entry]],
            np.maximum(self.seen, 0),
            self.taken,
            self.reason,
            self.menus.mode[entry],
        )
        listed = zip(*(column.tolist() for column in columns), strict=True)
        candidates = [
            Candidate(node, free, taken, REASONS[why], Mode(mode))
            for node, free, taken, why, mode in listed
        ]
        at = self.at.tolist()
        return [
            Verdict(
                want=int(self.demand.id[line]),
                asked=int(self.demand.steps[line]),
                given=int(self.given[place]),
                candidates=candidates[at[place] : at[place + 1]],
                flip=self.gaps(place),
                dropped=Rule(int(self.dropped[place])),
            )
            for place, line in enumerate(self.line.tolist())
        ]

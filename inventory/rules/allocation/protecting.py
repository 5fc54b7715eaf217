"""Protected shares: what a segment may take of a supply, and whose share it then uses up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from inventory.rules.allocation.columns import (
    NEVER,
    Ints,
    Mode,
    Policy,
    Protection,
    Segment,
    Sources,
)

if TYPE_CHECKING:
    from inventory.rules.allocation.plans import Plan

ROOT = 0
Table = Ints


class Pots:
    """Supplies with protection, in pots: one for each segment, the rest in the root's.

    A segment takes from its own pot, then its ancestors', then those of lower rank beside it and
    beside each ancestor, the lowest first; never from a higher one, nor one that lends nothing.
    Supplies smaller than what is protected of them scale every pot down.
    """

    def __init__(self, supply: Sources, policy: Policy) -> None:
        self.segments = [ROOT, *(segment.id for segment in policy.segments)]
        self.column = {segment: place for place, segment in enumerate(self.segments)}
        self.paths, self.above = _paths(policy.segments, self.column)
        keys = sorted({(p.owner, p.product, p.node) for p in policy.protections})
        scope = {key: number for number, key in enumerate(keys)}
        self.of = np.full((2, len(supply) + 1), -1, np.int64)  # by supply: anywhere, at its node
        listed = (supply.owner.tolist(), supply.product.tolist(), supply.node.tolist())
        for row, (owner, product, node) in enumerate(zip(*listed, strict=True)):
            if supply.mode[row] >= Mode.BUY:
                continue
            self.of[0, row] = scope.get((owner, product, 0), -1)
            self.of[1, row] = scope.get((owner, product, node), -1)
        self.pot = np.zeros((len(keys), len(self.segments)), np.int64)
        self.cap = np.full(self.pot.shape, NEVER, np.int64)
        for each in policy.protections:
            at = (scope[each.owner, each.product, each.node], self.column[each.segment])
            self.pot[at] += each.floor
            self.cap[at] = each.cap
        steps = np.append(np.where(supply.is_open != 0, supply.steps, 0), 0)
        for number in range(len(keys)):
            held = int(steps[(self.of == number).any(0)].sum())
            self.pot[number] = _fitted(self.pot[number].tolist(), held)
        self.log: list[tuple[Table, Ints, Ints, Ints, Ints]] = []

    def columns(self, segment: Ints) -> Ints:
        """Return the places of segments; one that is not known is the root."""
        return np.array([self.column.get(each, ROOT) for each in segment.tolist()], np.int64)

    def budget(self, row: Ints, segment: Ints, wanted: Ints) -> Ints:
        """Return how much of `wanted` each line may take from its supply."""
        allowed, column = wanted.copy(), self.columns(segment)
        for scopes in self.of:
            scope = scopes[row]
            bound = scope >= 0
            path, above = self.paths[column], self.above[column]
            pots = np.where(path >= 0, self.pot[scope[:, None], path], 0).sum(1)
            caps = np.where(above >= 0, self.cap[scope[:, None], above], NEVER).min(1)
            allowed = np.where(bound, np.minimum(allowed, np.minimum(pots, caps)), allowed)
        return np.maximum(allowed, 0)

    def debit(self, places: Ints, row: Ints, segment: Ints, steps: Ints) -> None:
        """Take from the pots that a line may use, in their order; `places` say who took."""
        column = self.columns(segment)
        for scopes in self.of:
            lines = np.flatnonzero((scopes[row] >= 0) & (steps > 0))
            scope, rest = scopes[row[lines]], steps[lines].copy()
            for pot in self.paths[column[lines]].T:
                part = np.where(pot >= 0, np.minimum(rest, self.pot[scope, pot]), 0)
                self._move(self.pot, places[lines], scope, pot, part)
                rest -= part
            for cap in self.above[column[lines]].T:
                used = np.where(cap >= 0, steps[lines], 0)
                self._move(self.cap, places[lines], scope, cap, used)

    def _move(self, table: Table, places: Ints, scope: Ints, column: Ints, steps: Ints) -> None:
        np.subtract.at(table, (scope, column), steps)
        self.log.append((table, places, scope, column, steps))

    def credit(self, places: Ints) -> None:
        """Give back what these lines took since the wave began."""
        for table, who, scope, column, steps in self.log:
            back = np.isin(who, places)
            np.add.at(table, (scope[back], column[back]), steps[back])


def _paths(segments: Sequence[Segment], column: dict[int, int]) -> tuple[Table, Table]:
    """Return by segment the pots it may take from, in order, and the caps that bind it."""
    by_id = {segment.id: segment for segment in segments}
    children: dict[int, list[Segment]] = {}
    for segment in sorted(segments, key=lambda each: (-each.rank, each.id)):
        children.setdefault(segment.parent, []).append(segment)

    def subtree(segment: Segment) -> list[Segment]:
        return [
            segment,
            *(each for child in children.get(segment.id, []) for each in subtree(child)),
        ]

    paths: list[list[int]] = [[column[ROOT]]]
    above: list[list[int]] = [[column[ROOT]]]
    for segment in segments:
        line = [segment]
        while line[-1].parent in by_id:
            line.append(by_id[line[-1].parent])
        lower = [
            each
            for tier in line
            for beside in children[tier.parent]
            if beside.rank > tier.rank
            for each in subtree(beside)
            if each.lends
        ]
        own = [column[each.id] for each in line] + [column[ROOT]]
        above.append(own)
        paths.append([*own, *dict.fromkeys(column[each.id] for each in lower)])
    return _table(paths), _table(above)


def reach(segments: Sequence[Segment], segment: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the segments whose shares one may take from, and those whose caps bind it."""
    known = [ROOT, *(each.id for each in segments)]
    place = known.index(segment) if segment in known else 0
    paths, above = _paths(segments, {each: at for at, each in enumerate(known)})
    return (
        frozenset(known[at] for at in paths[place].tolist() if at >= 0),
        frozenset(known[at] for at in above[place].tolist() if at >= 0),
    )


def less(policy: Policy, made: "Plan") -> Policy:
    """Return the policy with what a plan gave taken off its shares, for a plan that comes after."""
    if not (policy.protects and policy.protections):
        return policy
    parents = {each.id: each.parent for each in policy.segments}
    got: Counter[tuple[int, int, int, int]] = Counter()
    row, line = made.taken_from, made.line[made.taker]
    stock = np.flatnonzero(made.supply.mode[row] < Mode.BUY)
    row, line, spent = row[stock], line[stock], made.spent[stock]
    columns = (made.supply.owner[row], made.supply.product[row], made.supply.node[row])
    segments = made.demand.segment[line].tolist()
    for *place, segment, steps in zip(
        *(column.tolist() for column in columns), segments, spent.tolist(), strict=True
    ):
        owner, product, node = place
        while segment:
            got[owner, product, node, segment] += steps
            got[owner, product, 0, segment] += steps
            segment = parents.get(segment, ROOT)  # noqa: PLW2901  upwards
    return replace(policy, protections=[_used(each, got) for each in policy.protections])


def _used(share: Protection, got: Counter[tuple[int, int, int, int]]) -> Protection:
    used = got[share.owner, share.product, share.node, share.segment]
    cap = share.cap if share.cap == NEVER else max(share.cap - used, 0)
    return share._replace(floor=max(share.floor - used, 0), cap=cap)


def _table(lists: list[list[int]]) -> Table:
    width = max(map(len, lists))
    return np.array([each + [-1] * (width - len(each)) for each in lists], np.int64)


def _fitted(floors: list[int], held: int) -> list[int]:
    """Return the pots of so much supply: the floors, scaled down if they are more, and the rest."""
    total = sum(floors)
    if total > held:
        parts = [floor * held // total for floor in floors]
        spare = held - sum(parts)
        order = sorted(range(len(floors)), key=lambda n: (-(floors[n] * held % total), n))
        for place in order[:spare]:
            parts[place] += 1
        return parts
    return [floors[0] + held - total, *floors[1:]]

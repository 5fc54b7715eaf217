"""Serving: a wave of lines, all at once, each from the best of its candidates."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from inventory.rules.allocation.choosing import View, cover, few_nodes, preferences
from inventory.rules.allocation.columns import (
    CODE,
    NEVER,
    Flags,
    Ints,
    Policy,
    Rejection,
    Rule,
    Sources,
    Wants,
)
from inventory.rules.allocation.menus import Menus
from inventory.rules.allocation.protecting import Pots
from inventory.rules.allocation.waves import Turns, waves

CELLS_MAX = 4_000_000  # of a wave's largest matrix


class Serving:
    """What is left of everything while a plan is made, and what each line has got so far.

    Columns by place are in the order of serving; columns by entry are the candidates of every line,
    one line after the other, from `at[place]` on.
    """

    def __init__(
        self,
        *,
        demand: Wants,
        supply: Sources,
        menus: Menus,
        turns: Turns,
        policy: Policy,
        pots: Pots | None,
    ) -> None:
        self.demand, self.supply, self.menus = demand, supply, menus
        self.turns, self.policy, self.pots = turns, policy, pots
        self.left = np.append(supply.steps, 0)  # the last stands for "no candidate"
        line = turns.line
        self.rules = demand.rules[line]
        self.soft = demand.soft[line]
        self.has_soft = bool(self.soft.any())
        self.is_repeated = self.has_soft or policy.fair_share
        self.nodes_max = np.where(
            self.rules & int(Rule.NO_SPLIT),
            1,
            np.where(demand.nodes_max[line], demand.nodes_max[line], NEVER),
        )
        self.limit = demand.steps[line]
        self.in_packs = False
        counts = menus.count[menus.of[line]]
        self.at = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        total = int(self.at[-1])
        self.seen = np.full(total, -1, np.int64)
        self.taken = np.zeros(total, np.int64)
        self.reason = np.zeros(total, np.int8)
        self.spare = np.zeros(len(line), np.int8)  # why a line took nothing of what it could
        self.given = np.zeros(len(line), np.int64)
        self.lack = np.zeros(len(line), np.int64)
        self.lack_node = np.zeros(len(line), np.int64)
        self.dropped = np.zeros(len(line), np.int64)
        self.allowed = np.array(
            [np.isin(menus.nodes, list(nodes)) for nodes in demand.sets], bool
        ).reshape(len(demand.sets), len(menus.nodes))
        self.room = np.full(len(menus.nodes) + 1, NEVER, np.int64)
        for node, lines in policy.capacity:
            if node not in menus.nodes:
                continue
            self.room[np.searchsorted(menus.nodes, node)] = lines
        self.is_careful = bool(
            pots or policy.capacity or policy.split_minimum or not menus.is_plain
        )

    def serve(self, units: Ints | None = None) -> None:
        """Serve these units (places in the order of units), wave by wave; all of them if None."""
        for chosen, step in waves(self.turns, self.menus, self.demand, units):
            for part in self._parts(chosen):
                self._wave(part, step)

    def reasons(self) -> npt.NDArray[np.int8]:
        """Return why each candidate gave nothing; zero where it gave something."""
        count = np.diff(self.at)
        start = np.repeat(self.menus.start[self.menus.of[self.turns.line]] - self.at[:-1], count)
        stock = self.supply.steps[self.menus.supply[np.arange(len(self.seen)) + start]]
        gone = np.where(stock > 0, CODE[Rejection.TAKEN], CODE[Rejection.EMPTY])
        why = np.where(self.seen > 0, np.repeat(self.spare, count), gone)
        why = np.where(self.reason == 0, why, self.reason)
        return np.where(self.taken > 0, 0, why).astype(np.int8)

    def _parts(self, units: Ints) -> Iterator[Ints]:
        """Yield a wave in parts of which no matrix grows too large."""
        widest = max(len(self.menus.nodes), int(self.menus.count.max(initial=1)) * 8)
        size = max(CELLS_MAX // widest, 1)
        for begin in range(0, len(units), size):
            yield units[begin : begin + size]

    def _wave(self, units: Ints, step: Ints) -> None:
        view = View(self, units)
        if self.pots is not None:
            self.pots.log.clear()
        if not view.width:
            self.lack[view.places] = self.demand.steps[view.line]
            self.lack_node[view.places] = view.wished(self)
            return
        view.find_usable(self)
        limited = self.nodes_max[view.places] < NEVER
        if limited.any():
            few_nodes(self, view, step[view.places])
        covers = None
        if view.has_orders:
            covers = cover(self, view, step[view.places])
        steps = step[view.places]
        for turn in range(int(steps.max(initial=0)) + 1):
            lines = None if not steps.any() else np.flatnonzero(steps == turn)
            self._take(view, lines, covers)
        self._settle(view, step)

    def _take(self, view: View, lines: Ints | None, covers: tuple[Ints, Ints] | None) -> None:
        """Give the lines of a view (places within it; None is all) what they can get."""
        part = view if lines is None else view.part(lines)
        if not len(part.places):
            return
        part.look(self)
        if lines is not None:  # a free line sees what those before it in its order left
            free = ~self.turns.is_bound[view.units[part.unit]]
            view.seen[lines[free]] = part.there[free]
        order = preferences(self, part, covers)
        usable = np.take_along_axis(part.usable, order, 1)
        rows = np.where(usable, np.take_along_axis(part.row, order, 1), len(self.supply))
        best = np.where(usable[:, 0], order[:, 0], -1)
        want = self._wanted(part)
        if self.is_careful:
            got = self._one_by_one(part, order, usable, rows, want)
        else:
            have = self.left[rows]
            before = np.cumsum(have, 1) - have
            got = np.minimum(have, np.maximum(want[:, None] - before, 0))
            self.left[rows] = have - got
            self.left[-1] = 0
        taken = np.empty_like(got)
        np.put_along_axis(taken, order, got, 1)
        view.keep(lines, taken, best)

    def _wanted(self, part: View) -> Ints:
        """Return how much each line may get now: in packs where shares are in packs."""
        want: Ints = self.limit[part.places] - self.given[part.places]
        if not self.in_packs:
            return want
        pack = self.demand.multiple[part.line]
        there = np.minimum(want, np.where(part.usable, part.there, 0).sum(1))
        missing = self.demand.steps[part.line] - self.given[part.places]
        whole: Ints = np.where(there >= missing, there, there // pack * pack)
        return whole

    def _one_by_one(self, part: View, order: Ints, usable: Flags, rows: Ints, want: Ints) -> Ints:
        """Give from the best candidate, then the next: each may be bound by what the last took."""
        menus, rest = self.menus, want.copy()
        got = np.zeros(order.shape, np.int64)
        entry = np.take_along_axis(part.entry, order, 1)
        total = np.take_along_axis(part.at_node, order, 1)
        fits = np.ones(len(rest), bool)
        lines = np.arange(len(rest))
        for place in range(order.shape[1]):
            row, each = rows[:, place], entry[:, place]
            if not rest.any() or not usable[:, place].any():
                break
            have = menus.worth(each, self.left[row])
            gets = np.where(usable[:, place], menus.whole(each, np.minimum(rest, have)), 0)
            same = np.zeros(len(rest), bool)
            if place:
                before = entry[:, place - 1]
                same = menus.first[each] == menus.first[before]
            if self.policy.split_minimum:
                fits = np.where(
                    same, fits, self._worth(part, np.minimum(total[:, place], rest), rest)
                )
                self._refuse(part, order[:, place], (gets > 0) & ~fits, Rejection.SPLIT_TOO_SMALL)
                gets = np.where(fits, gets, 0)
            if self.policy.capacity:
                new = ~same | (got[:, place - 1] == 0 if place else True)
                gets = self._into_room(part, order[:, place], each, gets, new)
            if self.pots is not None:
                allowed = self.pots.budget(row, self.demand.segment[part.line], gets)
                self._refuse(part, order[:, place], allowed < gets, Rejection.PROTECTED)
                gets = menus.whole(each, allowed)
                self.pots.debit(part.places, row, self.demand.segment[part.line], gets)
            spent = menus.spent(each, gets)
            mine = gets > 0
            self.left[row[mine]] -= spent[mine]
            got[lines, place] = gets
            rest -= gets
        return got

    def _worth(self, part: View, piece: Ints, rest: Ints) -> Flags:
        """Test if both halves of a split are worth sending, or nothing is split."""
        value = self.demand.value[part.line]
        least = self.policy.split_minimum * 1000
        both = (piece * value >= least) & ((rest - piece) * value >= least)
        worth: Flags = (piece >= rest) | both
        return worth

    def _into_room(self, part: View, column: Ints, entry: Ints, gets: Ints, new: Flags) -> Ints:
        """Return what a node still has the hands to pick; a line counts once at a node."""
        node = self.menus.node[entry]
        full = (gets > 0) & new & (self.room[node] <= 0)
        self._refuse(part, column, full, Rejection.AT_CAPACITY)
        kept = np.where(full, 0, gets)
        counted = (kept > 0) & new
        np.subtract.at(self.room, node[counted], 1)
        part.counts[np.flatnonzero(counted), column[counted]] = True
        return kept

    @staticmethod
    def _refuse(part: View, column: Ints, refused: Flags, why: Rejection) -> None:
        lines = np.flatnonzero(refused)
        part.why[lines, column[lines]] = CODE[why]

    def _settle(self, view: View, step: Ints) -> None:
        """Take back what must not be, try again without what is soft, and write the rest down."""
        got = view.taken.sum(1)
        want = self.limit[view.places] - self.given[view.places]
        short = got < want
        rules = self.rules[view.places]
        broken = view.any_of_unit(short)
        whole = view.any_of_unit((rules & int(Rule.SHIP_COMPLETE)) != 0)
        refused = (broken & whole) | (short & ((rules & int(Rule.LINE_COMPLETE)) != 0))
        again = np.zeros(0, np.int64)
        if self.has_soft:
            softened = view.any_of_unit(short & ((self.soft[view.places] & rules) != 0))
            again = np.unique(view.unit[softened])
            refused |= softened
        if refused.any():
            self._put_back(view, refused)
        view.write(self, self.demand.steps[view.line] - self.given[view.places] - got, refused)
        if len(again):
            lines = view.places[np.isin(view.unit, again)]
            self.dropped[lines] |= self.soft[lines] & self.rules[lines]
            gone = (self.soft[lines] & int(Rule.NO_SPLIT | Rule.NODES_MAX)) != 0
            self.nodes_max[lines] = np.where(gone, NEVER, self.nodes_max[lines])
            self.rules[lines] &= ~self.soft[lines]
            self.soft[lines] = 0
            self._wave(view.units[again], step)

    def _put_back(self, view: View, refused: Flags) -> None:
        """Give back what these lines took."""
        lines, columns = np.nonzero(np.where(refused[:, None], view.taken, 0))
        rows, steps = view.row[lines, columns], view.taken[lines, columns]
        np.add.at(self.left, rows, self.menus.spent(view.entry[lines, columns], steps))
        if self.pots is not None:
            self.pots.credit(view.places[refused])
        if self.policy.capacity:
            counted = view.counts[lines, columns]
            np.add.at(self.room, self.menus.node[view.entry[lines, columns]][counted], 1)
        view.taken[refused] = 0

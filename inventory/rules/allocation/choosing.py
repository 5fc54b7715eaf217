"""What a wave of lines sees, and which candidate each prefers."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from inventory.rules.allocation.columns import (
    CODE,
    NEVER,
    Consent,
    Criterion,
    Flags,
    Ints,
    Mode,
    Policy,
    Rejection,
    Rule,
    Wants,
    scaled,
)
from inventory.rules.allocation.menus import Menus

if TYPE_CHECKING:
    from inventory.rules.allocation.serving import Serving


class View:
    """Some units as a matrix: a row for each line, a column for each of its candidates.

    `there` is what a candidate has, in steps of the line's product; `at_node` what its node has in
    the same mode. `unit` is a place among `units`.
    """

    def __init__(self, serving: "Serving", units: Ints) -> None:
        turns, menus = serving.turns, serving.menus
        sizes = turns.size[units]
        self.units = units
        self.unit = np.repeat(np.arange(len(units)), sizes)
        offset = np.arange(len(self.unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.places = turns.start[units][self.unit] + offset
        self.line = turns.line[self.places]
        self.sizes = sizes
        self.has_orders = bool((sizes > 1).any())
        menu = menus.of[self.line]
        count = menus.count[menu]
        self.width = int(count.max(initial=0))
        columns = np.arange(self.width)
        self.is_real: Flags = columns < count[:, None]
        self.entry = np.where(self.is_real, menus.start[menu][:, None] + columns, 0)
        if self.width:
            self.row = np.where(self.is_real, menus.supply[self.entry], len(serving.supply))
        self.taken = np.zeros(self.entry.shape, np.int64)
        self.best = np.full(len(self.line), -1)
        self.is_split: Flags = np.zeros(len(self.line), bool)
        if serving.is_careful:
            self.counts: Flags = np.zeros(self.entry.shape, bool)

    def part(self, lines: Ints) -> "View":
        """Return some of the lines; what they take is brought back by `keep`."""
        part = View.__new__(View)
        for name in ("unit", "places", "line", "is_real", "entry", "row", "usable", "why"):
            setattr(part, name, getattr(self, name)[lines])
        if hasattr(self, "counts"):
            part.counts = self.counts[lines]
        part.width, part.sizes = self.width, self.sizes
        part.lines = lines
        return part

    lines: Ints
    there: Ints
    at_node: Ints
    seen: Ints
    usable: Flags
    why: npt.NDArray[np.int8]

    def find_usable(self, serving: "Serving") -> None:
        """Find what each line may take from, and why not from the rest."""
        menus, demand = serving.menus, serving.demand
        why = menus.refused[self.entry]
        rules = serving.rules[self.places]
        if (rules & int(Rule.ONLY_NODES)).any():
            allowed = serving.allowed[demand.only[self.line][:, None], menus.node[self.entry]]
            barred = ~allowed & ((rules & int(Rule.ONLY_NODES)) != 0)[:, None]
            why = np.where((why == 0) & barred, CODE[Rejection.NOT_ALLOWED], why)
        if (rules & int(Rule.FRESH)).any():
            expires = serving.supply.expires[menus.supply[self.entry]]
            old = (expires < demand.fresh_until[self.line][:, None]) & (
                (rules & int(Rule.FRESH)) != 0
            )[:, None]
            why = np.where((why == 0) & old, CODE[Rejection.TOO_OLD], why)
        if demand.barred.any():
            bars = (demand.barred[self.line][:, None] >> menus.mode[self.entry]) & 1
            why = np.where((why == 0) & (bars != 0), CODE[Rejection.POLICY], why)
        if not menus.is_plain:
            why = np.where(why == 0, self._consented(serving, rules), why)
        if serving.policy.wait_days is not None:
            late = demand.weight[self.line] * serving.policy.wait_days
            dear = score(serving, self) > (late * demand.steps[self.line] // 1000)[:, None]
            why = np.where((why == 0) & dear, CODE[Rejection.NOT_WORTH_IT], why)
        self.why = np.where(self.is_real, why, 0).astype(np.int8)
        self.look(serving)
        self.seen = self.there
        self.usable = self.is_real & (self.why == 0) & (self.there > 0)

    def _consented(self, serving: "Serving", rules: Ints) -> Ints:
        """Return why a substitute may not be used, or nothing."""
        menus = serving.menus
        is_other = menus.mode[self.entry] == int(Mode.SUBSTITUTE)
        said = serving.demand.consent[self.line][:, None]
        pair = menus.consent[self.entry]
        never = ((rules & int(Rule.NO_SUBSTITUTES)) != 0)[:, None] | (said == Consent.NEVER)
        never = never | (pair == Consent.NEVER)
        asks = (said != Consent.ALWAYS) & (pair != Consent.ALWAYS)
        asks = asks | (said == Consent.EVERY_TIME) | (pair == Consent.EVERY_TIME)
        asked = np.where(asks, CODE[Rejection.NEEDS_CONSENT], 0)
        return np.where(is_other, np.where(never, CODE[Rejection.NO_SUBSTITUTE], asked), 0)

    def look(self, serving: "Serving") -> None:
        """Read what is left now."""
        menus = serving.menus
        self.there = serving.left[self.row]
        if not menus.is_plain:
            self.there = menus.worth(self.entry, self.there)
        self.at_node = self.there
        if menus.has_lots:
            free = np.where(self.is_real & (self.why == 0), self.there, 0)
            total = np.cumsum(free, 1)
            first = np.where(self.is_real, menus.first[self.entry], 0)
            last = np.where(self.is_real, menus.last[self.entry], 0)
            upto, begin = (
                np.take_along_axis(each, at, 1) for each, at in ((total, last), (total, first))
            )
            self.at_node = upto - begin + np.take_along_axis(free, first, 1)
        if hasattr(self, "usable"):
            self.usable = self.usable & (self.there > 0)

    def keep(self, lines: Ints | None, taken: Ints, best: Ints) -> None:
        if lines is None:
            self.taken, self.best = taken, best
        else:
            self.taken[lines], self.best[lines] = taken, best

    def any_of_unit(self, flags: Flags) -> Flags:
        """Return for each line if a flag is up for any line of its unit."""
        if not flags.any():
            return flags
        raised = np.zeros(len(self.units), bool)
        raised[self.unit[flags]] = True
        return raised[self.unit]

    def wished(self, serving: "Serving") -> Ints:
        """Return the node where more would help first: the one named, the best, or any usable."""
        menus, demand = serving.menus, serving.demand
        rules = serving.rules[self.places]
        named = demand.node[self.line]
        bound = (rules & int(Rule.ONLY_NODES)) != 0
        wished = np.zeros(len(named), np.int64)
        if self.width:
            is_open = self.is_real & (menus.refused[self.entry] == 0)
            column = np.where(self.best >= 0, self.best, is_open.argmax(1))
            entry = np.take_along_axis(self.entry, column[:, None], 1)[:, 0]
            wished = np.where(is_open.any(1), menus.nodes[menus.node[entry]], 0)
        if bound.any():
            least = np.array([min(nodes, default=0) for nodes in demand.sets], np.int64)
            other = bound & (self.best < 0)
            wished[other] = least[demand.only[self.line[other]]]
            place = np.searchsorted(menus.nodes, named)
            allowed = serving.allowed[demand.only[self.line], place] | ~bound
            return np.where((named > 0) & allowed, named, wished)
        return np.where(named > 0, named, wished)

    def write(self, serving: "Serving", missing: Ints, refused: Flags) -> None:
        """Write down what the lines saw, took, and lack."""
        serving.lack[self.places] = np.where(missing > 0, missing, 0)
        wished = self.wished(serving)
        if self.is_split.any():
            wished = np.where(self.is_split, self.chosen_node(serving), wished)
        serving.lack_node[self.places] = wished
        serving.given[self.places] += self.taken.sum(1)
        flat = (serving.at[self.places][:, None] + np.arange(self.width))[self.is_real]
        if serving.is_repeated:
            new = serving.seen[flat] < 0
            serving.seen[flat[new]] = self.seen[self.is_real][new]
            serving.taken[flat] += self.taken[self.is_real]
        else:
            serving.seen[flat] = self.seen[self.is_real]
            serving.taken[flat] = self.taken[self.is_real]
        serving.reason[flat] = self.why[self.is_real]
        limited = serving.limit[self.places] < serving.demand.steps[self.line]
        spare = np.where(limited, CODE[Rejection.SHARED], CODE[Rejection.NOT_NEEDED])
        spare = np.where(self.is_split, CODE[Rejection.SPLIT], spare)
        serving.spare[self.places] = np.where(refused, CODE[Rejection.INCOMPLETE], spare)

    chosen: Ints

    def chosen_node(self, serving: "Serving") -> Ints:
        """Return the node that a unit leaves from as a whole, else the one a line names."""
        at = self.chosen[self.unit]
        named = serving.demand.node[self.line]
        return np.where(at >= 0, serving.menus.nodes[np.maximum(at, 0)], named)


def score(serving: "Serving", view: View) -> Ints:
    """Return what serving each line in full from each candidate costs, in minor units.

    Lateness times the customer's weight, or the price of being faster, what it costs to serve, and
    the margin that a substitute loses.
    """
    line = view.line[:, None]
    return costs(serving.menus, serving.demand, serving.policy, (line, view.entry))


def costs(menus: Menus, demand: Wants, policy: Policy, at: tuple[Ints, Ints]) -> Ints:
    """Return what serving lines in full from candidates (line, entry) costs; see `score`."""
    line, entry = at
    steps, weight = demand.steps[line], demand.weight[line]
    late = np.maximum(menus.days[entry] - demand.due[line], 0)
    cost = scaled(weight * late, steps)
    if policy.expedite_days:
        sooner = np.maximum(late - policy.expedite_days, 0)
        cost = np.minimum(cost, policy.expedite_cost + scaled(weight * sooner, steps))
    each = menus.per_unit[entry] + menus.margin[entry]
    return cost + menus.fixed[entry] + scaled(each, steps)


def preferences(serving: "Serving", view: View, covers: tuple[Ints, Ints] | None) -> Ints:
    """Return for each line its candidates' columns, the best first and the unusable last."""
    menus, policy = serving.menus, serving.policy
    if view.width == 1:
        return np.zeros(view.entry.shape, np.int64)
    keys: list[Any] = [
        key for criterion in policy.nodes_by for key in _keys(serving, view, criterion, covers)
    ]
    if menus.has_modes and Criterion.SCORE not in policy.nodes_by:
        keys[:0] = [menus.mode[view.entry], menus.rank[view.entry]]
    if menus.has_lots:
        keys.append(menus.node[view.entry])
    keys.insert(0, ~view.usable)
    return np.lexsort(keys[::-1], axis=-1)


def _keys(
    serving: "Serving", view: View, criterion: Criterion, covers: tuple[Ints, Ints] | None
) -> list[Ints]:
    """Return what a criterion orders candidates by: the lowest first."""
    menus, demand = serving.menus, serving.demand
    node, named = menus.node[view.entry], demand.node[view.line]
    steps = (demand.steps[view.line] - serving.given[view.places])[:, None]
    if criterion is Criterion.NAMED:
        return [menus.nodes[node] != named[:, None]] if named.any() else []
    if criterion is Criterion.WHOLE_LINE:
        return [view.at_node < steps]
    if criterion is Criterion.MOST:
        return [-view.at_node]
    if criterion is Criterion.SCORE:
        further = np.where(view.at_node < steps, serving.policy.split_cost, 0)
        return [score(serving, view) + further]
    if covers is None:
        return []
    several = (view.sizes > 1)[view.unit][:, None]
    unit = view.unit[:, None]
    best = [np.where(several, -each[unit, node], 0) for each in covers]
    return [*best, np.where(several, node, 0)]


def cover(serving: "Serving", view: View, step: Ints) -> tuple[Ints, Ints]:
    """Return by unit and node how many lines it could serve in full, and how much in all."""
    menus = serving.menus
    shape = (len(view.units), len(menus.nodes))
    lines, steps = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    node = menus.node[view.entry]
    want = (serving.limit[view.places] - serving.given[view.places])[:, None]
    usable = view.usable
    if menus.has_lots:  # what a node has in all is said once
        first = np.where(view.is_real, menus.first[view.entry], 0)
        upto = np.cumsum(usable, 1)
        usable = usable & (upto - np.take_along_axis(upto - usable, first, 1) == 1)
    spent = np.zeros(len(serving.left), np.int64) if step.any() else None
    for turn in range(int(step.max(initial=0)) + 1):
        chosen = usable & (step == turn)[:, None] if spent is not None else usable
        there = view.at_node if spent is None else view.at_node - spent[view.row]
        gets = np.where(chosen, np.minimum(want, np.maximum(there, 0)), 0)
        at = (np.broadcast_to(view.unit[:, None], node.shape), node)
        np.add.at(steps, at, gets)
        np.add.at(lines, at, chosen & (gets == want))
        if spent is not None:
            np.add.at(spent, view.row, gets)
            spent[-1] = 0
    return lines, steps


def few_nodes(serving: "Serving", view: View, step: Ints) -> None:
    """Leave units that go from few nodes only with those that serve most of them."""
    lines, steps = cover(serving, view, step)
    demand, menus = serving.demand, serving.menus
    named = np.zeros(lines.shape, np.int64)
    place = np.searchsorted(menus.nodes, demand.node[view.line])
    np.add.at(named, (view.unit, place), demand.node[view.line] > 0)
    node = np.broadcast_to(np.arange(lines.shape[1]), lines.shape)
    whole = lines < view.sizes[:, None]
    order = np.lexsort((node, -steps, -lines, -named, whole, steps == 0), axis=-1)
    most = np.full(len(view.units), NEVER)
    np.minimum.at(most, view.unit, serving.nodes_max[view.places])
    turn = np.empty_like(order)
    np.put_along_axis(turn, order, node, 1)
    kept = turn < most[:, None]
    view.chosen = np.where(steps.any(1), order[:, 0], -1)
    view.is_split = (most < NEVER)[view.unit]
    view.usable = view.usable & kept[view.unit[:, None], menus.node[view.entry]]

"""From what a line may be served: the candidates of each (owner, product), made once for all."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inventory.rules.allocation.columns import (
    CODE,
    Affiliation,
    Consent,
    Flags,
    Ints,
    Lane,
    Mode,
    Policy,
    Rejection,
    Sources,
    Substitution,
    Wants,
)


class Entry(NamedTuple):
    """One candidate of a menu before it becomes columns. `by` is the place of the supply."""

    by: int
    node: int
    mode: int
    units: int = 1
    per: int = 1
    days: int = 0
    fixed: int = 0
    per_unit: int = 0
    margin: int = 0
    consent: int = Consent.ALWAYS
    stale: int = 0
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Menus:
    """Candidates as columns; those of menu m stand from `start[m]`, `count[m]` of them.

    Within a menu they are in the order of node, mode, expiry and id. `first` and `last` are the
    places within the menu where what a node gives in one mode begins and ends. `of` is each line's
    menu. `touched[m]` are the resources that serving from a menu uses up.
    """

    of: Ints
    start: Ints
    count: Ints
    supply: Ints
    node: Ints  # places among `nodes`
    nodes: Ints
    first: Ints
    last: Ints
    mode: Ints
    units: Ints
    per: Ints
    days: Ints
    fixed: Ints
    per_unit: Ints
    margin: Ints
    consent: Ints
    rank: Ints
    refused: Ints
    has_lots: bool
    has_modes: bool
    is_plain: bool
    touched: list[tuple[int, ...]] | None

    def worth(self, entry: Ints, left: Ints) -> Ints:
        """Return for how much of the line's product so much of the supplies would do."""
        return left if self.is_plain else left // self.per[entry] * self.units[entry]

    def whole(self, entry: Ints, steps: Ints) -> Ints:
        """Return what of so much of the line's product is a whole number of exchanges."""
        return steps if self.is_plain else steps // self.units[entry] * self.units[entry]

    def spent(self, entry: Ints, steps: Ints) -> Ints:
        """Return how much of the supplies so much of the line's product, if whole, uses up."""
        return steps if self.is_plain else steps // self.units[entry] * self.per[entry]


def menus_of(demand: Wants, supply: Sources, policy: Policy) -> Menus:
    """Return the candidates of every line of `demand`."""
    keys, of = _keys(demand)
    if policy.substitutions or policy.lanes or policy.affiliations:
        return _composed(keys, of, demand, supply, policy)
    owner, product = keys
    wanted = _pairs(supply.owner, supply.product)
    asked = _pairs(owner, product)
    order = np.lexsort((supply.id, supply.expires, supply.mode, supply.node, wanted))
    wanted = wanted[order]
    start = np.searchsorted(wanted, asked, "left")
    count = np.searchsorted(wanted, asked, "right") - start
    ones, zeros = np.ones(len(order), np.int64), np.zeros(len(order), np.int64)
    entries = _Entries(order, supply.node[order], supply.mode[order])
    entries.more = (ones, ones, zeros, zeros, zeros, zeros, zeros + Consent.ALWAYS, zeros, zeros)
    return _menus(
        of=of,
        start=start,
        count=count,
        entries=entries,
        menu=wanted,
        demand=demand,
        supply=supply,
        touched=None,
    )


def _pairs(owner: Ints, product: Ints) -> Ints:
    """Return one number for each (owner, product); ids stay far below 2**31."""
    return (owner << 32) | product


def _keys(demand: Wants) -> tuple[tuple[Ints, Ints], Ints]:
    pairs, of = np.unique(_pairs(demand.owner, demand.product), return_inverse=True)
    return (pairs >> 32, pairs & (2**32 - 1)), of.astype(np.int64)


class _Entries:
    """Columns of candidates while menus are made."""

    more: tuple[Ints, ...]

    def __init__(self, by: Ints, node: Ints, mode: Ints) -> None:
        self.by, self.node, self.mode = by, node, mode


def _menus(
    *,
    of: Ints,
    start: Ints,
    count: Ints,
    entries: _Entries,
    menu: Ints,
    demand: Wants,
    supply: Sources,
    touched: list[tuple[int, ...]] | None,
) -> Menus:
    units, per, days, fixed, per_unit, margin, consent, stale, rank = entries.more
    named = np.array(sorted({node for nodes in demand.sets for node in nodes}), np.int64)
    nodes = np.unique(np.concatenate([entries.node, demand.node, named]))
    node = np.searchsorted(nodes, entries.node)
    first, last = _runs(menu, node * len(Mode) + entries.mode)
    begins = np.searchsorted(menu, menu, "left")
    refused = np.where(supply.is_open[entries.by] != 0, stale, CODE[Rejection.CLOSED])
    return Menus(
        of=of,
        start=start,
        count=count,
        supply=entries.by,
        node=node,
        nodes=nodes,
        first=first - begins,
        last=last - begins,
        mode=entries.mode,
        units=units,
        per=per,
        days=days + supply.day[entries.by],
        fixed=fixed + supply.fixed[entries.by],
        per_unit=per_unit + supply.per_unit[entries.by],
        margin=margin,
        consent=consent,
        rank=rank,
        refused=refused,
        has_modes=bool(entries.mode.any()),
        has_lots=bool((first != last).any()),
        is_plain=touched is None,
        touched=touched,
    )


def _runs(menu: Ints, node: Ints) -> tuple[Ints, Ints]:
    """Return for each candidate where its run of the same node and mode begins and ends."""
    size = len(menu)
    if not size:
        return menu, menu
    breaks: Flags = np.ones(size, bool)
    breaks[1:] = (menu[1:] != menu[:-1]) | (node[1:] != node[:-1])
    starts = np.flatnonzero(breaks)
    run = np.cumsum(breaks) - 1
    ends = np.append(starts[1:], size) - 1
    return starts[run], ends[run]


def _composed(
    keys: tuple[Ints, Ints], of: Ints, demand: Wants, supply: Sources, policy: Policy
) -> Menus:
    """Return menus of more than a company's own stock of the product itself."""
    shelves: dict[tuple[int, int], list[int]] = {}
    listed = zip(supply.owner.tolist(), supply.product.tolist(), strict=True)
    for number, key in enumerate(listed):
        shelves.setdefault(key, []).append(number)
    rows: list[tuple[int, Entry]] = []
    touched: list[tuple[int, ...]] = []
    places = {key: place for place, key in enumerate(shelves)}
    ways = _Ways(policy)
    for menu, (owner, product) in enumerate(zip(*(k.tolist() for k in keys), strict=True)):
        used = {(owner, product)} & shelves.keys()
        for shelf, entry in ways.to(owner, product, shelves, supply):
            rows.append((menu, entry))
            used.add(shelf)
        touched.append(tuple(sorted(places[shelf] for shelf in used)))
    rows.sort(
        key=lambda row: (
            row[0],
            row[1].node,
            row[1].mode,
            int(supply.expires[row[1].by]),
            int(supply.id[row[1].by]),
            row[1],
        )
    )
    columns = (
        np.array([entry for _, entry in rows], np.int64).reshape(len(rows), len(Entry._fields)).T
    )
    menu_of = np.array([menu for menu, _ in rows], np.int64)
    entries = _Entries(columns[0], columns[1], columns[2])
    entries.more = tuple(columns[3:])
    numbers = np.arange(len(keys[0]))
    start = np.searchsorted(menu_of, numbers, "left")
    count = np.searchsorted(menu_of, numbers, "right") - start
    return _menus(
        of=of,
        start=start,
        count=count,
        entries=entries,
        menu=menu_of,
        demand=demand,
        supply=supply,
        touched=touched,
    )


class _Ways:
    """A policy's ways beside a company's own stock, by what they lead to."""

    def __init__(self, policy: Policy) -> None:
        self.today = policy.today
        self.pairs: dict[int, list[Substitution]] = {}
        for pair in policy.substitutions:
            self.pairs.setdefault(pair.product, []).append(pair)
        self.lanes: dict[int, list[Lane]] = {}
        for lane in policy.lanes:
            self.lanes.setdefault(lane.origin, []).append(lane)
        self.sellers: dict[int, list[Affiliation]] = {}
        for each in policy.affiliations:
            self.sellers.setdefault(each.buyer, []).append(each)

    def to(
        self, owner: int, product: int, shelves: dict[tuple[int, int], list[int]], supply: Sources
    ) -> Iterator[tuple[tuple[int, int], Entry]]:
        """Yield every way to serve a product of an owner, with the shelf that it uses up."""
        for by in shelves.get((owner, product), []):
            own = Entry(by, int(supply.node[by]), int(supply.mode[by]))
            yield (owner, product), own
            yield from (((owner, product), moved) for moved in self._moved(own))
        for each in self.sellers.get(owner, []):
            for by in shelves.get((each.seller, product), []):
                shelf = (each.seller, product)
                yield from ((shelf, entry) for entry in self._sold(each, by, product, supply))
        for pair in self.pairs.get(product, []):
            shelf = (owner, pair.by)
            for by in shelves.get(shelf, []):
                yield shelf, _instead(by, int(supply.node[by]), pair, self.today)

    def _sold(self, each: Affiliation, by: int, product: int, supply: Sources) -> Iterator[Entry]:
        """Yield the ways in which another company's stock may be bought of it."""
        if each.product not in {0, product} or int(supply.mode[by]) != Mode.STOCK:
            return
        cost = {"fixed": each.fixed, "per_unit": each.per_unit}
        entry = Entry(by, int(supply.node[by]), int(Mode.AFFILIATE), days=each.days, **cost)
        if not each.moves:
            yield entry
            return
        for lane in self.lanes.get(entry.node, []):
            yield entry._replace(
                node=lane.target,
                days=each.days + lane.days,
                fixed=each.fixed + lane.fixed,
                per_unit=each.per_unit + lane.per_unit,
            )

    def _moved(self, own: Entry) -> Iterator[Entry]:
        """Yield the ways by which stock may first be moved to another node."""
        for lane in self.lanes.get(own.node, []) if own.mode == Mode.STOCK else []:
            yield own._replace(
                node=lane.target,
                mode=int(Mode.TRANSFER),
                days=lane.days,
                fixed=lane.fixed,
                per_unit=lane.per_unit,
            )


def _instead(by: int, node: int, pair: Substitution, today: int) -> Entry:
    is_valid = pair.since <= today <= pair.until
    return Entry(
        by,
        node,
        int(Mode.SUBSTITUTE),
        units=pair.units,
        per=pair.per,
        margin=pair.margin,
        consent=int(pair.consent),
        stale=0 if is_valid else CODE[Rejection.NO_SUBSTITUTE],
        rank=pair.rank,
    )

"""The allocation decision: who gets how much, from where, and why not more.

Lines are served in the order of their rank, each from the best node for it, until it has all it
wants or nothing that it may take is left. An order that leaves complete or from one node is decided
as a whole at the rank of its first line. Nothing here knows a clock or a database; quantities are
whole thousandths; the order in which lines and supplies are given never matters.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

Rank = tuple[int, int, int]
NEVER = 2**31  # past every day's ordinal


class Rejection(StrEnum):
    """Why a node gave nothing."""

    CLOSED = "closed"
    NOT_ALLOWED = "not_allowed"
    EMPTY = "empty"
    TAKEN = "taken"
    NOT_NEEDED = "not_needed"
    SPLIT = "split"
    INCOMPLETE = "incomplete"


class Criterion(StrEnum):
    """By what a line prefers one node to another, in the built-in order."""

    NAMED = "named"
    WHOLE_LINE = "whole_line"
    WHOLE_ORDER = "whole_order"
    MOST = "most"


@dataclass(frozen=True, slots=True)
class Policy:
    """How nodes are preferred: the first criterion that tells two nodes apart decides."""

    nodes_by: tuple[Criterion, ...] = tuple(Criterion)


@dataclass(frozen=True, slots=True)
class Want:
    """One line: `steps` of a product out of what `owner` owns. The lowest `rank` goes first.

    `only` are the nodes it may be served from; None is any.
    """

    id: int
    owner: int
    product: int
    steps: int
    rank: Rank
    group: int
    node: int | None = None
    ship_complete: bool = False
    no_split: bool = False
    only: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Supply:
    """One balance: `steps` that nobody has reserved. A closed node gives nothing.

    `expires` is the day's ordinal, None is never: of one node's balances the first to expire is
    taken first.
    """

    id: int
    owner: int
    product: int
    node: int
    steps: int
    is_open: bool = True
    expires: int | None = None


class Take(NamedTuple):
    """So much of one supply for one line; never zero."""

    want: int
    supply: int
    node: int
    steps: int


class Candidate(NamedTuple):
    """One node as a line saw it: what was left there, what it took, or why it took nothing."""

    node: int
    available: int
    taken: int
    rejected: Rejection | None


@dataclass(frozen=True, slots=True)
class Gap:
    """So much more of a product at a node (None is any) would have been enough."""

    product: int
    node: int | None
    steps: int


@dataclass(slots=True)
class Verdict:
    """What one line got. `flip` is the smallest change that would have given it the rest."""

    want: Want
    given: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    flip: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is given, and the reasons, in the order of rank."""

    takes: list[Take]
    verdicts: list[Verdict]


def plan(wants: Iterable[Want], supplies: Iterable[Supply], policy: Policy = Policy()) -> Plan:
    """Share out `supplies` among `wants`. Each line's id stands once among the wants."""
    shelf = _Shelf(supplies, policy)
    takes: list[Take] = []
    verdicts: list[Verdict] = []
    for unit in _units(wants):
        if any(want.no_split for want in unit):
            taken, reasons = _from_one_node(shelf, unit)
        elif any(want.ship_complete for want in unit):
            taken, reasons = _all_or_nothing(shelf, unit)
        else:
            taken, reasons = _each(shelf, unit)
        takes += taken
        verdicts += reasons
    return Plan(takes, verdicts)


def _units(wants: Iterable[Want]) -> Iterable[list[Want]]:
    """Yield what is decided at once: a bound order, or neighbors in rank of a free one."""
    lines = sorted(wants, key=attrgetter("rank", "id"))
    first: dict[int, Rank] = {}
    for want in lines:
        if want.ship_complete or want.no_split:
            first.setdefault(want.group, want.rank)
    if first:
        lines.sort(key=lambda want: first.get(want.group, want.rank))
    return (list(unit) for _, unit in groupby(lines, key=attrgetter("group")))


def _first_to_expire(row: Supply) -> tuple[int, int, int]:
    return (row.node, NEVER if row.expires is None else row.expires, row.id)


class _Shelf:
    """What is left of every supply while a plan is made."""

    def __init__(self, supplies: Iterable[Supply], policy: Policy) -> None:
        order = [list(Criterion).index(criterion) for criterion in policy.nodes_by]
        self.order = None if order == sorted(order) and len(order) == len(Criterion) else order
        self.left: dict[int, int] = {}
        self.rows: dict[tuple[int, int], list[Supply]] = defaultdict(list)
        for supply in sorted(supplies, key=_first_to_expire):
            self.left[supply.id] = supply.steps
            self.rows[supply.owner, supply.product].append(supply)

    def of(self, want: Want) -> list[Supply]:
        return self.rows.get((want.owner, want.product), [])

    def usable(self, want: Want) -> list[Supply]:
        """Return the rows that the line may take from and that are not empty."""
        only = want.only
        return [
            row
            for row in self.of(want)
            if self.left[row.id] and row.is_open and (only is None or row.node in only)
        ]

    def preferred(self, want: Want, places: dict[int, int]) -> list[Supply]:
        """Return the usable rows, the best first."""
        rows = self.usable(want)
        if len(rows) < 2:  # noqa: PLR2004
            return rows
        left, named, steps = self.left, want.node, want.steps
        at_node: dict[int, int] = defaultdict(int)
        for row in rows:
            at_node[row.node] += left[row.id]
        ranked = []
        for row in rows:
            there = at_node[row.node]
            values: tuple[int, ...] = (
                row.node != named,
                there < steps,
                places.get(row.node, 0),
                -there,
            )
            if self.order is not None:
                values = tuple(values[place] for place in self.order)
            ranked.append((values, *_first_to_expire(row), row))
        ranked.sort(key=itemgetter(slice(0, 4)))
        return [each[4] for each in ranked]

    def take(self, want: Want, rows: Iterable[Supply]) -> list[Take]:
        """Take what the line wants from `rows`, in their order, as far as they reach."""
        takes: list[Take] = []
        missing = want.steps
        for row in rows:
            if not missing:
                break
            steps = min(missing, self.left[row.id])
            if steps:
                self.left[row.id] -= steps
                missing -= steps
                takes.append(Take(want.id, row.id, row.node, steps))
        return takes

    def put_back(self, takes: Iterable[Take]) -> None:
        for each in takes:
            self.left[each.supply] += each.steps

    def places(self, unit: Sequence[Want]) -> dict[int, int]:
        """Return each node's place by how much of the whole unit it could serve; 0 is the best."""
        if len(unit) == 1:
            return {}
        covers = self.cover(unit)
        ordered = sorted(covers, key=lambda node: (-covers[node][0], -covers[node][1], node))
        return {node: place for place, node in enumerate(ordered)}

    def cover(self, unit: Sequence[Want]) -> dict[int, tuple[int, int]]:
        """Return, by node, how many lines it could serve in full, and how much in all."""
        lines: dict[int, int] = defaultdict(int)
        steps: dict[int, int] = defaultdict(int)
        spent: dict[int, int] = defaultdict(int)  # by supply: two lines may want one product
        for want in unit:
            rows = self.usable(want)
            still = {row.node: want.steps for row in rows}
            for row in rows:
                gets = min(still[row.node], self.left[row.id] - spent[row.id])
                spent[row.id] += gets
                steps[row.node] += gets
                still[row.node] -= gets
            for node, missing in still.items():
                lines[node] += not missing
        return {node: (lines[node], steps[node]) for node in steps}


def _each(shelf: _Shelf, unit: list[Want]) -> tuple[list[Take], list[Verdict]]:
    """Serve each line as far as possible."""
    places = shelf.places(unit)
    takes: list[Take] = []
    verdicts: list[Verdict] = []
    for want in unit:
        before = _seen(shelf, want)
        best = shelf.preferred(want, places)
        taken = shelf.take(want, best)
        takes += taken
        verdict = _verdict(want, before, taken, Rejection.NOT_NEEDED)
        missing = want.steps - verdict.given
        if missing > 0:
            verdict.flip = (Gap(want.product, _wished(shelf, want, best), missing),)
        verdicts.append(verdict)
    return takes, verdicts


def _all_or_nothing(shelf: _Shelf, unit: list[Want]) -> tuple[list[Take], list[Verdict]]:
    """Serve the unit in full, or not at all. Who may go to the fewest nodes chooses first."""
    places = shelf.places(unit)
    before = {want.id: _seen(shelf, want) for want in unit}
    takes: dict[int, list[Take]] = {}
    gaps: list[Gap] = []
    for want in sorted(unit, key=lambda want: (want.only is None, len(want.only or ()))):
        best = shelf.preferred(want, places)
        takes[want.id] = shelf.take(want, best)
        missing = want.steps - sum(take.steps for take in takes[want.id])
        if missing > 0:
            gaps.append(Gap(want.product, _wished(shelf, want, best), missing))
    if not gaps:
        return (
            [take for want in unit for take in takes[want.id]],
            [_verdict(w, before[w.id], takes[w.id], Rejection.NOT_NEEDED) for w in unit],
        )
    for taken in takes.values():
        shelf.put_back(taken)
    return [], _refused(unit, before, tuple(gaps))


def _from_one_node(shelf: _Shelf, unit: list[Want]) -> tuple[list[Take], list[Verdict]]:
    """Serve the unit from the one node that can do most of it; all or nothing if it must be."""
    before = {want.id: _seen(shelf, want) for want in unit}
    covers = shelf.cover(unit)
    named = Counter(want.node for want in unit)

    def key(node: int) -> tuple[int, ...]:
        lines, steps = covers[node]
        return (lines < len(unit), -named[node], -lines, -steps, node)

    nodes = sorted(covers, key=key)
    chosen = nodes[0] if nodes else None
    takes = {
        want.id: shelf.take(want, [row for row in shelf.usable(want) if row.node == chosen])
        for want in unit
    }
    gaps = tuple(
        Gap(want.product, chosen or want.node, missing)
        for want in unit
        if (missing := want.steps - sum(take.steps for take in takes[want.id])) > 0
    )
    if gaps and any(want.ship_complete for want in unit):
        for taken in takes.values():
            shelf.put_back(taken)
        return [], _refused(unit, before, gaps)
    verdicts = []
    for want in unit:
        verdict = _verdict(want, before[want.id], takes[want.id], Rejection.SPLIT)
        if verdict.given < want.steps:
            verdict.flip = gaps
        verdicts.append(verdict)
    return [take for want in unit for take in takes[want.id]], verdicts


def _seen(shelf: _Shelf, want: Want) -> list[tuple[Supply, int, Rejection | None]]:
    """Return the line's candidates as they are before it takes anything."""
    only = want.only
    seen: list[tuple[Supply, int, Rejection | None]] = []
    for row in shelf.of(want):
        left = shelf.left[row.id]
        rejected = None
        if not row.is_open:
            rejected = Rejection.CLOSED
        elif only is not None and row.node not in only:
            rejected = Rejection.NOT_ALLOWED
        elif not left:
            rejected = Rejection.TAKEN if row.steps else Rejection.EMPTY
        seen.append((row, left, rejected))
    return seen


def _verdict(
    want: Want,
    before: list[tuple[Supply, int, Rejection | None]],
    takes: list[Take],
    otherwise: Rejection,
) -> Verdict:
    taken = {take.supply: take.steps for take in takes}
    candidates = [
        Candidate(row.node, left, steps, None if steps else rejected or otherwise)
        for row, left, rejected in before
        for steps in [taken.get(row.id, 0)]
    ]
    return Verdict(want, sum(taken.values()), candidates)


def _refused(
    unit: list[Want],
    before: dict[int, list[tuple[Supply, int, Rejection | None]]],
    gaps: tuple[Gap, ...],
) -> list[Verdict]:
    verdicts = [_verdict(want, before[want.id], [], Rejection.INCOMPLETE) for want in unit]
    for verdict in verdicts:
        verdict.flip = gaps
    return verdicts


def _wished(shelf: _Shelf, want: Want, best: list[Supply]) -> int | None:
    """Return the node where more would help first: the one named, the best, or any it may use."""
    if want.node is not None and (want.only is None or want.node in want.only):
        return want.node
    if best:
        return best[0].node
    allowed = [row.node for row in shelf.of(want) if row.is_open]
    if want.only is not None:
        allowed = sorted(want.only)
    return allowed[0] if allowed else None

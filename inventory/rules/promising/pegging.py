"""Which demand waits for which supply: in rank, what comes first to who goes first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from inventory.rules.allocation.columns import Policy, Source, Sources
from inventory.rules.allocation.protecting import Pots
from inventory.rules.promising.keeping import Shares

Rank = tuple[int, int, int]  # priority, day wanted, id: the lower goes first


@dataclass(frozen=True, slots=True)
class Waits:
    """So much (thousandths) that one demand waits for; `node` None: any node may serve it.

    Where there are `nodes`, it must be one of them. What is kept for its `segment` (0: none) is for
    it as well.
    """

    id: int
    kind: str
    node: int | None
    steps: int
    rank: Rank
    nodes: frozenset[int] | None = None
    segment: int = 0

    def may_use(self, node: int) -> bool:
        """Test if a node may serve it."""
        return self.node in {None, node} and (self.nodes is None or node in self.nodes)


@dataclass(frozen=True, slots=True)
class Claim:
    """So much of what is on its way to one node, expected on `day`."""

    id: int
    node: int
    steps: int
    day: date


@dataclass(frozen=True, slots=True)
class Pegged:
    """So much of one supply for one demand."""

    supply: int
    kind: str
    demand: int
    steps: int


def pegs(
    waiting: Iterable[Waits], claims: Sequence[Claim], shares: Shares | None = None
) -> list[Pegged]:
    """Return who waits for what, of one product of one owner.

    Demand goes in rank; each takes what comes first to where it may be served from, of what is not
    kept for others by `shares`. Nothing is pegged twice, and nobody is pegged more than they wait
    for. A demand that can wait for nothing has no peg.
    """
    ordered = sorted(claims, key=lambda claim: (claim.day, claim.id))
    pots = _Pots(ordered, shares) if shares else None
    left = [claim.steps for claim in ordered]
    first = 0
    found: list[Pegged] = []
    for want in sorted(waiting, key=lambda each: (*each.rank, each.kind)):
        missing = want.steps
        while first < len(left) and left[first] == 0:
            first += 1
        for place in range(first, len(ordered)):
            if missing == 0:
                break
            claim = ordered[place]
            if left[place] == 0 or not want.may_use(claim.node):
                continue
            taken = min(missing, left[place])
            if pots:
                taken = pots.take(place, want.segment, taken)
            if taken == 0:
                continue
            left[place] -= taken
            missing -= taken
            found.append(Pegged(claim.id, want.kind, want.id, taken))
    return found


class _Pots:
    """What of each claim is kept for whom, as allocation has it, counted down as it is pegged."""

    def __init__(self, claims: Sequence[Claim], shares: Shares) -> None:
        first = shares.kept[0]
        supply = Sources.of(
            Source(claim.id, first.owner, first.product, claim.node, claim.steps)
            for claim in claims
        )
        policy = Policy(segments=shares.tree, protections=shares.kept)
        self.pots = Pots(supply, policy)

    def take(self, place: int, segment: int, wanted: int) -> int:
        """Take as much of what is wanted of a claim as the segment may; return it."""
        row, who, steps = (np.array([each], np.int64) for each in (place, segment, wanted))
        allowed = self.pots.budget(row, who, steps)
        self.pots.debit(np.zeros(1, np.int64), row, who, allowed)
        self.pots.log.clear()  # nothing is ever given back
        return int(allowed[0])

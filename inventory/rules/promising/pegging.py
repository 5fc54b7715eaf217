"""Which demand waits for which supply: in rank, what comes first to who goes first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

Rank = tuple[int, int, int]  # priority, day wanted, id: the lower goes first


@dataclass(frozen=True, slots=True)
class Waits:
    """So much (thousandths) that one demand waits for; `node` None: any node may serve it."""

    id: int
    kind: str
    node: int | None
    steps: int
    rank: Rank


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


def pegs(waiting: Iterable[Waits], claims: Sequence[Claim]) -> list[Pegged]:
    """Return who waits for what, of one product of one owner.

    Demand goes in rank; each takes what comes first to where it may be served from. Nothing is
    pegged twice, and nobody is pegged more than they wait for. A demand that can wait for nothing
    has no peg.
    """
    ordered = sorted(claims, key=lambda claim: (claim.day, claim.id))
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
            if left[place] == 0 or want.node not in (None, claim.node):
                continue
            taken = min(missing, left[place])
            left[place] -= taken
            missing -= taken
            found.append(Pegged(claim.id, want.kind, want.id, taken))
    return found

"""Which bin: where to take goods from, where to put them, what to bring down from reserve."""

from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

# A pick face is reached without a fork lift; what stands aside is taken last.
RANK = {"pick_face": 0, "reserve": 1, "receiving": 2, "quarantine": 3}

Parts = list[tuple[int, Decimal]]  # bin, base units


class Holding(NamedTuple):
    """So much of one balance in one bin, in base units."""

    bin_id: int
    code: str
    kind: str
    sequence: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Face:
    """A pick face that is a home: so much lies in it; filled up to `capacity` (or `minimum`)."""

    bin_id: int
    level: Decimal
    minimum: Decimal
    capacity: Decimal | None

    @property
    def lacks(self) -> Decimal:
        """Return how much is brought down to it: nothing while its minimum lies there."""
        if self.level >= self.minimum:
            return Decimal(0)
        return (self.minimum if self.capacity is None else self.capacity) - self.level


def in_pick_order(holdings: Sequence[Holding]) -> list[Holding]:
    """Return pick faces first, then reserve, each as somebody walks past them."""
    return sorted(holdings, key=lambda each: (RANK[each.kind], each.sequence, each.code))


def taken(holdings: Sequence[Holding], quantity: Decimal) -> Parts:
    """Return what to take of which bin, in pick order: at most `quantity`, at most what is there.

    What the bins do not hold is not said: it stands on the floor.
    """
    parts: Parts = []
    left = quantity
    for each in in_pick_order(holdings):
        part = min(left, each.quantity)
        if part > 0:
            parts.append((each.bin_id, part))
            left -= part
    return parts


def placed(
    quantity: Decimal, bins: Sequence[int], room: MutableMapping[int, Decimal | None]
) -> Parts:
    """Return what to put into which of `bins`, in their order; takes it off their `room`.

    Room is base units, None without bound. What fits nowhere is not said.
    """
    parts: Parts = []
    left = quantity
    for bin_id in bins:
        space = room[bin_id]
        part = left if space is None else min(left, space)
        if part <= 0:
            continue
        parts.append((bin_id, part))
        left -= part
        if space is not None:
            room[bin_id] = space - part
    return parts


def brought_down(face: Face, reserves: Sequence[int], left: MutableMapping[int, Decimal]) -> Parts:
    """Return what to bring to a pick face out of which reserve, in their order.

    `left` is what each still holds that nobody else was told to take; it is taken off.
    """
    parts: Parts = []
    lacks = face.lacks
    for reserve in reserves:
        part = min(lacks, left[reserve])
        if part > 0:
            parts.append((reserve, part))
            left[reserve] -= part
            lacks -= part
    return parts


def excess(leaving: Decimal, floor: Decimal) -> Decimal:
    """Return how much of what leaves a balance comes out of bins: the floor gives first."""
    return max(leaving - max(floor, Decimal(0)), Decimal(0))


def room_of(
    capacities: Mapping[int, Decimal | None], levels: Mapping[int, Decimal]
) -> dict[int, Decimal | None]:
    """Return how much more fits into each bin, never less than nothing, None without bound."""
    return {
        bin_id: None
        if capacity is None
        else max(capacity - levels.get(bin_id, Decimal(0)), Decimal(0))
        for bin_id, capacity in capacities.items()
    }


class Spot(NamedTuple):
    """A bin that goods may be put into; `home` is the product whose pick face it is, 0 nobody's."""

    bin_id: int
    code: str
    kind: str
    sequence: int
    home: int
    is_empty: bool


def put_order(
    product_id: int,
    spots: Sequence[Spot],
    *,
    is_available: bool,
    with_same: Collection[int],
    with_product: Collection[int],
) -> list[int]:
    """Return which bins to try for goods, the best first.

    What may be sold goes to its pick face, then to a reserve that holds of the same balance, of the
    same product, or nothing. What lies aside goes to quarantine in the same way.
    """
    kind = "reserve" if is_available else "quarantine"

    def rank(spot: Spot) -> int | None:
        if is_available and spot.home == product_id:
            return 0
        if spot.kind != kind:
            return None
        if spot.bin_id in with_same:
            return 1
        if spot.bin_id in with_product:
            return 2
        return 3 if spot.is_empty else None

    ranked = [
        (found, s.sequence, s.code, s.bin_id) for s in spots if (found := rank(s)) is not None
    ]
    return [bin_id for _, _, _, bin_id in sorted(ranked)]

"""Transfers as plain functions: when they arrive, what a sister company pays, what to move."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar
from erp.kernel.money import CENT
from erp.kernel.quantity import STEP
from inventory.rules.leaving import leaves_on

NOTHING = Decimal(0)


def arrives_on(
    now: datetime, *, zone: ZoneInfo, cutoff: time, handling_days: int, lane_days: int
) -> date:
    """Return the working day on which what is asked for at `now` arrives by a lane of so many days.

    It leaves by the origin's cut-off and handling; with no lane days it arrives as it leaves.
    """
    leaves = leaves_on(now, zone=zone, cutoff=cutoff, handling_days=handling_days)
    return BusinessCalendar(zone).next_working_day(leaves, days=lane_days)


def sold_at(cost: Decimal, markup: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Return what goods of `cost` are sold at, and what that is in the buyer's currency.

    `markup` is a share of the cost, `rate` the buyer's currency for one of the seller's. Each is
    rounded half up to the cent, the second from the first: so both books can be proved.
    """
    price = _cents(cost * (1 + markup))
    return price, _cents(price * rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One product of one owner at one node, in base units.

    `daily` is what leaves a day, `coming` what is on its way, `short` what demand there waits for.
    """

    node: int
    free: Decimal
    coming: Decimal
    daily: Decimal
    short: Decimal = NOTHING

    @property
    def cover(self) -> Decimal | None:
        """Return for how many days what is free and coming lasts; None: for ever."""
        if self.daily <= 0:
            return None
        return max(self.free + self.coming - self.short, NOTHING) / self.daily


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When goods are moved: days of cover. `multiple` is what is moved in; zero: anything.

    A node gives what it has above `keep_days`, gets up to `fill_days`, and asks below `low_days`.
    """

    keep_days: int = 30
    fill_days: int = 21
    low_days: int = 7
    multiple: Decimal = NOTHING
    minimum: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Suggested:
    """So much to move from one node to another. `cover_*` are days before and after; None: ever."""

    origin: int
    destination: int
    quantity: Decimal
    is_shortage: bool
    origin_before: Decimal | None
    origin_after: Decimal | None
    destination_before: Decimal | None
    destination_after: Decimal | None


@dataclass(slots=True)
class _Need:
    place: Place
    wants: Decimal
    is_shortage: bool


def suggest_transfers(places: Sequence[Place], limits: Limits) -> list[Suggested]:
    """Return what to move of one product among one owner's nodes: shortages first, then imbalance.

    A shortage takes whatever is free elsewhere beyond that node's own shortage and `low_days`; an
    imbalance takes only what lies above `keep_days`. Nobody gives what it would ask back: a giver
    never falls below what a taker asks at. The node that has most to spare gives first.
    """
    needs = _needs(places, limits)
    spared: dict[int, Decimal] = dict.fromkeys((place.node for place in places), NOTHING)
    filled = dict(spared)
    suggestions: list[Suggested] = []
    for need in needs:
        for giver in sorted(
            places, key=lambda p: (-(_spare(p, need, limits) - spared[p.node]), p.node)
        ):
            wanted = need.wants - filled[need.place.node]
            if giver.node == need.place.node or wanted <= 0:
                continue
            free = _spare(giver, need, limits) - spared[giver.node]
            quantity = _in_multiples(min(wanted, free), limits)
            if quantity <= 0:
                continue
            suggestions.append(_said(giver, need, quantity, spared, filled))
            spared[giver.node] += quantity
            filled[need.place.node] += quantity
    return suggestions


def _needs(places: Sequence[Place], limits: Limits) -> list[_Need]:
    """Return who wants how much: what waits first, then the least cover."""
    needs = []
    for place in places:
        gap = place.short - place.free - place.coming
        if gap > 0:
            needs.append(_Need(place, gap, is_shortage=True))
            continue
        cover = place.cover
        if cover is not None and cover < limits.low_days:
            wants = place.daily * limits.fill_days - (place.free + place.coming - place.short)
            needs.append(_Need(place, wants, is_shortage=False))
    return sorted(needs, key=lambda n: (not n.is_shortage, n.place.cover or NOTHING, n.place.node))


def _spare(giver: Place, need: _Need, limits: Limits) -> Decimal:
    """Return what a node can give to that need; what is coming stays where it is going."""
    days = limits.low_days if need.is_shortage else limits.keep_days
    return max(giver.free - giver.short - giver.daily * days, NOTHING)


def _in_multiples(quantity: Decimal, limits: Limits) -> Decimal:
    if limits.multiple > 0:
        quantity = quantity // limits.multiple * limits.multiple
    quantity = quantity.quantize(STEP, rounding=ROUND_DOWN)
    return quantity if quantity >= limits.minimum else NOTHING


def _said(
    giver: Place,
    need: _Need,
    quantity: Decimal,
    spared: dict[int, Decimal],
    filled: dict[int, Decimal],
) -> Suggested:
    taker = need.place
    return Suggested(
        origin=giver.node,
        destination=taker.node,
        quantity=quantity,
        is_shortage=need.is_shortage,
        origin_before=_cover(giver, -spared[giver.node]),
        origin_after=_cover(giver, -spared[giver.node] - quantity),
        destination_before=_cover(taker, filled[taker.node]),
        destination_after=_cover(taker, filled[taker.node] + quantity),
    )


def _cover(place: Place, more: Decimal) -> Decimal | None:
    if place.daily <= 0:
        return None
    return max(place.free + place.coming - place.short + more, NOTHING) / place.daily


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)

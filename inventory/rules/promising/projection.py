"""What will be there, day by day, and how much of it is free to promise."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter

_day, _free = attrgetter("day"), attrgetter("free")


@dataclass(frozen=True, slots=True)
class Day:
    """One day on which something changes. `projected` may be negative; `free` never is.

    In thousandths of base units. `overdue` is the part of `inbound` whose told day is over.
    """

    day: date
    inbound: int
    overdue: int
    demand: int
    projected: int
    free: int


@dataclass(frozen=True, slots=True)
class Projection:
    """The days from today to the horizon on which something changes, today first."""

    today: date
    horizon: date
    on_hand: int
    days: tuple[Day, ...]

    def free_on(self, day: date) -> int:
        """Return what may still be promised to leave on `day`: the least of what follows."""
        if day > self.horizon:
            return self.days[-1].free
        place = bisect_right(self.days, day, key=_day)
        return self.days[place - 1].free if place else 0

    def earliest(self, wanted: int) -> date | None:
        """Return the first day on which `wanted` may be promised; None: not within the horizon."""
        place = bisect_left(self.days, wanted, key=_free)  # it never falls
        return self.days[place].day if place < len(self.days) else None


def project(
    *,
    on_hand: int,
    inbound: Iterable[tuple[date, int, bool]],
    demand: Iterable[tuple[date, int]],
    today: date,
    horizon_days: int,
) -> Projection:
    """Return projected(d) = on hand + inbound up to d - demand up to d, and its least from d on.

    `on_hand` is what nobody has reserved. `inbound` is (day, quantity, is overdue). What is earlier
    than today counts today; what is later than the horizon does not count.
    """
    horizon = today + timedelta(days=horizon_days)
    came: dict[date, list[int]] = {today: [0, 0, 0]}
    for day, steps, is_overdue in inbound:
        if day <= horizon:
            bucket = came.setdefault(max(day, today), [0, 0, 0])
            bucket[0] += steps
            bucket[1] += steps if is_overdue else 0
    for day, steps in demand:
        if day <= horizon:
            came.setdefault(max(day, today), [0, 0, 0])[2] += steps
    ordered = sorted(came.items())
    levels, level = [], on_hand
    for _, (plus, _late, minus) in ordered:
        level += plus - minus
        levels.append(level)
    free, least = [0] * len(levels), levels[-1]
    for place in range(len(levels) - 1, -1, -1):
        least = min(least, levels[place])
        free[place] = max(0, least)
    days = tuple(
        Day(day, plus, late, minus, levels[place], free[place])
        for place, (day, (plus, late, minus)) in enumerate(ordered)
    )
    return Projection(today, horizon, on_hand, days)

"""What else is free for lines that stay short, once everybody has had their turn."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from inventory.rules import Mode, Plan, Rejection, from_steps
from inventory.rules.allocation.columns import CODE


@dataclass(frozen=True, slots=True)
class Offer:
    """So much of another product would do for a part of a demand, if the customer agrees.

    `quantity` is of what was asked for, `other_quantity` of the other product, in base units.
    """

    demand_id: int
    product_id: int
    quantity: Decimal
    other_quantity: Decimal


def offers_of(made: Plan) -> list[Offer]:
    """Return what may be offered to short lines, the first in rank first; each supply once."""
    if not made.policy.substitutions:
        return []
    menus, demand = made.menus, made.demand
    left = made.supply.steps.copy()
    np.subtract.at(left, made.taken_from, made.spent)
    lack = made.lack.copy()
    asks = (made.reason == CODE[Rejection.NEEDS_CONSENT]) & (
        menus.mode[made.entry] == int(Mode.SUBSTITUTE)
    )
    asked = np.flatnonzero(asks)
    place = np.searchsorted(made.at, asked, "right") - 1
    rank = menus.rank[made.entry[asked]]
    found: dict[tuple[int, int], list[int]] = {}
    for number in np.lexsort((asked, rank, place)).tolist():
        at, entry = int(place[number]), int(made.entry[asked[number]])
        supply, units, per = (
            int(menus.supply[entry]),
            int(menus.units[entry]),
            int(menus.per[entry]),
        )
        times = min(int(left[supply]) // per, int(lack[at]) // units)
        if times > 0:
            key = (int(demand.id[made.line[at]]), int(made.supply.product[supply]))
            sums = found.setdefault(key, [0, 0])
            sums[0] += times * units
            sums[1] += times * per
            left[supply] -= times * per
            lack[at] -= times * units
    return [Offer(*key, *(from_steps(steps) for steps in sums)) for key, sums in found.items()]

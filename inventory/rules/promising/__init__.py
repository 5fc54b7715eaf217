"""What can be promised and when: pure arithmetic over days and thousandths of base units."""

from inventory.rules.promising.buying import arrival_of_order, buy_quantity
from inventory.rules.promising.keeping import Shares
from inventory.rules.promising.lateness import (
    PUNCTUAL,
    SAMPLES_MIN,
    Pace,
    Supply,
    Window,
    pace_of,
    quantiles,
    shown_day,
    window,
)
from inventory.rules.promising.pegging import Claim, Pegged, Waits, pegs
from inventory.rules.promising.projection import Day, Projection, project
from inventory.rules.promising.reserving import may_wait, reserve_from

__all__ = [
    "PUNCTUAL",
    "SAMPLES_MIN",
    "Claim",
    "Day",
    "Pace",
    "Pegged",
    "Projection",
    "Shares",
    "Supply",
    "Waits",
    "Window",
    "arrival_of_order",
    "buy_quantity",
    "may_wait",
    "pace_of",
    "pegs",
    "project",
    "quantiles",
    "reserve_from",
    "shown_day",
    "window",
]

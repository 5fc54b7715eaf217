"""Classes of products, and what lies too long or too much: plain functions over figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

NOTHING = Decimal(0)


def abc_classes(
    usage: Mapping[int, Decimal], *, a_share: Decimal, b_share: Decimal
) -> dict[int, str]:
    """Return A, B or C of each key by the value of what was used of it.

    The most valuable come first; a key is A while those before it make up less than `a_share` of
    the whole, B while less than `b_share`. What was not used is C.
    """
    total = sum(usage.values(), NOTHING)
    classes, before = {}, NOTHING
    for key in sorted(usage, key=lambda k: (-usage[k], k)):
        if usage[key] <= 0:
            classes[key] = "C"
        elif before < total * a_share:
            classes[key] = "A"
        else:
            classes[key] = "B" if before < total * b_share else "C"
        before += usage[key]
    return classes


def xyz_class(weeks: Sequence[Decimal], *, x_cv: Decimal, y_cv: Decimal) -> str:
    """Return X, Y or Z: how much the usage of a week varies around its mean.

    The coefficient of variation is compared squared, so nothing is rounded. No usage at all is Z.
    """
    total = sum(weeks, NOTHING)
    if not weeks or total <= 0:
        return "Z"
    count = len(weeks)
    # cv² = n·Σx²/(Σx)² - 1, over the whole population
    squared = count * sum((week * week for week in weeks), NOTHING)
    for name, limit in (("X", x_cv), ("Y", y_cv)):
        if squared <= (limit * limit + 1) * total * total:
            return name
    return "Z"


@dataclass(frozen=True, slots=True)
class Aged:
    """So much of a balance that came in so many days ago; None: before what is known."""

    days: int | None
    quantity: Decimal


def aged(on_hand: Decimal, arrivals: Sequence[tuple[int, Decimal]]) -> list[Aged]:
    """Return of what age `on_hand` is if the oldest always left first.

    `arrivals` are (days ago, quantity), in any order: the newest are what is still there.
    """
    left, ages = on_hand, []
    for days, quantity in sorted(arrivals):
        taken = min(left, quantity)
        if taken > 0:
            ages.append(Aged(days, taken))
            left -= taken
    if left > 0:
        ages.append(Aged(None, left))
    return ages


def excess_of(on_hand: Decimal, daily: Decimal, days: int) -> Decimal:
    """Return what of `on_hand` is more than lasts `days`; without any usage all of it."""
    return max(on_hand - daily * days, NOTHING)

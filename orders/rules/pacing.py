"""How fast a commitment is used up, beside an even pace over its period."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

POINTS_MAX = 13  # of a year: its months
HUNDRED = Decimal(100)
TENTH = Decimal("0.1")


def pace_points(
    first: date, last: date, today: date, taken: Sequence[tuple[date, Decimal]]
) -> tuple[list[str], list[Decimal], list[Decimal | None]]:
    """Return days over the period as text, the even pace and what was taken by then, in per cent.

    `taken` holds days with the share (0 to 1) so far, in their order. What is after `today` is
    none, but for the next point: it says what stands today.
    """
    days = (last - first).days
    count = min(POINTS_MAX, days + 1)
    places = (
        [first]
        if count == 1
        else [first + timedelta(days * n // (count - 1)) for n in range(count)]
    )
    even = [_percent(Decimal(100 * (day - first).days) / max(days, 1) / HUNDRED) for day in places]
    if count == 1:
        even = [HUNDRED]
    reached: list[Decimal | None] = []
    is_over = False
    for day in places:
        reached.append(None if is_over else _percent(_by(taken, min(day, today))))
        is_over = is_over or day >= today
    return [f"{day:%d %b}" for day in places], even, reached


def _by(taken: Sequence[tuple[date, Decimal]], day: date) -> Decimal:
    return max((share for when, share in taken if when <= day), default=Decimal(0))


def _percent(share: Decimal) -> Decimal:
    return (share * HUNDRED).quantize(TENTH)

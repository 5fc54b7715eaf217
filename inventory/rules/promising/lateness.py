"""How late supplies come, and what that makes of the day they were told for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

SAMPLES_MIN = 5  # fewer say less about a supplier than the house's usual


@dataclass(frozen=True, slots=True)
class Pace:
    """Days after the day told: the median, and what nine of ten keep. Negative is early."""

    p50: int
    p90: int


PUNCTUAL = Pace(0, 0)


@dataclass(frozen=True, slots=True)
class Supply:
    """So much (thousandths) that comes to a node on the day `told`, by a supplier of this pace."""

    id: int
    node: int
    steps: int
    told: date
    pace: Pace = PUNCTUAL


@dataclass(frozen=True, slots=True)
class Window:
    """When a supply comes: by `p50` one time of two, by `p90` nine of ten."""

    p50: date
    p90: date
    is_overdue: bool


def pace_of(days_late: Sequence[int], *, usual: Pace) -> Pace:
    """Return the quantiles of what was measured; `usual` where too little was."""
    return usual if len(days_late) < SAMPLES_MIN else quantiles(days_late)


def quantiles(days_late: Sequence[int]) -> Pace:
    """Return the nearest-rank median and ninth decile of at least one delivery."""
    ranked = sorted(days_late)
    return Pace(ranked[_rank(50, len(ranked))], ranked[_rank(90, len(ranked))])


def window(told: date, pace: Pace, *, today: date) -> Window:
    """Return when a supply that was told for `told` and has not come by `today` will come.

    Lateness shifts the day. What is told for a day that is over is overdue: it does not fall out,
    it is expected after its usual delay, and if that too is over, after the same delay counted from
    today, at least tomorrow.
    """
    is_overdue = told < today
    earliest = today + timedelta(days=1) if is_overdue else max(told, today)

    def by(days: int) -> date:
        shifted = told + timedelta(days=days)
        if shifted >= earliest:
            return shifted
        return max(earliest, today + timedelta(days=days)) if is_overdue else earliest

    p50 = by(pace.p50)
    return Window(p50, max(p50, by(pace.p90)), is_overdue)


def shown_day(told: date, pace: Pace, *, today: date) -> tuple[date, bool]:
    """Return the day a projection counts a supply on, and if it is overdue.

    The day told, as long as it is not over; then the median of what is left to expect.
    """
    if told >= today:
        return told, False
    return window(told, pace, today=today).p50, True


def _rank(percent: int, count: int) -> int:
    return max(0, ceil(percent * count / 100) - 1)

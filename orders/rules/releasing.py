"""The figures that the release checks ask the policies with."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

SCORE_MAX = 100
LATE_SHARE_COSTS = 60  # points for a customer who pays every invoice late
LATE_DAY_COSTS = 2  # points for each day late on average
LATE_DAYS_MAX = 20  # more days late on average cost no more
UNKNOWN = 5  # invoices that count as half late until a history is there


def days_since(day: date | None, today: date) -> int:
    """Return how many days `day` is past; 0 for none, for today and for what is to come."""
    return max(0, (today - day).days) if day else 0


def payment_score(paid: int, late: int, late_days: int) -> int | None:
    """Return how well an account paid, 0 (badly) to 100; none when it has paid nothing yet.

    100 - 60 x share of invoices paid late - 2 x average days late over all (at most 20), where five
    made-up invoices, half of them late, stand beside the real ones: a short history says little.
    """
    if not paid:
        return None
    share = (Decimal(late) + Decimal(UNKNOWN) / 2) / (paid + UNKNOWN)
    average = min(Decimal(late_days) / paid, Decimal(LATE_DAYS_MAX))
    score = SCORE_MAX - LATE_SHARE_COSTS * share - LATE_DAY_COSTS * average
    return int(max(score, Decimal(0)).quantize(Decimal(1), ROUND_HALF_UP))

"""The figures that the release checks ask the policies with."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

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


ZERO, ONE = Decimal(0), Decimal(1)
SHARE = Decimal("0.000001")


def share(part: Decimal, whole: Decimal) -> Decimal:
    """Return `part` of `whole` to a millionth, half up; the whole is above zero."""
    return (part / whole).quantize(SHARE, ROUND_HALF_UP)


def price_gap(price: Decimal, book: Decimal) -> tuple[Decimal, Decimal]:
    """Return by which share a price lies below and above the book's; one of them is zero.

    Anything above a book price of zero is above it by the whole.
    """
    if not book:
        return ZERO, ONE if price else ZERO
    gap = share(price - book, book)
    return max(-gap, ZERO), max(gap, ZERO)


def conceded(price: Decimal, discount: Decimal, book: Decimal) -> Decimal:
    """Return which share of the book's price a line gives away in all; never below zero."""
    return max(ZERO, share(book - price * (1 - discount), book)) if book else ZERO


@dataclass(frozen=True, slots=True)
class Landed:
    """What goods cost until they are with the customer, in one currency.

    `goods` at moving average, `freight` what carriage costs, `split` the base rate of each further
    shipment, `expedite` what the fastest carrier costs more where the usual one is too slow.
    """

    goods: Decimal
    freight: Decimal = ZERO
    split: Decimal = ZERO
    expedite: Decimal = ZERO

    @property
    def cost(self) -> Decimal:
        return self.goods + self.freight + self.split + self.expedite


def margin(revenue: Decimal, landed: Landed) -> Decimal | None:
    """Return (revenue - landed cost) / revenue to a millionth, half up; none without revenue."""
    return share(revenue - landed.cost, revenue) if revenue > 0 else None


class Light(StrEnum):
    """How a margin stands against its floor."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


def margin_light(found: Decimal | None, floor: Decimal, band: Decimal) -> Light:
    """Return red below the floor, amber from it up to `band` above, green from there.

    All are shares of the price. A margin that nobody knows is amber: somebody should look.
    """
    if found is None:
        return Light.AMBER
    if found < floor:
        return Light.RED
    return Light.AMBER if found < floor + band else Light.GREEN

"""What goes out in place of what was ordered costs what the pair says, and never more unasked."""

from decimal import Decimal
from fractions import Fraction

from orders.rules.ordering import STEP

Price = tuple[Decimal, Decimal]


def in_place_of(unit_price: Decimal, units: int, per: int) -> Decimal:
    """Return what a base unit of the other costs at the price of what was ordered.

    `per` base units do for `units`. Rounded down to a ten-thousandth: the customer never pays more
    than for what they ordered.
    """
    exact = Fraction(unit_price) * units / per / Fraction(STEP)
    return Decimal(exact.numerator // exact.denominator) * STEP


def exchange_price(rule: str, original: Price, own: Price | None, ratio: tuple[int, int]) -> Price:
    """Return the unit price and discount of what goes out, by `rule`: original, substitute, lower.

    `original` and `own` are (unit price, discount) of a base unit of what was ordered and of what
    goes out; `ratio` is (units, per). Without a price of its own it goes at the original's.
    """
    same = (in_place_of(original[0], *ratio), original[1])
    if own is None or rule == "original":
        return same
    if rule == "substitute":
        return own
    return min(same, own, key=lambda each: each[0] * (1 - each[1]))

"""Quantities and units of measure: exact, in the product's base unit."""

from decimal import Decimal
from fractions import Fraction

STEP = Decimal("0.001")
QUANTITY_MAX = Decimal("999999999999.999")


class NotWholeSteps(ValueError):
    """The conversion does not come out in thousandths of the base unit."""


def to_base(quantity: Decimal, *, numerator: int, denominator: int = 1) -> Decimal:
    """Convert `quantity` of a unit that holds `numerator / denominator` base units, exactly.

    Raises:
        NotWholeSteps: the answer needs more than three decimals; nothing is rounded away.
    """
    exact = Fraction(quantity) * Fraction(numerator, denominator)
    steps = exact * 1000
    if steps.denominator != 1:
        raise NotWholeSteps(f"{quantity} units of {numerator}/{denominator} is not exact")
    return Decimal(steps.numerator) * STEP


def from_base(quantity: Decimal, *, numerator: int, denominator: int = 1) -> Fraction:
    """Return how many units of `numerator / denominator` base units `quantity` is, exactly."""
    return Fraction(quantity) * Fraction(denominator, numerator)

"""Quantities as whole thousandths of a base unit: exact, and quick to add and compare."""

from decimal import Decimal

from erp.kernel.quantity import QUANTITY_MAX, STEP

PER_UNIT = 1000


def as_steps(quantity: Decimal) -> int:
    """Return `quantity` in thousandths.

    Raises:
        ValueError: it has more than three decimals; nothing is rounded away.
    """
    steps = quantity * PER_UNIT
    whole = int(steps)
    if whole != steps:
        raise ValueError(f"{quantity} is finer than a thousandth")
    return whole


def countable(quantity: Decimal) -> bool:
    """Test if a column of quantities can hold it exactly, whatever its sign."""
    return (
        quantity.is_finite()
        and abs(quantity) <= QUANTITY_MAX
        and quantity == quantity.quantize(STEP)
    )


def from_steps(steps: int) -> Decimal:
    """Return the quantity of so many thousandths."""
    return steps * STEP

"""Moving-average cost: exact in total, whole cents in every part."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from erp.kernel.money import CENT

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pool:
    """What one company owns of one product: base units, and their value in whole cents."""

    quantity: Decimal
    value: Decimal


def issue(pool: Pool, quantities: Sequence[Decimal]) -> list[Decimal]:
    """Return the cost of each of `quantities`, taken from `pool` one after another.

    Each running total is rounded half up to the cent, so the costs sum to the rounded cost of the
    whole, and taking everything takes the whole value.

    Raises:
        ValueError: more is taken than there is.
    """
    costs: list[Decimal] = []
    taken = cost = NOTHING
    for quantity in quantities:
        taken += quantity
        if taken > pool.quantity:
            raise ValueError(f"{taken} is more than the {pool.quantity} that are owned")
        upto = _cents(pool.value * taken / pool.quantity) if taken else NOTHING
        costs.append(upto - cost)
        cost = upto
    return costs


def moved_on(pool: Pool, quantity: Decimal, value: Decimal) -> Pool:
    """Return the pool after so much came (or went, negative) at that value."""
    return Pool(pool.quantity + quantity, pool.value + value)


def valued(pool: Pool, quantity: Decimal, unit_value: Decimal | None) -> Decimal:
    """Return what `quantity` found adds to `pool`, half up to the cent.

    Without `unit_value` it is worth what the pool's average is; the first of all is worth nothing.
    """
    if unit_value is not None:
        return _cents(quantity * unit_value)
    return _cents(quantity * pool.value / pool.quantity) if pool.quantity else NOTHING


def carriage(weight: Decimal, *, base: Decimal, per_kg: Decimal) -> Decimal:
    """Return what a carrier asks for `weight` kilograms, half up to the cent."""
    return _cents(base + weight * per_kg)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)

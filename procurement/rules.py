"""How much to buy, what it comes to, and what of it a delivery is worth."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from erp.kernel.money import CENT


def quantity_to_buy(*, need: Decimal, moq: Decimal, multiple: Decimal) -> Decimal:
    """Return the least quantity that covers `need` and that the supplier sells.

    At least `moq`, and a whole number of `multiple`. All in base units.
    """
    wanted = max(need, moq)
    lots, rest = divmod(wanted, multiple)
    return (lots + (rest > 0)) * multiple


def rounded(amount: Decimal) -> Decimal:
    """Round half up to the cent, as printed on documents."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def total_of(lines: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the sum of quantity times unit price, rounded once, to the cent."""
    return rounded(sum((quantity * price for quantity, price in lines), Decimal(0)))


def received_value(*, before: Decimal, now: Decimal, unit_price: Decimal) -> Decimal:
    """Return what `now` more base units are worth after `before`, in whole cents.

    The deliveries of a line add up to the rounded worth of the whole, however it is divided.
    """
    return rounded((before + now) * unit_price) - rounded(before * unit_price)


@dataclass(frozen=True, slots=True)
class Position:
    """How a product stands at a node: free stock, what is on order, what is waited for."""

    available: Decimal
    incoming: Decimal
    waiting: Decimal

    @property
    def projected(self) -> Decimal:
        return self.available + self.incoming - self.waiting

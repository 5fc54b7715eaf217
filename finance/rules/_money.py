"""Decisions about money."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
RATE_STEP = Decimal("0.000000001")
AMOUNT_MAX = Decimal("999999999999.99")


@dataclass(frozen=True, slots=True)
class Owed:
    """What is open on one invoice: whole cents, above zero."""

    invoice_id: int
    amount: Decimal


def rounded(amount: Decimal) -> Decimal:
    """Round half up (away from zero) to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def cents_of(exact: Iterable[Decimal]) -> list[Decimal]:
    """Round each line of a document so that the lines sum to the document rounded once.

    The cents of a line are what rounding the running total leaves for it, in the order given.
    """
    cents = []
    running = billed = Decimal(0)
    for amount in exact:
        running += amount
        upto = rounded(running)
        cents.append(upto - billed)
        billed = upto
    return cents


def value_of(before: Decimal, quantity: Decimal, unit_price: Decimal) -> Decimal:
    """Return what `quantity` more is worth in cents, after `before` of the same line was valued.

    However a line is divided into deliveries, their values sum to the whole line rounded once.
    """
    return rounded((before + quantity) * unit_price) - rounded(before * unit_price)


def inverse(rate: Decimal) -> Decimal:
    """Return a rate of exchange the other way round, half up to a billionth."""
    return (1 / rate).quantize(RATE_STEP, rounding=ROUND_HALF_UP)


def oldest_first(cash: Decimal, owed: Sequence[Owed]) -> list[Owed]:
    """Spread `cash` over what is owed, in the order given, until one of them is used up."""
    spread = []
    for each in owed:
        if cash <= 0:
            break
        taken = min(cash, each.amount)
        spread.append(Owed(each.invoice_id, taken))
        cash -= taken
    return spread

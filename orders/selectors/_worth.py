"""Amounts of several currencies in one, by the rates that the app above keeps.

Filled while the apps load, read-only afterwards (ADR 0022).
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ONE = Decimal(1)

# base, quote, day -> how much quote is given for one base; None where nobody knows.
RateOf = Callable[[str, str, date], Decimal | None]
_rates: list[RateOf] = []


def register_rates(rate_of: RateOf) -> None:
    """Tell how to read a day's rate of exchange. Telling it again replaces it."""
    _rates[:] = [rate_of]


def worth_in(amounts: Mapping[str, Decimal], *, currency: str, on: date) -> Decimal:
    """Return what amounts by currency are worth together in one, at the rates of a day.

    Each is converted half up to the cent; one whose rate nobody knows counts at face value. One
    query for each other currency.
    """
    total = Decimal(0)
    for each, amount in amounts.items():
        rate = _rates[0](each, currency, on) if _rates and each != currency else ONE
        if rate in (None, ONE):
            total += amount
        else:
            total += (amount * (rate or ONE)).quantize(CENT, ROUND_HALF_UP)
    return total

"""About how much a currency is worth, to rank cases of different currencies. Never for books."""

from collections.abc import Mapping
from decimal import Decimal

ABOUT_DOLLARS: Mapping[str, Decimal] = {
    "USD": Decimal(1),
    "AUD": Decimal("0.65"),
    "BRL": Decimal("0.18"),
    "CAD": Decimal("0.73"),
    "CHF": Decimal("1.13"),
    "CNY": Decimal("0.14"),
    "CZK": Decimal("0.043"),
    "DKK": Decimal("0.147"),
    "EUR": Decimal("1.1"),
    "GBP": Decimal("1.27"),
    "HKD": Decimal("0.128"),
    "INR": Decimal("0.012"),
    "JPY": Decimal("0.0067"),
    "MXN": Decimal("0.052"),
    "NOK": Decimal("0.092"),
    "NZD": Decimal("0.6"),
    "PLN": Decimal("0.25"),
    "SEK": Decimal("0.095"),
    "SGD": Decimal("0.74"),
}
ONE = Decimal(1)
CENT = Decimal("0.01")


def about_dollars(amount: Decimal, currency: str) -> Decimal:
    """Return what an amount is worth in dollars, roughly; of an unknown currency the amount."""
    return (amount * ABOUT_DOLLARS.get(currency, ONE)).quantize(CENT)


def about_local(dollars: Decimal, currency: str) -> Decimal:
    """Return about what so many dollars are in a currency, in whole units."""
    return (dollars / ABOUT_DOLLARS.get(currency, ONE)).quantize(ONE)

"""How numbers and amounts are written: by the habits of the entity's country."""

from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.formats import get_format
from django.utils.numberformat import format as write

LANGUAGES = {
    "AT": "de", "AU": "en-au", "BE": "nl", "BR": "pt-br", "CA": "en-ca", "CH": "de-ch",
    "DE": "de", "DK": "da", "ES": "es", "FI": "fi", "FR": "fr", "GB": "en-gb", "IE": "en-ie",
    "IT": "it", "MX": "es-mx", "NL": "nl", "NO": "nb", "PL": "pl", "PT": "pt", "SE": "sv",
    "US": "en-us",
}  # fmt: skip
SYMBOLS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CAD": "CA$", "AUD": "A$",
    "MXN": "MX$", "BRL": "R$", "CNY": "CN¥", "KRW": "₩", "NZD": "NZ$",
}  # fmt: skip
WIDE = 100  # three digits need no decimal
WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "VND", "ISK"})
AMOUNT_FIRST = frozenset({"da", "de", "es", "fi", "fr", "it", "nb", "pl", "pt", "sv"})
MINUS, NARROW_GAP, NOTHING = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}", "\N{EM DASH}"

number_language: ContextVar[str] = ContextVar("number_language", default="en-us")


def language_of(country: str) -> str:
    """Return the language whose number habits hold in `country` (ISO 3166, two letters)."""
    return LANGUAGES.get(country, "en-us")


def decimal_of(value: Any) -> Decimal:
    """Read a number as it comes from a selector or out of JSON, without passing a float."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def number(value: Any, places: int | None = None) -> str:
    """Write `value` grouped, with `places` decimals; without them, as many as it has."""
    exact = decimal_of(value)
    if not exact.is_finite():
        return NOTHING
    if places is not None:
        exact = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    language = number_language.get()
    grouping = get_format("NUMBER_GROUPING", language, use_l10n=True)
    text = write(
        format(abs(exact), "f"),
        get_format("DECIMAL_SEPARATOR", language, use_l10n=True),
        grouping=grouping or 3,
        thousand_sep=get_format("THOUSAND_SEPARATOR", language, use_l10n=True),
        force_grouping=True,
        use_l10n=False,
    )
    return f"{MINUS}{text}" if exact < 0 else text


def with_currency(text: str, currency: str) -> str:
    """Put the currency where the reader expects it; one without a symbol shows its ISO code."""
    minus, digits = (MINUS, text[1:]) if text.startswith(MINUS) else ("", text)
    symbol = SYMBOLS.get(currency)
    if number_language.get().partition("-")[0] in AMOUNT_FIRST:
        return f"{minus}{digits}{NARROW_GAP}{symbol or currency}"
    return f"{minus}{symbol}{digits}" if symbol else f"{minus}{currency}{NARROW_GAP}{digits}"


def amount(value: Any, currency: str) -> str:
    """Write an amount to the currency's smallest coin, half up."""
    return with_currency(number(value, 0 if currency in WITHOUT_CENTS else 2), currency)


def price(value: Any, currency: str) -> str:
    """Write a unit price: the coin's places, or up to four where the price has them."""
    exact = decimal_of(value).normalize()
    places = min(4, max(0 if currency in WITHOUT_CENTS else 2, -int(exact.as_tuple().exponent)))
    return with_currency(number(exact, places), currency)


def short(value: Any) -> str:
    """Write a number in three or four characters: 950, 1.2k, 84.2k, 1.9M."""
    exact = decimal_of(value)
    for size, letter in ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(1000), "k")):
        if abs(exact) >= size:
            scaled = exact / size
            return number(scaled, 0 if abs(scaled) >= WIDE else 1) + letter
    return number(exact, 0)


def quantity(value: Any) -> str:
    """Write a quantity without the zeros that its column adds."""
    exact = decimal_of(value)
    if exact == exact.to_integral_value():
        return number(exact, 0)
    return number(exact.normalize())

"""Filters that write figures: amounts, quantities, counts, shares, lengths of time."""

from typing import Any

from django import template

from erp.web import regional

register = template.Library()


@register.filter
def money(value: Any, currency: Any = "") -> str:
    """Write an amount with its currency: `{{ line.amount|money:order.currency }}`."""
    return _or_dash(value, lambda v: regional.amount(v, str(currency or "")))


@register.filter
def price(value: Any, currency: Any = "") -> str:
    """Write a unit price, two to four decimals."""
    return _or_dash(value, lambda v: regional.price(v, str(currency or "")))


@register.filter
def money_short(value: Any, currency: Any = "") -> str:
    """Write an amount for a tile: $84.2k."""
    return _or_dash(value, lambda v: regional.with_currency(regional.short(v), str(currency or "")))


@register.filter
def qty(value: Any, unit: str = "") -> str:
    """Write a quantity without trailing zeros, with its unit if one is given."""
    return _or_dash(value, lambda v: f"{regional.quantity(v)} {unit}".strip())


@register.filter
def number(value: Any, places: int = 0) -> str:
    return _or_dash(value, lambda v: regional.number(v, int(places)))


@register.filter
def upto(value: Any, most: int | None = None) -> str:
    """Write a count that nobody took beyond `most`: 999+."""
    if most and value is not None and value > most:
        return f"{regional.number(most)}+"
    return number(value)


@register.filter
def minutes(value: Any) -> str:
    """Write a length of time in the two units that matter: 3 d 4 h, 2 h 10 min, 45 min."""
    if value is None:
        return regional.NOTHING
    whole = round(value)
    days, hours, left = whole // 1440, whole % 1440 // 60, whole % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{left} min"


@register.filter
def percent(value: Any, places: int = 1) -> str:
    """Write a share (0 to 1) as a percentage."""
    return _or_dash(
        value, lambda v: f"{regional.number(regional.decimal_of(v) * 100, int(places))} %"
    )


def _or_dash(value: Any, write: Any) -> str:
    if value is None or value == "":
        return regional.NOTHING
    if hasattr(value, "amount"):  # a Money
        value = value.amount
    return str(write(value))

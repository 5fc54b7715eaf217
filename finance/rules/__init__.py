"""Decisions about money and what is printed, as pure functions."""

from finance.rules._labels import CartonLabel, escaped, zpl_of
from finance.rules._money import (
    AMOUNT_MAX,
    CENT,
    Owed,
    cents_of,
    inverse,
    oldest_first,
    rounded,
    value_of,
)

__all__ = [
    "AMOUNT_MAX",
    "CENT",
    "CartonLabel",
    "Owed",
    "cents_of",
    "escaped",
    "inverse",
    "oldest_first",
    "rounded",
    "value_of",
    "zpl_of",
]

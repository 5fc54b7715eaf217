"""Keeping stock apart from orders: for many callers at once, and for a while."""

from inventory.services.keeping._expiring import (
    NotKept,
    NotLater,
    convert,
    extend,
    hold_balances,
    keep_until,
    release_lapsed,
)
from inventory.services.keeping._gathering import Gathering

__all__ = [
    "Gathering",
    "NotKept",
    "NotLater",
    "convert",
    "extend",
    "hold_balances",
    "keep_until",
    "release_lapsed",
]

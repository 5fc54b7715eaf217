"""Stock kept for a customer for a while: from the shelf, until a moment, and into an order."""

from orders.services._allocating import reserve_due
from orders.services.reserving._keeping import (
    KIND,
    NotEnoughFree,
    NotKeptAnyMore,
    NotTheirOrder,
    SetAsideDraft,
    TooLong,
    extend_set_aside,
    give_back_set_aside,
    note_lapsed,
    set_aside,
    use_set_aside,
)

__all__ = [
    "KIND",
    "NotEnoughFree",
    "NotKeptAnyMore",
    "NotTheirOrder",
    "SetAsideDraft",
    "TooLong",
    "extend_set_aside",
    "give_back_set_aside",
    "note_lapsed",
    "reserve_due",
    "set_aside",
    "use_set_aside",
]

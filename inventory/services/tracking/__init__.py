"""Everything that changes lots: naming them, stopping them, seeing them expire, changing them."""

from inventory.services._posting import LotNeeded
from inventory.services.tracking._blocking import block_lot, release_lot
from inventory.services.tracking._expiring import look_at_expiry
from inventory.services.tracking._naming import BadLot, LotDraft, name_lots
from inventory.services.tracking._swapping import LotSwap, NoSuchLot, swap_lots

__all__ = [
    "BadLot",
    "LotDraft",
    "LotNeeded",
    "LotSwap",
    "NoSuchLot",
    "block_lot",
    "look_at_expiry",
    "name_lots",
    "release_lot",
    "swap_lots",
]

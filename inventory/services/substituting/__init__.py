"""What may go out in place of what: pairs, and stock kept of the other product."""

from inventory.services._allocating import Exchange
from inventory.services._offering import Offer
from inventory.services.substituting._keeping import keep_exchanges
from inventory.services.substituting._pairing import (
    SubstituteDraft,
    drop_substitute,
    save_substitute,
)

__all__ = [
    "Exchange",
    "Offer",
    "SubstituteDraft",
    "drop_substitute",
    "keep_exchanges",
    "save_substitute",
]

"""Shares out anew what demand lines hold: rehearsed, and done."""

from inventory.services.reallocating._reading import Claimant, Field
from inventory.services.reallocating._sharing import (
    Held,
    Shared,
    commit_reallocation,
    rehearse_reallocation,
)

__all__ = [
    "Claimant",
    "Field",
    "Held",
    "Shared",
    "commit_reallocation",
    "rehearse_reallocation",
]

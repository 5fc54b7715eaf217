"""Purchases that the supplier sends straight to a customer."""

from procurement.services.dropping._binding import NotWaitedFor, lock_addressees
from procurement.services.dropping._writing import CannotDropShip, drop_ship

__all__ = [
    "CannotDropShip",
    "NotWaitedFor",
    "drop_ship",
    "lock_addressees",
]

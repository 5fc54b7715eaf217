"""Keeping stock apart from orders: for many callers at once."""

from inventory.services.keeping._gathering import Gathering

__all__ = ["Gathering"]

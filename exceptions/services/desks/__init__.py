"""Everything that changes how people sit at their desks: their filters, and their shifts."""

from exceptions.services.desks._filtering import BadFilter, forget_filter, open_with, save_filter
from exceptions.services.desks._shifting import BadShift, drop_shift, plan_shift

__all__ = [
    "BadFilter",
    "BadShift",
    "drop_shift",
    "forget_filter",
    "open_with",
    "plan_shift",
    "save_filter",
]

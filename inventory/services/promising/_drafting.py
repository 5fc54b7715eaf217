"""Calendars and lanes as people write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DayDraft:
    """One day that is not as the week says."""

    day: date
    is_working: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDraft:
    """A calendar. `weekdays` is seven digits from Monday; `days` None: they stay as they are."""

    code: str
    name: str
    country: str = ""
    weekdays: str = "1111100"
    cutoff: time | None = None
    days: Sequence[DayDraft] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneDraft:
    """A way between two nodes (by code) of `days` working days; a truck costs `cost`."""

    origin: str
    destination: str
    days: int = 2
    cost: Decimal = Decimal(0)
    currency: str

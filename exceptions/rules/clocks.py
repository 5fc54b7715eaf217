"""Clocks of cases: business time of the entity, with the public holidays of its country."""

from datetime import datetime, timedelta

from erp.kernel.calendars import BusinessCalendar


def due(*, calendar: BusinessCalendar, since: datetime, minutes: int) -> datetime:
    """Return the moment (UTC) at which `minutes` of business time have passed since `since`."""
    return calendar.add(since, timedelta(minutes=minutes))


def start_within(resolve_minutes: int, typical_minutes: int | None) -> int:
    """Return after how many minutes somebody must have begun for the case to be done in time.

    What such cases typically take is left then; where nobody knows, half the time. Never below
    a tenth of the time there is: who has just got a case is not late with it.
    """
    takes = resolve_minutes // 2 if typical_minutes is None else typical_minutes
    return max(resolve_minutes // 10, resolve_minutes - takes)

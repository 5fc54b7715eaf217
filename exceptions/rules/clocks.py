"""Clocks of cases: business time of the entity, with the public holidays of its country."""

from datetime import datetime, timedelta

from erp.kernel.calendars import BusinessCalendar


def due(*, calendar: BusinessCalendar, since: datetime, minutes: int) -> datetime:
    """Return the moment (UTC) at which `minutes` of business time have passed since `since`."""
    return calendar.add(since, timedelta(minutes=minutes))

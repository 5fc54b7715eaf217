"""Clocks of cases: business time of the entity, with the public holidays of its country."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from erp.kernel.calendars import BusinessCalendar

YEARS_AHEAD = 2  # no clock of ours runs longer


@lru_cache(maxsize=256)
def business_calendar(*, country: str, time_zone: str, year: int) -> BusinessCalendar:
    """Return the working hours of a country (ISO 3166 alpha-2) around `year`.

    A country whose holidays nobody has written down works on all weekdays.
    """
    return BusinessCalendar(
        zone=ZoneInfo(time_zone), holidays=public_holidays(country=country, year=year)
    )


@lru_cache(maxsize=256)
def public_holidays(*, country: str, year: int) -> frozenset[date]:
    """Return the public holidays from the year before `year` to two years after it."""
    try:
        found = holidays.country_holidays(country, years=range(year - 1, year + YEARS_AHEAD + 1))
    except NotImplementedError:
        return frozenset()
    return frozenset(found)


def due(*, calendar: BusinessCalendar, since: datetime, minutes: int) -> datetime:
    """Return the moment (UTC) at which `minutes` of business time have passed since `since`."""
    return calendar.add(since, timedelta(minutes=minutes))

"""When goods leave a node, and when they are with whoever waits for them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar


def leaves_on(
    now: datetime,
    *,
    zone: ZoneInfo,
    cutoff: time,
    handling_days: int,
    calendar: BusinessCalendar | None = None,
) -> date:
    """Return the node's business date on which what is reserved at `now` leaves.

    After the cut-off it counts from the next working day; at the cut-off still from today. Without
    a calendar it works from Monday to Friday.
    """
    week = calendar or BusinessCalendar(zone)
    local = now.astimezone(zone)
    late = 1 if local.time() > cutoff and week.is_working_day(local.date()) else 0
    return week.next_working_day(local.date(), days=late + handling_days)


def leaves_after(
    comes: date, *, handling_days: int, calendar: BusinessCalendar | None = None
) -> date:
    """Return the day on which what comes to a node on `comes` can leave it."""
    week = calendar or BusinessCalendar(ZoneInfo("UTC"))
    return week.next_working_day(comes, days=handling_days)


def taken_in_on(
    leaves: date,
    *,
    transit_days: int,
    carrier: BusinessCalendar | None = None,
    customer: BusinessCalendar | None = None,
) -> date:
    """Return the day on which what leaves on `leaves` is taken in by its customer.

    Days on the way are the carrier's working days, every day without a calendar; the customer takes
    in on their own working days, on any day without one.
    """
    if carrier is None or transit_days == 0:
        day = leaves + timedelta(days=transit_days)
    else:
        day = carrier.next_working_day(leaves + timedelta(days=1), days=transit_days - 1)
    return day if customer is None else customer.next_working_day(day)


def leaves_by(wanted: date, *, transit_days: int, carrier: BusinessCalendar | None = None) -> date:
    """Return the last day on which goods can leave and be there on `wanted`, holidays apart."""
    day = wanted
    left = transit_days
    while left > 0:
        if carrier is None or carrier.is_working_day(day):
            left -= 1
        day -= timedelta(days=1)
    return day

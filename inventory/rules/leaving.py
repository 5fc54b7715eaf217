"""When goods leave a node."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from erp.kernel.calendars import BusinessCalendar


def leaves_on(now: datetime, *, zone: ZoneInfo, cutoff: time, handling_days: int) -> date:
    """Return the node's business date on which what is reserved at `now` leaves.

    After the cut-off it counts from the next working day; at the cut-off still from today.
    """
    calendar = BusinessCalendar(zone)
    local = now.astimezone(zone)
    late = 1 if local.time() > cutoff and calendar.is_working_day(local.date()) else 0
    return calendar.next_working_day(local.date(), days=late + handling_days)

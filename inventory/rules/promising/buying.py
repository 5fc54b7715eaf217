"""How much is bought when so much is missing, and when it comes."""

from datetime import date, timedelta

from erp.kernel.calendars import BusinessCalendar


def buy_quantity(missing: int, *, moq: int, multiple: int) -> int:
    """Return the least quantity that covers `missing`, is at least `moq` and in whole `multiple`s.

    In thousandths of base units; `missing` and `multiple` are above zero.
    """
    wanted = max(missing, moq)
    return -(-wanted // multiple) * multiple


def arrival_of_order(today: date, lead_days: int, week: BusinessCalendar | None) -> date:
    """Return when an order of today comes: lead days of the supplier's calendar, else all days."""
    if week is None:
        return today + timedelta(days=lead_days)
    return week.next_working_day(today + timedelta(days=1), days=max(0, lead_days - 1))

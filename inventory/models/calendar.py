"""When people work: the days of nodes, carriers, suppliers and customers."""

from django.db import models
from django.db.models import Q

WEEKDAYS = 7


class Calendar(models.Model):
    """The working days of whoever follows it. `weekdays` is seven digits from Monday, 1 is worked.

    With a `country` (ISO 3166 alpha-2) its public holidays are free. `cutoff` is local time where
    the calendar is used, and takes the place of a node's own; null leaves that.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2, blank=True)
    weekdays = models.CharField(max_length=WEEKDAYS, default="1111100")
    cutoff = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekdays__regex=r"^[01]{7}$") & ~Q(weekdays="0000000"),
                name="inventory_calendar_works_some_day",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CalendarDay(models.Model):
    """One day that is not as the week says: closed, or worked although it would be free."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    is_working = models.BooleanField(default=False)
    name = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "day"], name="inventory_calendarday_once_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"

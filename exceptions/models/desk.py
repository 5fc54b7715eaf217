"""How people sit at their desks: what they look at first, and when they are there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.accounts.models import Role


class SavedFilter(models.Model):
    """A view of the queue under a name. `query` are the parameters of its address.

    With a `role` of an `entity`, everybody who has it sees the filter as well; its owner alone
    changes it.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.JSONField(default=dict)
    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    role = models.CharField(max_length=30, choices=Role, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="exceptions_filter_once"),
            models.CheckConstraint(
                condition=Q(role="", entity=None) | ~Q(role="") & Q(entity__isnull=False),
                name="exceptions_filter_shared_in_an_entity",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DefaultFilter(models.Model):
    """What one person sees when they open the queue."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    filter = models.ForeignKey(SavedFilter, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.filter_id}"


class Shift(models.Model):
    """When somebody of a role, or one person (`user`), sits at the desk: local time of the entity.

    `weekdays` are seven marks from Monday, 1 where the shift begins. One that ends no later than it
    begins ends the next day. A person's own shifts count instead of their role's; who has neither
    is there at all times.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=30, choices=Role)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    weekdays = models.CharField(max_length=7, default="1111100")
    starts = models.TimeField()
    ends = models.TimeField()
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        permissions = [("plan_shifts", "Can say who sits at which desk when")]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekdays__regex="^[01]{7}$") & ~Q(weekdays="0000000"),
                name="exceptions_shift_on_some_day",
            ),
            models.CheckConstraint(
                condition=~Q(starts=F("ends")), name="exceptions_shift_ends_another_time"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gte=F("valid_from")),
                name="exceptions_shift_ends_after_it_began",
            ),
        ]
        indexes = [models.Index(fields=["entity", "role"], name="exceptions_shift_of_desk")]

    def __str__(self) -> str:
        return f"{self.role} {self.starts}-{self.ends}"

"""Why an order may not go on, and who says that it may.

ACTIVE --lift--> LIFTED
"""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition


class Hold(FSMModelMixin, models.Model):
    """One reason why an order may not go on, and the role that may lift it: one per kind.

    A forced hold is lifted by a person only, never because its check passes again. A lift may be
    good up to and with `valid_until`: from the next day its check counts again until the goods
    leave. `assigned_to` works on it, of the role that owns it; what they lift keeps their name.

    ACTIVE --lift--> LIFTED
    """

    class Kind(models.TextChoices):
        CREDIT = "credit", "Credit"
        COMPLETENESS = "completeness", "Incomplete"
        PRICE = "price", "Price"
        MARGIN = "margin", "Margin"
        COMPLIANCE = "compliance", "Compliance"
        DUPLICATE = "duplicate", "Duplicate"
        PROMISE = "promise", "Promise"
        MANUAL = "manual", "Manual"

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        LIFTED = "lifted", "Lifted"

    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="holds")
    kind = models.CharField(max_length=20, choices=Kind)
    owner_role = models.CharField(max_length=30)
    reason = models.CharField(max_length=300)
    facts = models.JSONField(default=dict)
    policy_version = models.CharField(max_length=60, blank=True)
    is_forced = models.BooleanField(db_default=False)
    valid_until = models.DateField(null=True, blank=True)
    state = FSMField(choices=State, default=State.ACTIVE, protected=True)
    placed_at = models.DateTimeField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lift_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(state="active"),
                name="orders_hold_one_active_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(state="active", lifted_at=None)
                | Q(state="lifted", lifted_at__isnull=False),
                name="orders_hold_lifted_at_is_set_once_lifted",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(state="lifted"),
                name="orders_hold_valid_until_is_of_a_lift",
            ),
            models.CheckConstraint(
                condition=Q(assigned_to=None, assigned_at=None)
                | Q(assigned_to__isnull=False, assigned_at__isnull=False),
                name="orders_hold_assigned_at_is_set_once_assigned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"],
                name="orders_hold_lift_ends",
                condition=Q(valid_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.order_id}"

    @transition(field=state, source=State.ACTIVE, target=State.LIFTED)
    def lift(
        self, *, by_id: int | None, at: datetime, reason: str, valid_until: date | None = None
    ) -> None:
        self.lifted_by_id, self.lifted_at, self.lift_reason = by_id, at, reason
        self.valid_until = valid_until

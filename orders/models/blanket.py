"""A blanket order: what a customer has promised to call off in a period, and when.

DRAFT --activate--> ACTIVE --expire--> EXPIRED, --close--> CLOSED
DRAFT --cancel--> CANCELLED

Call-off: PLANNED --make--> ORDERED, --fail--> FAILED --plan_again--> PLANNED; what is not made
yet --drop--> DROPPED
"""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField, RateField
from orders.models.customer import CreditAccount, Customer


class BlanketQuerySet(models.QuerySet["Blanket"]):
    def lock(self, blanket_id: int) -> "Blanket":
        """Return the agreement, locked until the transaction ends.

        Raises:
            Blanket.DoesNotExist: there is no such agreement.
        """
        return self.select_for_update(of=["self"], no_key=True).get(pk=blanket_id)


class Blanket(FSMModelMixin, models.Model):
    """An agreement with one customer from `valid_from` through `valid_until`, in `currency`.

    `noticed_days` is how many days before its end it was last announced that it ends.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        EXPIRED = "expired", "Expired"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("BO-", "orders_blanket_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="blankets")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    client_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  null is not a key
    customer_po = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    valid_until = models.DateField()
    ship_to = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    activated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    noticed_days = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = BlanketQuerySet.as_manager()

    class Meta:
        permissions = [
            ("write_blanket", "Can write and end a blanket order"),
            ("call_off", "Can call off from a blanket order"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "active", "expired", "closed", "cancelled"]),
                name="orders_blanket_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["active", "expired", "closed"])
                | Q(activated_at__isnull=False),
                name="orders_blanket_activated_at_is_set_once_active",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gte=F("valid_from")),
                name="orders_blanket_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["entity", "client_key"],
                condition=Q(client_key__isnull=False),
                name="orders_blanket_once_per_client_key",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="orders_blanket_newest"),
            models.Index(
                fields=["valid_until"],
                name="orders_blanket_to_expire",
                condition=Q(state="active"),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.DRAFT, target=State.ACTIVE)
    def activate(self, *, at: datetime) -> None:
        self.activated_at = at

    @transition(field=state, source=State.ACTIVE, target=State.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.ACTIVE, target=State.CLOSED)
    def close(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason

    @transition(field=state, source=State.DRAFT, target=State.CANCELLED)
    def cancel(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason


class BlanketLine(models.Model):
    """How much of one product is committed: a quantity in base units, a value, or both.

    With `unit_price` the price is fixed; without it each call-off takes the book's of its day.
    `called` and `called_value` are what orders took, counted anew whenever one changes; they stay
    within what is committed and `tolerance`, a share of it.
    """

    blanket = models.ForeignKey(
        Blanket, on_delete=models.CASCADE, related_name="lines", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField(null=True, blank=True)  # type: ignore[misc]
    value = AmountField(null=True, blank=True)  # type: ignore[misc]
    unit_price = AmountField(null=True, blank=True)  # type: ignore[misc]
    tolerance = RateField(default=Decimal(0))
    called = QuantityField(default=Decimal(0))
    called_value = AmountField(default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["blanket", "position"], name="orders_blanketline_one_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0) | Q(quantity=None),
                name="orders_blanketline_quantity_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=False) | Q(value__gt=0),
                name="orders_blanketline_commits_something",
            ),
            models.CheckConstraint(
                condition=Q(called__gte=0, tolerance__gte=0)
                & (
                    Q(quantity=None) | Q(called__lte=F("quantity") + F("quantity") * F("tolerance"))
                ),
                name="orders_blanketline_calls_at_most_what_is_committed",
            ),
            models.CheckConstraint(
                condition=Q(value=None)
                | Q(called_value__lte=F("value") + F("value") * F("tolerance")),
                name="orders_blanketline_is_worth_at_most_what_is_committed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"


class CallOff(FSMModelMixin, models.Model):
    """One delivery that a blanket order plans: the order is made on `order_date`, for `due_date`.

    `quantity` is in base units. Made once: the order carries the row's own key.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        ORDERED = "ordered", "Ordered"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "Dropped"

    line = models.ForeignKey(BlanketLine, on_delete=models.CASCADE, related_name="call_offs")
    due_date = models.DateField()
    order_date = models.DateField()
    quantity = QuantityField()
    state = FSMField(choices=State, default=State.PLANNED, protected=True)
    order = models.ForeignKey(
        "orders.Order",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    made_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["planned", "ordered", "failed", "dropped"]),
                name="orders_calloff_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="ordered") | Q(order__isnull=False, made_at__isnull=False),
                name="orders_calloff_order_is_set_once_made",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, order_date__lte=F("due_date")),
                name="orders_calloff_is_ordered_before_it_is_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["order_date"],
                name="orders_calloff_due",
                condition=Q(state="planned"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} on {self.due_date}"

    @transition(field=state, source=State.PLANNED, target=State.ORDERED)
    def make(self, *, order_id: int, at: datetime) -> None:
        self.order_id, self.made_at, self.failure = order_id, at, ""

    @transition(field=state, source=State.PLANNED, target=State.FAILED)
    def fail(self, *, reason: str) -> None:
        self.failure = reason

    @transition(field=state, source=State.FAILED, target=State.PLANNED)
    def plan_again(self) -> None:
        self.failure = ""

    @transition(field=state, source=[State.PLANNED, State.FAILED], target=State.DROPPED)
    def drop(self) -> None:
        pass

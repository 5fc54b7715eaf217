"""An order and its life.

DRAFT --submit--> SUBMITTED --hold--> HELD --resume--> SUBMITTED --release--> RELEASED
SUBMITTED, HELD --release--> RELEASED; what is not yet picked --hold--> HELD (by hand)
RELEASED, BACKORDERED, PARTLY_ALLOCATED --allocate_all--> ALLOCATED, --allocate_some-->
PARTLY_ALLOCATED, --allocate_none--> BACKORDERED
ALLOCATED, PARTLY_ALLOCATED, PARTLY_SHIPPED --start_picking--> FULFILLING
FULFILLING --ship_some--> PARTLY_SHIPPED --ship_all--> SHIPPED
SHIPPED --invoice--> INVOICED --close--> CLOSED
FULFILLING --allocate_some--> PARTLY_ALLOCATED, --allocate_none--> BACKORDERED: what was to be
picked is not there; --wait_for_rest--> PARTLY_SHIPPED: the same, after a part has left
anything of which nothing has left --cancel--> CANCELLED

A partly shipped order keeps its state while its rest is allocated; its rest is cancelled by its
lines, after which it is SHIPPED.
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber
from orders.models.customer import CreditAccount, Customer


class OrderQuerySet(models.QuerySet["Order"]):
    def lock(self, order_id: int) -> "Order":
        """Return the order, locked until the transaction ends.

        Raises:
            Order.DoesNotExist: there is no such order.
        """
        return self.select_for_update(of=["self"]).get(pk=order_id)


class Order(FSMModelMixin, models.Model):
    """What one customer asked one entity for at one time, and how far it has come.

    `subtotal` is the exact sum of the lines' amounts; `total` is `subtotal + freight` rounded half
    up to the cent; all in `currency`. `client_key` makes a repeated submission the same order.
    `revision` counts what was changed after it was submitted: the customer sees it.
    `fingerprint` stands for the products and quantities in whatever order, set once submitted.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted"
        HELD = "held", "On hold"
        RELEASED = "released", "Released"
        ALLOCATED = "allocated", "Allocated"
        PARTLY_ALLOCATED = "partly_allocated", "Partly allocated"
        BACKORDERED = "backordered", "Backordered"
        FULFILLING = "fulfilling", "Fulfilling"
        PARTLY_SHIPPED = "partly_shipped", "Partly shipped"
        SHIPPED = "shipped", "Shipped"
        INVOICED = "invoiced", "Invoiced"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    WAITING = [State.RELEASED, State.PARTLY_ALLOCATED, State.BACKORDERED]
    ON_THE_FLOOR = [State.FULFILLING, State.PARTLY_SHIPPED]
    GONE = [State.SHIPPED, State.INVOICED]
    OPEN = [
        State.SUBMITTED,
        State.HELD,
        State.RELEASED,
        State.ALLOCATED,
        State.PARTLY_ALLOCATED,
        State.BACKORDERED,
        State.FULFILLING,
        State.PARTLY_SHIPPED,
    ]

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("SO-", "orders_order_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    channel = models.CharField(max_length=20, default="page")
    customer_po = models.CharField(max_length=60, blank=True)
    client_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  null is not a key
    revision = models.PositiveIntegerField(default=0, db_default=0)
    external_ref = models.CharField(max_length=60, blank=True)
    fingerprint = models.CharField(max_length=32, blank=True, db_default="")
    currency = models.CharField(max_length=3)
    requested_date = models.DateField()
    promised_date = models.DateField(null=True, blank=True)
    ship_to = models.JSONField(default=dict)
    carrier = models.ForeignKey(
        "inventory.Carrier",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    ship_complete = models.BooleanField(default=False)
    no_split = models.BooleanField(default=False)
    no_substitutes = models.BooleanField(default=False)
    class_code = models.CharField(max_length=30, blank=True)
    priority = models.PositiveSmallIntegerField(default=50)
    freight = AmountField(default=0)
    subtotal = AmountField(default=0)
    total = AmountField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    invoiced_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        permissions = [
            ("submit_order", "Can enter and submit an order"),
            ("release_order", "Can release a hold"),
            ("cancel_order", "Can cancel an order"),
            ("allocate_order", "Can allocate an order"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "submitted",
                        "held",
                        "released",
                        "allocated",
                        "partly_allocated",
                        "backordered",
                        "fulfilling",
                        "partly_shipped",
                        "shipped",
                        "invoiced",
                        "closed",
                        "cancelled",
                    ]
                ),
                name="orders_order_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"]) | Q(submitted_at__isnull=False),
                name="orders_order_submitted_at_is_set_once_submitted",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted", "held", "cancelled"])
                | Q(released_at__isnull=False),
                name="orders_order_released_at_is_set_once_released",
            ),
            models.UniqueConstraint(
                fields=["entity", "client_key"],
                condition=Q(client_key__isnull=False),
                name="orders_order_once_per_client_key",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="orders_order_newest"),
            models.Index(
                fields=["entity", "state", "-id"],
                name="orders_order_open",
                condition=~Q(state__in=["closed", "cancelled", "invoiced"]),
            ),
            models.Index(
                fields=["priority", "id"],
                name="orders_order_to_allocate",
                condition=Q(state="released"),
            ),
            models.Index(fields=["customer", "-id"], name="orders_order_of_customer"),
            models.Index(
                fields=["account", "priority", "id"],
                name="orders_order_held",
                condition=Q(state="held"),
            ),
            models.Index(
                fields=["customer", "customer_po"],
                name="orders_order_customer_po",
                condition=~Q(customer_po=""),
            ),
            models.Index(
                fields=["customer", "fingerprint"],
                name="orders_order_same_content",
                condition=~Q(fingerprint=""),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    # Transitions change this row only. What else must happen is the service's to do.

    @transition(field=state, source=State.DRAFT, target=State.SUBMITTED)
    def submit(self, *, at: datetime) -> None:
        self.submitted_at = at

    @transition(field=state, source=[State.SUBMITTED, *WAITING, State.ALLOCATED], target=State.HELD)
    def hold(self) -> None:
        pass

    @transition(field=state, source=State.HELD, target=State.SUBMITTED)
    def resume(self) -> None:
        pass

    @transition(field=state, source=[State.SUBMITTED, State.HELD], target=State.RELEASED)
    def release(self, *, at: datetime) -> None:
        self.released_at = at

    @transition(field=state, source=WAITING, target=State.ALLOCATED)
    def allocate_all(self) -> None:
        pass

    @transition(
        field=state,
        source=[*WAITING, State.ALLOCATED, State.FULFILLING],
        target=State.PARTLY_ALLOCATED,
    )
    def allocate_some(self) -> None:
        pass

    @transition(
        field=state,
        source=[*WAITING, State.ALLOCATED, State.FULFILLING],
        target=State.BACKORDERED,
    )
    def allocate_none(self) -> None:
        pass

    @transition(
        field=state,
        source=[State.ALLOCATED, State.PARTLY_ALLOCATED, State.PARTLY_SHIPPED],
        target=State.FULFILLING,
    )
    def start_picking(self) -> None:
        pass

    @transition(
        field=state,
        source=[State.ALLOCATED, State.PARTLY_ALLOCATED, State.BACKORDERED, State.FULFILLING],
        target=State.PARTLY_SHIPPED,
    )
    def ship_some(self) -> None:
        pass

    @transition(
        field=state,
        source=[
            State.ALLOCATED,
            State.PARTLY_ALLOCATED,
            State.BACKORDERED,
            State.FULFILLING,
            State.PARTLY_SHIPPED,
        ],
        target=State.SHIPPED,
    )
    def ship_all(self, *, at: datetime) -> None:
        self.shipped_at = at

    @transition(field=state, source=State.FULFILLING, target=State.PARTLY_SHIPPED)
    def wait_for_rest(self) -> None:
        pass

    @transition(field=state, source=State.SHIPPED, target=State.INVOICED)
    def invoice(self, *, at: datetime) -> None:
        self.invoiced_at = at

    @transition(field=state, source=State.INVOICED, target=State.CLOSED)
    def close(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(
        field=state,
        source=[
            State.DRAFT,
            State.SUBMITTED,
            State.HELD,
            *WAITING,
            State.ALLOCATED,
            State.FULFILLING,
        ],
        target=State.CANCELLED,
    )
    def cancel(self, *, reason: str, at: datetime) -> None:
        self.cancel_reason, self.cancelled_at = reason, at

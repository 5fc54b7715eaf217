"""Who is told how an order comes along, and what each was told.

Notice: DUE --mail--> TOLD; a notice in the house is TOLD at once
"""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from orders.models.customer import Customer
from orders.models.order import Order


class Milestone(models.TextChoices):
    """What is told about an order. `delayed` has a reason."""

    RECEIVED = "received", "Received"
    RELEASED = "released", "Released"
    ALLOCATED = "allocated", "Allocated"
    PICKED = "picked", "Picked"
    PACKED = "packed", "Packed"
    SHIPPED = "shipped", "Shipped"
    DELIVERED = "delivered", "Delivered"
    INVOICED = "invoiced", "Invoiced"
    DELAYED = "delayed", "Delayed"


class TrackingKey(models.Model):
    """How often the tracking links of one order were revoked; a link names the count it is of.

    An order without a row has links of count zero.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="+")
    serial = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.order_id}: {self.serial}"


class MilestoneSubscription(models.Model):
    """One party that is told of milestones: of one order, or of every order of a customer.

    `kinds` empty: all of them. `address` is where: an e-mail address, else empty. `webhook` and
    `edi` are delivered by who listens to `orders.milestone_reached`.
    """

    class Channel(models.TextChoices):
        IN_APP = "in_app", "In the house"
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook"
        EDI = "edi", "EDI"

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.CASCADE, related_name="subscriptions"
    )
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254, blank=True)
    kinds = ArrayField(models.CharField(max_length=12, choices=Milestone), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        permissions = [("follow_milestones", "Can say who is told of milestones")]
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["in_app", "email", "webhook", "edi"]),
                name="orders_milestonesubscription_channel_known",
            ),
            models.CheckConstraint(
                condition=~Q(channel="email") | ~Q(address=""),
                name="orders_milestonesubscription_by_mail_has_an_address",
            ),
            models.UniqueConstraint(
                fields=["entity", "customer", "order", "channel", "address"],
                condition=Q(is_active=True),
                nulls_distinct=False,
                name="orders_milestonesubscription_once_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address}".strip()


class MilestoneNotice(FSMModelMixin, models.Model):
    """One milestone told to one party: once for each state that an order or shipment reached.

    `subject` is what reached it: a shipment's or invoice's number, the day now promised, or empty
    for the order itself.
    """

    class State(models.TextChoices):
        DUE = "due", "Due"
        TOLD = "told", "Told"

    subscription = models.ForeignKey(
        MilestoneSubscription, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=Milestone)
    subject = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    state = FSMField(choices=State, default=State.DUE, protected=True)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "order", "kind", "subject"],
                name="orders_milestonenotice_once_per_state_reached",
            ),
            models.CheckConstraint(
                condition=Q(state="due", told_at=None) | Q(state="told", told_at__isnull=False),
                name="orders_milestonenotice_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()

    @transition(field=state, source=State.DUE, target=State.TOLD)
    def tell(self, *, at: datetime) -> None:
        self.told_at = at

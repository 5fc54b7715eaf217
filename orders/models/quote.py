"""A quote and its life.

DRAFT --send--> SENT --accept--> ACCEPTED --order_all--> ORDERED --reopen--> ACCEPTED
SENT --decline--> DECLINED, SENT, ACCEPTED --expire--> EXPIRED
DRAFT, SENT, DECLINED, EXPIRED --supersede--> SUPERSEDED: a later version took its place

An accepted quote is ordered from, in one order or several, until its quantities are used up; an
order that is cancelled gives back what it took.
"""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField, RateField
from orders.models.customer import CreditAccount, Customer


class QuoteQuerySet(models.QuerySet["Quote"]):
    def lock(self, quote_id: int) -> "Quote":
        """Return the quote, locked until the transaction ends.

        Raises:
            Quote.DoesNotExist: there is no such quote.
        """
        return self.select_for_update(of=["self"], no_key=True).get(pk=quote_id)


class Quote(FSMModelMixin, models.Model):
    """What one customer was offered, at prices that hold through `valid_until`.

    `subtotal` is the exact sum of the lines, `total` that and `freight` half up to the cent; all in
    `currency`. Versions of one offer share `root`; only the latest is not superseded.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        SENT = "sent", "Sent"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"
        ORDERED = "ordered", "Ordered"
        SUPERSEDED = "superseded", "Superseded"

    number = models.CharField(
        max_length=30, unique=True, db_default=NextNumber("QT-", "orders_quote_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="quotes")
    account = models.ForeignKey(
        CreditAccount, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    root = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    version = models.PositiveSmallIntegerField(default=1)
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    client_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001  null is not a key
    customer_po = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3)
    valid_until = models.DateField()
    requested_date = models.DateField(null=True, blank=True)
    ship_to = models.JSONField(default=dict)
    note = models.CharField(max_length=1_000, blank=True)
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
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.CharField(max_length=300, blank=True)

    objects = QuoteQuerySet.as_manager()

    class Meta:
        permissions = [
            ("write_quote", "Can write and send a quote"),
            ("answer_quote", "Can note what the customer answered to a quote"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "sent",
                        "accepted",
                        "declined",
                        "expired",
                        "ordered",
                        "superseded",
                    ]
                ),
                name="orders_quote_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sent", "accepted", "ordered"]) | Q(sent_at__isnull=False),
                name="orders_quote_sent_at_is_set_once_sent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "declined", "ordered"])
                | Q(answered_at__isnull=False),
                name="orders_quote_answered_at_is_set_once_answered",
            ),
            models.UniqueConstraint(
                fields=["entity", "client_key"],
                condition=Q(client_key__isnull=False),
                name="orders_quote_once_per_client_key",
            ),
            models.UniqueConstraint(
                fields=["root", "version"], name="orders_quote_once_per_version"
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="orders_quote_newest"),
            models.Index(
                fields=["valid_until"],
                name="orders_quote_to_expire",
                condition=Q(state__in=["sent", "accepted"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.DRAFT, target=State.SENT)
    def send(self, *, at: datetime) -> None:
        self.sent_at = at

    @transition(field=state, source=State.SENT, target=State.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.answered_at = at

    @transition(field=state, source=State.SENT, target=State.DECLINED)
    def decline(self, *, at: datetime, reason: str) -> None:
        self.answered_at, self.decline_reason = at, reason

    @transition(field=state, source=[State.SENT, State.ACCEPTED], target=State.EXPIRED)
    def expire(self) -> None:
        pass

    @transition(field=state, source=State.ACCEPTED, target=State.ORDERED)
    def order_all(self) -> None:
        pass

    @transition(field=state, source=State.ORDERED, target=State.ACCEPTED)
    def reopen(self) -> None:
        pass

    @transition(
        field=state,
        source=[State.DRAFT, State.SENT, State.DECLINED, State.EXPIRED],
        target=State.SUPERSEDED,
    )
    def supersede(self) -> None:
        pass


class QuoteLine(models.Model):
    """So much of one product at one price, as an order line would have it.

    `ordered` is what orders took of `quantity`, in base units, counted anew whenever one changes.
    """

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    uom = models.CharField(max_length=10)
    uom_quantity = QuantityField()
    quantity = QuantityField()
    unit_price = AmountField()
    price_source = models.CharField(max_length=300, blank=True)
    price_basis = models.JSONField(default=dict, blank=True)
    discount = RateField(default=Decimal(0))
    amount = AmountField()
    node = models.ForeignKey(
        "inventory.Node",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    ordered = QuantityField(default=Decimal(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["quote", "position"], name="orders_quoteline_one_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0, discount__gte=0, discount__lte=1),
                name="orders_quoteline_is_a_quantity_at_a_price",
            ),
            models.CheckConstraint(
                condition=Q(ordered__gte=0, ordered__lte=F("quantity")),
                name="orders_quoteline_orders_at_most_what_was_quoted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"

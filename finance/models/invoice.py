"""An invoice, a payment and their lives.

Invoice: DRAFT --post--> POSTED --pay_some--> PARTLY_PAID --pay_all--> PAID

The draft is made in the commit that ships: it holds the cents that were accrued, so that invoicing
them takes the accrual back to exactly nothing.
"""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField, RateField


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def lock(self, invoice_id: int) -> "Invoice":
        """Return the invoice, locked until the transaction ends.

        Raises:
            Invoice.DoesNotExist: there is no such invoice.
        """
        return self.select_for_update(of=["self"]).get(pk=invoice_id)


class Invoice(FSMModelMixin, models.Model):
    """What one customer owes for one shipment. `number` is gap-free per entity, set when posted.

    `total` = `net` + `freight` + `tax`, whole cents of `currency`; `paid` is allocated cash. Until
    it is posted, `net` is part of what the customer's account carries as unbilled. Freight of an
    order is charged on the first of its invoices that is posted. Dates are the entity's.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        POSTED = "posted", "Posted"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"

    number = models.CharField(max_length=30, null=True, unique=True)  # noqa: DJ001  null until posted
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey("orders.Customer", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        "orders.CreditAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    order = models.ForeignKey(
        "orders.Order", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    shipment = models.ForeignKey(
        "inventory.Shipment", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    currency = models.CharField(max_length=3)
    invoice_date = models.DateField()
    due_date = models.DateField()
    net = AmountField(default=0)
    freight = AmountField(default=0)
    tax = AmountField(default=0)
    total = AmountField(default=0)
    paid = AmountField(default=0)
    created_at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        permissions = [("post_invoice", "Can post an invoice")]
        constraints = [
            models.UniqueConstraint(fields=["shipment"], name="finance_invoice_once_per_shipment"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(number__isnull=False, posted_at__isnull=False),
                name="finance_invoice_number_is_set_once_posted",
            ),
            models.CheckConstraint(
                condition=Q(paid__gte=0, paid__lte=F("total")), name="finance_invoice_paid_at_most"
            ),
            models.CheckConstraint(
                condition=Q(total=F("net") + F("freight") + F("tax")),
                name="finance_invoice_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "posted", "partly_paid", "paid"]),
                name="finance_invoice_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", paid=F("total"), paid_at__isnull=False)
                | ~Q(state="paid") & Q(paid_at=None),
                name="finance_invoice_paid_at_is_set_once_paid",
            ),
            models.CheckConstraint(
                condition=Q(
                    net=Round("net", precision=2),
                    freight=Round("freight", precision=2),
                    tax=Round("tax", precision=2),
                    paid=Round("paid", precision=2),
                ),
                name="finance_invoice_is_whole_cents",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(freight__gt=0),
                name="finance_invoice_freight_once_per_order",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="finance_invoice_newest"),
            models.Index(
                fields=["account", "due_date", "id"],
                name="finance_invoice_unpaid",
                condition=Q(state__in=["posted", "partly_paid"]),
            ),
            models.Index(fields=["order"], name="finance_invoice_of_order"),
            models.Index(fields=["id"], name="finance_invoice_to_post", condition=Q(state="draft")),
        ]
        triggers = [
            pgtrigger.Protect(
                name="posted_stays",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__df="draft"),
            ),
            pgtrigger.Protect(
                name="posted_stands",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__df="draft")
                & (
                    pgtrigger.Q(new__state="draft")
                    | pgtrigger.Q(new__number__df=pgtrigger.F("old__number"))
                    | pgtrigger.Q(new__total__df=pgtrigger.F("old__total"))
                    | pgtrigger.Q(new__net__df=pgtrigger.F("old__net"))
                    | pgtrigger.Q(new__account_id__df=pgtrigger.F("old__account_id"))
                    | pgtrigger.Q(new__invoice_date__df=pgtrigger.F("old__invoice_date"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"draft invoice {self.pk}"

    @transition(field=state, source=State.DRAFT, target=State.POSTED)
    def post(self, *, number: str, at: datetime) -> None:
        self.number, self.posted_at = number, at

    @transition(field=state, source=[State.POSTED, State.PARTLY_PAID], target=State.PARTLY_PAID)
    def pay_some(self) -> None:
        pass

    @transition(field=state, source=[State.POSTED, State.PARTLY_PAID], target=State.PAID)
    def pay_all(self, *, at: datetime) -> None:
        self.paid_at = at


class InvoiceLine(models.Model):
    """What one shipment line is charged at: whole cents. It is invoiced at most once."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    shipment_line = models.OneToOneField(
        "inventory.ShipmentLine", on_delete=models.PROTECT, related_name="+"
    )
    order_line = models.ForeignKey("orders.OrderLine", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField()
    unit_price = AmountField()
    discount = RateField(default=0)
    amount = AmountField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, amount=Round("amount", precision=2)),
                name="finance_invoiceline_is_whole_cents",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"


class Payment(models.Model):
    """Cash received from a customer, in `currency`. `unapplied` is not yet on an invoice."""

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("PAY-", "finance_payment_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    customer = models.ForeignKey("orders.Customer", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        "orders.CreditAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    amount = AmountField()
    unapplied = AmountField()
    received_date = models.DateField()
    reference = models.CharField(max_length=100)
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        permissions = [("post_payment", "Can post and allocate a payment")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, unapplied__gte=0, unapplied__lte=F("amount"))
                & Q(amount=Round("amount", precision=2), unapplied=Round("unapplied", precision=2)),
                name="finance_payment_applies_at_most_itself",
            ),
            models.CheckConstraint(
                condition=~Q(reference=""), name="finance_payment_has_a_reference"
            ),
            models.UniqueConstraint(
                fields=["entity", "customer", "reference"],
                name="finance_payment_once_per_reference",
            ),
        ]
        indexes = [models.Index(fields=["entity", "-id"], name="finance_payment_newest")]

    def __str__(self) -> str:
        return self.number


class PaymentAllocation(models.Model):
    """So much of one payment on one invoice."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount = AmountField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount=Round("amount", precision=2)),
                name="finance_allocation_above_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} on {self.invoice_id}"

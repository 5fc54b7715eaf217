"""Who buys, and on what terms."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from erp.kernel.fields import AmountField, RateField


class Customer(models.Model):
    """Somebody who buys from one or more of our entities. Terms are on the account per entity.

    `bank_account` is where money is paid back to, in capitals without spaces: it changes only by a
    request that somebody else agreed to.
    They take goods in on the working days of their `calendar`, without one on any day.
    """

    class Tier(models.TextChoices):
        STRATEGIC = "A", "A · strategic"
        KEY = "B", "B · key"
        STANDARD = "C", "C · standard"
        OCCASIONAL = "D", "D · occasional"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    tier = models.CharField(max_length=1, choices=Tier, default=Tier.STANDARD)
    country = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    contact = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    tax_id = models.CharField(max_length=40, blank=True)
    bank_account = models.CharField(max_length=34, blank=True, db_default="")
    group = models.ForeignKey(
        "orders.CustomerGroup",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="members",
    )
    is_blocked = models.BooleanField(default=False)
    ship_complete = models.BooleanField(default=False)
    no_split = models.BooleanField(default=False)
    no_substitutes = models.BooleanField(default=False)
    calendar = models.ForeignKey(
        "inventory.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="orders_customer_has_a_code"),
        ]
        indexes = [models.Index(Upper("name"), name="orders_customer_name_prefix")]

    def __str__(self) -> str:
        return self.name


class CreditAccount(models.Model):
    """What one customer may owe one entity, and what they owe now, in `currency`.

    Exposure = receivable + unbilled + committed - unapplied. Each is kept in the commit that
    changes it: `committed` is released and not shipped (with freight until the first invoice),
    `unbilled` shipped and not invoiced, `receivable` posted and unpaid invoices, `unapplied` cash
    not yet allocated. `overdue_amount` is the part of `receivable` past its due date since
    `overdue_since`, as finance last told. `penalty_rate` is the share of a late line's amount due
    per day late.

    Credit also takes off what is insured: `insured_amount`, up to and with `insured_until`. The
    limit is `temporary_limit` from its first to its last day, else `credit_limit`, which is good up
    to and with `limit_until`; one order is at most `order_limit` (0: no such rule). Credit agreed
    to terms of up to `agreed_terms_days` (none: to none yet). `paid_count` invoices were paid in
    full, of them `paid_late_count` after their due date, by `paid_late_days` days in all.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=3)
    credit_limit = AmountField(default=0)
    terms_days = models.PositiveSmallIntegerField(default=30)
    penalty_rate = RateField(default=0)
    on_hold = models.BooleanField(default=False)
    receivable = AmountField(default=0)
    unbilled = AmountField(default=0)
    committed = AmountField(default=0)
    unapplied = AmountField(default=0)
    overdue_amount = AmountField(default=0)
    overdue_since = models.DateField(null=True, blank=True)
    temporary_limit = AmountField(db_default=0)
    temporary_from = models.DateField(null=True, blank=True)
    temporary_until = models.DateField(null=True, blank=True)
    limit_until = models.DateField(null=True, blank=True)
    order_limit = AmountField(db_default=0)
    insured_amount = AmountField(db_default=0)
    insured_until = models.DateField(null=True, blank=True)
    agreed_terms_days = models.PositiveSmallIntegerField(null=True, blank=True, db_default=30)
    paid_count = models.PositiveIntegerField(db_default=0)
    paid_late_count = models.PositiveIntegerField(db_default=0)
    paid_late_days = models.PositiveIntegerField(db_default=0)

    class Meta:
        permissions = [
            ("change_credit_limit", "Can change a credit limit"),
            ("ask_terms", "Can ask for other terms of a customer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "entity"], name="orders_account_once_per_entity"
            ),
            models.CheckConstraint(
                condition=Q(credit_limit__gte=0), name="orders_account_limit_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(committed__gte=0, unbilled__gte=0, unapplied__gte=0),
                name="orders_account_parts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(insured_amount__gte=0, order_limit__gte=0, temporary_limit__gte=0),
                name="orders_account_terms_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(temporary_from=None, temporary_until=None)
                | Q(temporary_until__gte=F("temporary_from")),
                name="orders_account_temporary_limit_has_its_days",
            ),
            models.CheckConstraint(
                condition=Q(paid_late_count__lte=F("paid_count")),
                name="orders_account_late_is_part_of_paid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} @ {self.entity_id}"


class ShipTo(models.Model):
    """One address to which a customer has goods sent."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="ship_tos")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "code"], name="orders_shipto_once_per_customer"
            ),
        ]

    def __str__(self) -> str:
        return self.name

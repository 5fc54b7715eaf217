"""Double entry: accounts, entries that never change, and the periods that close over them."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField


class Account(models.Model):
    """One account of one entity's chart. `purpose` is how posting rules find it."""

    class Kind(models.TextChoices):
        ASSET = "asset"
        LIABILITY = "liability"
        EQUITY = "equity"
        INCOME = "income"
        EXPENSE = "expense"

    class Purpose(models.TextChoices):
        BANK = "bank", "Bank"
        RECEIVABLE = "receivable", "Trade receivables"
        UNBILLED = "unbilled", "Shipped, not invoiced"
        INVENTORY = "inventory", "Inventory"
        RECEIVED = "received", "Goods received, not billed"
        UNAPPLIED = "unapplied", "Unapplied cash"
        OPENING = "opening", "Opening balances"
        REVENUE = "revenue", "Sales"
        FREIGHT = "freight", "Freight charged"
        COST = "cost", "Cost of goods sold"
        VARIANCE = "variance", "Stock adjustments"
        ROUNDING = "rounding", "Rounding"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=10)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind)
    purpose = models.CharField(max_length=20, choices=Purpose)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "code"], name="finance_account_once"),
            models.UniqueConstraint(
                fields=["entity", "purpose"], name="finance_account_one_per_purpose"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Period(FSMModelMixin, models.Model):
    """One month of one entity's books, [starts, ends). OPEN -> SOFT_CLOSED -> CLOSED and back."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SOFT_CLOSED = "soft_closed", "Soft-closed"
        CLOSED = "closed", "Closed"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    starts = models.DateField()
    ends = models.DateField()
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("close_period", "Can close and reopen a period")]
        constraints = [
            models.UniqueConstraint(fields=["entity", "starts"], name="finance_period_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="finance_period_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id} {self.starts:%Y-%m}"

    @transition(field=state, source=State.OPEN, target=State.SOFT_CLOSED)
    def soft_close(self) -> None:
        pass

    @transition(field=state, source=[State.OPEN, State.SOFT_CLOSED], target=State.CLOSED)
    def close(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(field=state, source=[State.SOFT_CLOSED, State.CLOSED], target=State.OPEN)
    def reopen(self) -> None:
        self.closed_at = None


class JournalEntry(models.Model):
    """One posting, by what caused it. Immutable; a cause is posted at most once per kind.

    Debits equal credits: a trigger refuses the statement that would leave them unequal.
    """

    class Kind(models.TextChoices):
        OPENING = "opening"
        SHIPMENT = "shipment"
        INVOICE = "invoice"
        PAYMENT = "payment"
        RECEIPT = "receipt"
        ADJUSTMENT = "adjustment"
        REVERSAL = "reversal"
        MANUAL = "manual"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    date = models.DateField()
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    memo = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "journal entries"
        constraints = [
            models.UniqueConstraint(
                fields=["cause_id", "cause_kind", "kind"], name="finance_entry_once_per_cause"
            ),
        ]
        indexes = [models.Index(fields=["entity", "date"], name="finance_entry_by_date")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cause_kind}:{self.cause_id}"


class JournalLine(models.Model):
    """One debit or credit in the entity's currency, whole cents. Immutable."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lines")
    debit = AmountField(default=0)
    credit = AmountField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0),
                name="finance_line_is_a_debit_or_a_credit",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.debit}/{self.credit}"

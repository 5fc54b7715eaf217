"""Double entry: accounts, entries that never change, and the periods that close over them."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Round
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField

POSTS_LOCK = 7346  # advisory: shared while posting into an entity's books, alone to close a period

# An entry and its lines come in one statement. That is what lets a trigger per statement see whole
# entries, and what makes a line added later, even a balanced pair, refusable.
WITHOUT_LINES = """
    SELECT EXISTS (
        SELECT FROM added a
        WHERE NOT EXISTS (SELECT FROM finance_journalline l WHERE l.entry_id = a.id)
    )
"""
UNBALANCED = """
    SELECT EXISTS (
        SELECT FROM added a
        GROUP BY a.entry_id
        HAVING sum(a.debit) <> sum(a.credit)
            OR count(*) <> (
                SELECT count(*) FROM finance_journalline l WHERE l.entry_id = a.entry_id)
    )
"""
ASTRAY = """
    SELECT EXISTS (
        SELECT FROM added a
        JOIN finance_journalentry e ON e.id = a.entry_id
        JOIN finance_account c ON c.id = a.account_id
        WHERE c.entity_id <> e.entity_id
    )
"""
FEW = 50  # rows; a plan kept from a day of small tables would read them whole for each of many


def answered(question: str) -> str:
    """Return plpgsql that sets `broken`: planned once for few rows, anew for many."""
    return f"""
    IF many THEN EXECUTE $question${question}$question$ INTO broken;
    ELSE {question.strip().replace("SELECT EXISTS", "broken := EXISTS", 1)};
    END IF;
"""


ENTRIES_STAND = f"""
    PERFORM pg_advisory_xact_lock_shared({POSTS_LOCK}, touched.entity_id::int)
    FROM (SELECT DISTINCT entity_id FROM added ORDER BY entity_id) AS touched;

    INSERT INTO finance_period (entity_id, starts, ends, state)
    SELECT DISTINCT a.entity_id, date_trunc('month', a.date)::date,
           (date_trunc('month', a.date) + interval '1 month')::date, 'open'
    FROM added a
    WHERE NOT EXISTS (
        SELECT FROM finance_period p
        WHERE p.entity_id = a.entity_id AND p.starts = date_trunc('month', a.date)::date
    )
    ON CONFLICT DO NOTHING;

    IF EXISTS (
        SELECT FROM added a
        JOIN finance_period p
            ON p.entity_id = a.entity_id AND p.starts <= a.date AND p.ends > a.date
        WHERE p.state = 'closed'
           OR p.state = 'soft_closed' AND a.kind NOT IN ('adjustment', 'reversal', 'manual')
    ) THEN
        RAISE EXCEPTION 'an entry is dated in a closed period'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_period_is_open';
    END IF;

    many := (SELECT count(*) FROM added) > {FEW};
    {answered(WITHOUT_LINES)}
    IF broken THEN
        RAISE EXCEPTION 'an entry came without its lines'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_has_lines';
    END IF;

    RETURN NULL;
"""  # noqa: S608  the number is our own
LINES_BALANCE = f"""
    many := (SELECT count(*) FROM added) > {FEW};
    {answered(UNBALANCED)}
    IF broken THEN
        RAISE EXCEPTION 'debits and credits of an entry differ, or it was posted before'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_entry_balances';
    END IF;

    {answered(ASTRAY)}
    IF broken THEN
        RAISE EXCEPTION 'a line is on the account of another entity'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'finance_line_is_on_its_own_books';
    END IF;

    RETURN NULL;
"""  # noqa: S608  the number is our own
ANSWERS = [("many", "boolean"), ("broken", "boolean")]


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
        DUE_FROM = "due_from", "Due from sister companies"
        DUE_TO = "due_to", "Due to sister companies"
        RECEIVED = "received", "Goods received, not billed"
        LANDED = "landed", "Late costs, not billed"
        UNAPPLIED = "unapplied", "Unapplied cash"
        OPENING = "opening", "Opening balances"
        REVENUE = "revenue", "Sales"
        FREIGHT = "freight", "Freight charged"
        COST = "cost", "Cost of goods sold"
        GROUP_REVENUE = "group_revenue", "Sales to sister companies"
        GROUP_COST = "group_cost", "Cost of sales to sister companies"
        VARIANCE = "variance", "Stock adjustments"
        ROUNDING = "rounding", "Rounding"

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
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

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    starts = models.DateField()
    ends = models.DateField()
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("close_period", "Can close and reopen a period")]
        constraints = [
            models.UniqueConstraint(fields=["entity", "starts"], name="finance_period_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="finance_period_lasts"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | Q(state__in=["open", "soft_closed"], closed_at=None),
                name="finance_period_closed_at_is_set_once_closed",
            ),
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

    Debits equal credits: a trigger refuses the statement that would leave them unequal. `date` is a
    business date of the entity; a closed period refuses it, a soft-closed one all but corrections.
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

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind)
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    date = models.DateField()
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    memo = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "journal entries"
        permissions = [("write_journalentry", "Can write and reverse a journal entry")]
        constraints = [
            models.UniqueConstraint(
                fields=["cause_id", "cause_kind", "kind"], name="finance_entry_once_per_cause"
            ),
        ]
        indexes = [models.Index(fields=["entity", "date"], name="finance_entry_by_date")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="entries_stand",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
                declare=ANSWERS,
                func=ENTRIES_STAND,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cause_kind}:{self.cause_id}"


class JournalLine(models.Model):
    """One debit or credit in the entity's currency, whole cents. Immutable."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    debit = AmountField(default=0)
    credit = AmountField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0),
                name="finance_line_is_a_debit_or_a_credit",
            ),
            models.CheckConstraint(
                condition=Q(debit=Round("debit", precision=2), credit=Round("credit", precision=2)),
                name="finance_line_is_whole_cents",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="lines_balance",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="added"),  # type: ignore[no-untyped-call]
                declare=ANSWERS,
                func=LINES_BALANCE,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.debit}/{self.credit}"

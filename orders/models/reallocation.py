"""Stock shared out anew among the lines of orders, and stock taken for one of them.

QUEUED --simulate--> SIMULATED; QUEUED, SIMULATED, AWAITING_APPROVAL --go_stale--> STALE
SIMULATED --ask--> AWAITING_APPROVAL; SIMULATED, AWAITING_APPROVAL --commit--> COMMITTED
QUEUED, SIMULATED, AWAITING_APPROVAL, STALE --discard--> DISCARDED
"""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField
from orders.models.line import OrderLine


class ReallocationQuerySet(models.QuerySet["Reallocation"]):
    def lock(self, reallocation_id: int) -> "Reallocation":
        """Return it, locked until the transaction ends.

        Raises:
            Reallocation.DoesNotExist: there is none such.
        """
        return self.select_for_update(of=["self"], no_key=True).get(pk=reallocation_id)


class Reallocation(FSMModelMixin, models.Model):
    """What would be, or was, taken from some lines of one entity and given to others.

    A `run` shares out anew all that lines in `scope` hold; an `override` takes `quantity` base
    units for `line`, of `taken_from` alone if that names lines. `scope` holds ids:
    `{"products": [], "nodes": []}`, none is all. `strategy` is by segment what a person chose
    against the policy. Amounts are what the quantities sell for, in the entity's `currency`: what
    orders of another currency gain or lose at the day's rate, at face value where none is known.
    Above zero both `gained` and `lost`. `run` is the kept run of the decision layer.
    """

    class Kind(models.TextChoices):
        RUN = "run", "Re-allocation"
        OVERRIDE = "override", "Override"

    class State(models.TextChoices):
        QUEUED = "queued", "Waits to be simulated"
        SIMULATED = "simulated", "Simulated"
        AWAITING_APPROVAL = "awaiting_approval", "Waits for approval"
        COMMITTED = "committed", "Committed"
        DISCARDED = "discarded", "Discarded"
        STALE = "stale", "Overtaken"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("RA-", "orders_reallocation_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    state = FSMField(choices=State, default=State.QUEUED, protected=True)
    scope = models.JSONField(default=dict)
    strategy = models.JSONField(default=dict, blank=True)
    line = models.ForeignKey(
        OrderLine, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField(null=True, blank=True)  # type: ignore[misc]
    taken_from = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    policy_version = models.CharField(max_length=120, blank=True)
    lines = models.PositiveIntegerField(default=0)
    gained = QuantityField(default=Decimal(0))
    lost = QuantityField(default=Decimal(0))
    gained_amount = AmountField(default=Decimal(0))
    lost_amount = AmountField(default=Decimal(0))
    currency = models.CharField(max_length=3)
    needs_approval = models.BooleanField(default=False)
    run = models.ForeignKey(
        "inventory.AllocationRun",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    requested_at = models.DateTimeField()
    simulated_at = models.DateTimeField(null=True, blank=True)
    committed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    committed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)

    objects = ReallocationQuerySet.as_manager()

    class Meta:
        permissions = [
            ("reallocate_stock", "Can share out anew what orders hold"),
            ("override_allocation", "Can take stock for an order"),
            ("approve_reallocation", "Can agree that orders lose stock to others"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "queued",
                        "simulated",
                        "awaiting_approval",
                        "committed",
                        "discarded",
                        "stale",
                    ]
                ),
                name="orders_reallocation_state_known",
            ),
            models.CheckConstraint(
                condition=Q(kind="run", line=None, quantity=None)
                | Q(kind="override", line__isnull=False, quantity__gt=0) & ~Q(reason=""),
                name="orders_reallocation_an_override_says_what_and_why",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "discarded", "stale"])
                | Q(simulated_at__isnull=False),
                name="orders_reallocation_simulated_at_is_set_once_simulated",
            ),
            models.CheckConstraint(
                condition=Q(state="committed", committed_at__isnull=False, run__isnull=False)
                | ~Q(state="committed") & Q(committed_at=None, run=None),
                name="orders_reallocation_committed_at_is_set_once_committed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["discarded", "stale"], ended_at__isnull=False)
                | ~Q(state__in=["discarded", "stale"]) & Q(ended_at=None),
                name="orders_reallocation_ended_at_is_set_once_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="orders_reallocation_newest"),
            models.Index(
                fields=["id"], name="orders_reallocation_queued", condition=Q(state="queued")
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.QUEUED, target=State.SIMULATED)
    def simulate(self, *, at: datetime) -> None:
        self.simulated_at = at

    @transition(field=state, source=State.SIMULATED, target=State.AWAITING_APPROVAL)
    def ask(self) -> None:
        pass

    @transition(
        field=state, source=[State.SIMULATED, State.AWAITING_APPROVAL], target=State.COMMITTED
    )
    def commit(self, *, by_id: int | None, at: datetime, run_id: int) -> None:
        self.committed_by_id, self.committed_at, self.run_id = by_id, at, run_id

    @transition(
        field=state,
        source=[State.QUEUED, State.SIMULATED, State.AWAITING_APPROVAL],
        target=State.STALE,
    )
    def go_stale(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason

    @transition(
        field=state,
        source=[State.QUEUED, State.SIMULATED, State.AWAITING_APPROVAL, State.STALE],
        target=State.DISCARDED,
    )
    def discard(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason


class ReallocationChange(models.Model):
    """What one line holds before and after, in base units, of what may be moved.

    `amount` is what the difference sells for, in the order's `currency`, below zero where the line
    loses. `possible_date` is when it could be with the customer then (none: nothing is known to
    come in), `days` how much sooner that is than was promised, below zero for later. `is_protected`
    says that this line loses only if somebody agrees. `rank` counts from 1: who is served first.
    """

    reallocation = models.ForeignKey(Reallocation, on_delete=models.CASCADE, related_name="changes")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+", db_index=False)
    segment = models.CharField(max_length=30)
    strategy = models.CharField(max_length=20)
    rank = models.PositiveIntegerField()
    before = QuantityField()
    after = QuantityField()
    amount = AmountField()
    currency = models.CharField(max_length=3)
    promised_date = models.DateField(null=True, blank=True)
    possible_date = models.DateField(null=True, blank=True)
    days = models.IntegerField(null=True, blank=True)
    is_protected = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reallocation", "line"], name="orders_reallocationchange_once_a_line"
            ),
            models.CheckConstraint(
                condition=Q(before__gte=0, after__gte=0) & ~Q(before=F("after")),
                name="orders_reallocationchange_changes_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after} for line {self.line_id}"

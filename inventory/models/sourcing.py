"""What is to come from elsewhere for demand that the shelf could not serve.

PROPOSED --choose--> CHOSEN;  CHOSEN --hand_over--> PROPOSED;  PROPOSED, CHOSEN --ask--> ASKED
ASKED --fulfil--> FULFILLED;  PROPOSED, CHOSEN, ASKED --withdraw--> WITHDRAWN
"""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, QuantityField


class SourcingDecision(models.Model):
    """What one run weighed for one short demand line: every way from elsewhere, and the choice.

    `candidates` is a list of objects, the best first: mode, product, place, leaves, date, cost,
    score, available, taken, rejected; quantities and amounts as decimal text, amounts in
    `currency`, the company's. `flip` is the smallest change that would have altered the choice.
    Append-only.
    """

    run = models.ForeignKey(
        "inventory.AllocationRun", on_delete=models.PROTECT, related_name="sourcings"
    )
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    missing = QuantityField()
    currency = models.CharField(max_length=3)
    candidates = models.JSONField()
    flip = models.CharField(max_length=300, blank=True)
    policy_version = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["demand_id", "demand_kind"], name="inventory_sourcing_of_demand"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.missing} for {self.demand_kind}:{self.demand_id}"


class SourcingQuerySet(models.QuerySet["Sourcing"]):
    def lock(self, sourcing_id: int) -> "Sourcing":
        """Return it, locked until the transaction ends.

        Raises:
            Sourcing.DoesNotExist: there is none of that id.
        """
        return self.select_for_update(of=["self"]).get(pk=sourcing_id)

    def lock_live(self, kind: str, ids: list[int]) -> list["Sourcing"]:
        """Return those of these demands that are not over, locked in id order."""
        found = self.filter(demand_id__in=ids, demand_kind=kind, state__in=Sourcing.LIVE)
        return list(found.order_by("pk").select_for_update())


class Sourcing(FSMModelMixin, models.Model):
    """So much that one demand line is to get from elsewhere, in one way, from one source.

    `source` tells apart what is of one mode: the node it comes from, or the supplier. `value` is
    what is paid for it, `cost` what serving so costs besides (it may be negative: dearer goods are
    saved), both in `currency`, the company's. It can leave `node` on `leaves_on`. Once asked for,
    `document_kind` and `document_id` name what was asked (`inventory.transfer`), by
    `document_label`.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        CHOSEN = "chosen", "Chosen"
        ASKED = "asked", "Asked for"
        FULFILLED = "fulfilled", "Fulfilled"
        WITHDRAWN = "withdrawn", "Withdrawn"

    LIVE = [State.PROPOSED, State.CHOSEN, State.ASKED]

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    run = models.ForeignKey(
        "inventory.AllocationRun", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    demand_label = models.CharField(max_length=60, blank=True)
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    mode = models.CharField(max_length=12)
    source = models.CharField(max_length=60)
    seller = models.ForeignKey(
        "accounts.Entity",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    origin = models.ForeignKey(
        "inventory.Node",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    node = models.ForeignKey(
        "inventory.Node",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    supplier_id = models.BigIntegerField(null=True, blank=True)
    quantity = QuantityField()
    buys = QuantityField(default=0)
    value = AmountField(default=0)
    cost = AmountField(default=0)
    currency = models.CharField(max_length=3)
    leaves_on = models.DateField()
    arrives_on = models.DateField()
    days_late = models.IntegerField(default=0)
    policy_version = models.CharField(max_length=60, blank=True)
    state = FSMField(choices=State, default=State.PROPOSED, protected=True)
    why = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField()
    document_kind = models.CharField(max_length=40, blank=True)
    document_id = models.BigIntegerField(null=True, blank=True)
    document_label = models.CharField(max_length=40, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SourcingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["demand_id", "demand_kind", "mode", "source"],
                condition=Q(state__in=["proposed", "chosen", "asked"]),
                name="inventory_sourcing_asks_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "chosen", "asked", "fulfilled", "withdrawn"]),
                name="inventory_sourcing_state_known",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["transfer", "affiliate", "buy", "drop_ship"]),
                name="inventory_sourcing_mode_known",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, value__gte=0) & ~Q(source=""),
                name="inventory_sourcing_is_sane",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "fulfilled"], asked_at__isnull=False)
                | Q(state__in=["proposed", "chosen"], asked_at=None)
                | Q(state="withdrawn"),
                name="inventory_sourcing_asked_at_is_set_once_asked",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["fulfilled", "withdrawn"], ended_at__isnull=False)
                | Q(state__in=["proposed", "chosen", "asked"], ended_at=None),
                name="inventory_sourcing_ended_at_is_set_once_over",
            ),
        ]
        indexes = [
            models.Index(
                fields=["document_id", "document_kind"],
                name="inventory_sourcing_of_document",
                condition=Q(state="asked"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} by {self.mode} for {self.demand_kind}:{self.demand_id}"

    @transition(field=state, source=State.PROPOSED, target=State.CHOSEN)
    def choose(self) -> None:
        pass

    @transition(field=state, source=State.CHOSEN, target=State.PROPOSED)
    def hand_over(self, *, why: str) -> None:
        self.why = why

    @transition(field=state, source=[State.PROPOSED, State.CHOSEN], target=State.ASKED)
    def ask(self, *, kind: str, document_id: int, label: str, at: datetime) -> None:
        self.document_kind, self.document_id, self.document_label = kind, document_id, label
        self.asked_at = at

    @transition(field=state, source=State.ASKED, target=State.FULFILLED)
    def fulfil(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=LIVE, target=State.WITHDRAWN)
    def withdraw(self, *, why: str, at: datetime) -> None:
        self.why, self.ended_at = why, at

"""A proposal, a purchase order and their lives.

Proposal: OPEN --accept--> ACCEPTED, OPEN --reject--> REJECTED
Order: DRAFT --submit--> PENDING --approve--> APPROVED --send--> SENT --acknowledge--> ACKNOWLEDGED
SENT, ACKNOWLEDGED, PARTLY_RECEIVED --receive_some--> PARTLY_RECEIVED, --receive_all--> RECEIVED
PARTLY_RECEIVED, RECEIVED --close--> CLOSED
PENDING --reject--> DRAFT;  anything before goods come --cancel--> CANCELLED
"""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField
from procurement.models.supplier import Supplier

# A purchase comes to us, or goes straight to one customer: never some of each.
IS_AS_ITS_ORDER = """
    IF (SELECT for_id IS NULL FROM procurement_purchaseorder WHERE id = NEW.order_id)
        IS DISTINCT FROM (NEW.demand_id IS NULL)
    THEN
        RAISE check_violation USING MESSAGE = 'a purchase comes to us, or goes to one customer';
    END IF;
    RETURN NEW;
"""
STAYS_WHAT_IT_IS = """
    RAISE check_violation USING MESSAGE = 'whom a purchase is for does not change';
"""


class PurchaseProposal(FSMModelMixin, models.Model):
    """What replenishment would buy, and why. At most one is open per product, node and entity."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    unit_price = AmountField()
    currency = models.CharField(max_length=3)
    need_by = models.DateField()
    reasons = models.JSONField(default=dict)
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        permissions = [("decide_proposal", "Can accept or reject a proposal")]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "node", "entity"],
                condition=Q(state="open"),
                name="procurement_proposal_one_open_per_need",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="procurement_proposal_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | ~Q(state="open") & Q(decided_at__isnull=False),
                name="procurement_proposal_decided_at_is_set_once_decided",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "accepted", "rejected"]),
                name="procurement_proposal_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["entity", "need_by", "id"],
                name="procurement_proposal_open",
                condition=Q(state="open"),
            ),
        ]

    def __str__(self) -> str:
        return f"proposal {self.pk}"

    @transition(field=state, source=State.OPEN, target=State.ACCEPTED)
    def accept(self, *, by_id: int | None, at: datetime) -> None:
        self.decided_by_id, self.decided_at = by_id, at

    @transition(field=state, source=State.OPEN, target=State.REJECTED)
    def reject(self, *, by_id: int | None, at: datetime, reason: str) -> None:
        self.decided_by_id, self.decided_at, self.decision_reason = by_id, at, reason


class PurchaseOrderQuerySet(models.QuerySet["PurchaseOrder"]):
    def lock(self, order_id: int) -> "PurchaseOrder":
        """Return the purchase order, locked until the transaction ends.

        Raises:
            PurchaseOrder.DoesNotExist: there is no such order.
        """
        return self.select_for_update(of=["self"]).get(pk=order_id)


class PurchaseOrder(FSMModelMixin, models.Model):
    """What one entity buys from one supplier for one node.

    `total` is the exact sum of its lines, rounded half up to the cent, in `currency`; while it is
    not `draft`, the lines do not change but for their dates and what was received. One with a
    `ship_to` the supplier sends straight there, for one document (`for_kind`, `for_id`, and what
    people call it): nothing of it comes to us, and it stays what it is.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PENDING = "pending", "Waits for approval"
        APPROVED = "approved", "Approved"
        SENT = "sent", "Sent"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        PARTLY_RECEIVED = "partly_received", "Partly received"
        RECEIVED = "received", "Received"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    INCOMING = [State.SENT, State.ACKNOWLEDGED, State.PARTLY_RECEIVED]
    UNDER_WAY = [State.DRAFT, State.PENDING, State.APPROVED, *INCOMING]

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("PO-", "procurement_order_number")
    )
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="orders")
    currency = models.CharField(max_length=3)
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    expected_date = models.DateField()
    total = AmountField(default=0)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, blank=True)
    ship_to = models.JSONField(null=True, blank=True)
    for_kind = models.CharField(max_length=40, blank=True, db_default="")
    for_id = models.BigIntegerField(null=True, blank=True)
    for_label = models.CharField(max_length=40, blank=True, db_default="")

    objects = PurchaseOrderQuerySet.as_manager()

    class Meta:
        permissions = [
            ("write_purchase_order", "Can write a purchase order"),
            ("approve_purchase_order", "Can approve a purchase order"),
            ("approve_large_purchase_order", "Can approve a large purchase order"),
            ("send_purchase_order", "Can send a purchase order"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "pending",
                        "approved",
                        "sent",
                        "acknowledged",
                        "partly_received",
                        "received",
                        "closed",
                        "cancelled",
                    ]
                ),
                name="procurement_order_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "pending", "cancelled"])
                | Q(approved_at__isnull=False),
                name="procurement_order_approved_at_is_set_once_approved",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None)
                | (~Q(approved_by=F("submitted_by")) & ~Q(approved_by=F("created_by"))),
                name="procurement_order_approved_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(ship_to__isnull=True, for_id=None, for_kind="")
                | Q(ship_to__isnull=False, for_id__isnull=False) & ~Q(for_kind=""),
                name="procurement_order_sent_straight_says_where",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "-id"], name="procurement_order_newest"),
            models.Index(
                fields=["node", "expected_date"],
                name="procurement_order_incoming",
                condition=Q(state__in=["sent", "acknowledged", "partly_received"]),
            ),
            models.Index(
                fields=["for_id", "for_kind"],
                name="procurement_order_for_document",
                condition=Q(for_id__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="stays_what_it_is",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("for_id", "for_kind"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__for_id__df=pgtrigger.F("new__for_id"))
                | pgtrigger.Q(old__for_kind__df=pgtrigger.F("new__for_kind")),
                func=STAYS_WHAT_IT_IS,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.DRAFT, target=State.PENDING)
    def submit(self, *, by_id: int | None, at: datetime) -> None:
        self.submitted_by_id, self.submitted_at = by_id, at

    @transition(field=state, source=State.PENDING, target=State.APPROVED)
    def approve(self, *, by_id: int | None, at: datetime) -> None:
        self.approved_by_id, self.approved_at = by_id, at

    @transition(field=state, source=State.PENDING, target=State.DRAFT)
    def reject(self) -> None:
        self.submitted_by_id, self.submitted_at = None, None

    @transition(field=state, source=State.APPROVED, target=State.SENT)
    def send(self, *, at: datetime) -> None:
        self.sent_at = at

    @transition(field=state, source=State.SENT, target=State.ACKNOWLEDGED)
    def acknowledge(self, *, at: datetime) -> None:
        self.acknowledged_at = at

    @transition(field=state, source=INCOMING, target=State.PARTLY_RECEIVED)
    def receive_some(self) -> None:
        pass

    @transition(field=state, source=INCOMING, target=State.RECEIVED)
    def receive_all(self, *, at: datetime) -> None:
        self.received_at = at

    @transition(field=state, source=[State.RECEIVED, State.PARTLY_RECEIVED], target=State.CLOSED)
    def close(self, *, at: datetime, reason: str = "") -> None:
        self.closed_at, self.close_reason = at, reason

    @transition(
        field=state,
        source=[State.DRAFT, State.PENDING, State.APPROVED, State.SENT, State.ACKNOWLEDGED],
        target=State.CANCELLED,
    )
    def cancel(self, *, at: datetime, reason: str) -> None:
        self.closed_at, self.close_reason = at, reason


class PurchaseOrderLine(models.Model):
    """So much of one product (base units) at one price per base unit in the order's currency.

    Where the supplier sends it straight to a customer it is all for one demand (`orders.line`).
    """

    order = models.ForeignKey(PurchaseOrder, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    proposal = models.ForeignKey(
        PurchaseProposal, null=True, blank=True, on_delete=models.PROTECT, related_name="lines"
    )
    quantity = QuantityField()
    received = QuantityField(default=0)
    unit_price = AmountField()
    expected_date = models.DateField()
    demand_kind = models.CharField(max_length=40, blank=True, db_default="")
    demand_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(demand_id=None, demand_kind="")
                | Q(demand_id__isnull=False) & ~Q(demand_kind=""),
                name="procurement_orderline_says_what_it_is_for",
            ),
            models.UniqueConstraint(
                fields=["order", "position"], name="procurement_orderline_one_per_position"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0, received__gte=0),
                name="procurement_orderline_is_sane",
            ),
            models.UniqueConstraint(
                fields=["proposal"],
                condition=Q(proposal__isnull=False),
                name="procurement_orderline_once_per_proposal",
            ),
        ]
        indexes = [
            models.Index(
                fields=["demand_id", "demand_kind"],
                name="procurement_orderline_for",
                condition=Q(demand_id__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="is_as_its_order",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("order_id", "demand_id"),  # type: ignore[no-untyped-call]
                func=IS_AS_ITS_ORDER,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"

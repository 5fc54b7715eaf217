"""A transfer and its life: goods that go from one node to another, or to another company.

REQUESTED --approve--> APPROVED --pick--> PICKED --ship--> IN_TRANSIT --receive--> RECEIVED
RECEIVED --close--> CLOSED;  REQUESTED, APPROVED, PICKED --cancel--> CANCELLED
"""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField


class Lane(models.Model):
    """Goods take `days` working days from one node to another; a truck costs `cost` (currency)."""

    origin = models.ForeignKey(
        "inventory.Node", on_delete=models.CASCADE, related_name="lanes_out", db_index=False
    )
    destination = models.ForeignKey(
        "inventory.Node", on_delete=models.CASCADE, related_name="lanes_in"
    )
    days = models.PositiveSmallIntegerField()
    cost = AmountField(default=0)
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "destination"], name="inventory_lane_once_per_pair"
            ),
            models.CheckConstraint(
                condition=~Q(origin=F("destination")), name="inventory_lane_leads_elsewhere"
            ),
            models.CheckConstraint(
                condition=Q(cost__gte=0), name="inventory_lane_cost_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.origin_id} to {self.destination_id} in {self.days} days"


class TransferQuerySet(models.QuerySet["Transfer"]):
    def lock(self, transfer_id: int) -> "Transfer":
        """Return the transfer, locked until the transaction ends.

        Raises:
            Transfer.DoesNotExist: there is no such transfer.
        """
        return self.lock_many([transfer_id])[0]

    def lock_many(self, transfer_ids: "list[int]") -> "list[Transfer]":
        """Return these transfers in id order, locked until the transaction ends.

        Raises:
            Transfer.DoesNotExist: one of them is not there.
        """
        wanted = set(transfer_ids)
        found = list(
            self.filter(pk__in=wanted)
            .select_related("entity", "to_entity", "origin", "destination")
            .select_for_update(of=["self"])
            .order_by("pk")
        )
        if len(found) < len(wanted):
            raise self.model.DoesNotExist("there is no such transfer")
        return found


class Transfer(FSMModelMixin, models.Model):
    """Goods of `entity` asked to go from `origin` to `destination`, where `to_entity` owns them.

    Where the two companies differ, what leaves is sold by the one and bought by the other. `value`
    is what was asked for at average cost on the day of the request, in the entity's currency.
    `expected_date` is a business date of the destination.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        PICKED = "picked", "Picked"
        IN_TRANSIT = "in_transit", "In transit"
        RECEIVED = "received", "Received"
        CLOSED = "closed", "Closed"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("TR-", "inventory_transfer_number")
    )
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    origin = models.ForeignKey(
        "inventory.Node", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    destination = models.ForeignKey(
        "inventory.Node", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = FSMField(choices=State, default=State.REQUESTED, protected=True)
    reason = models.CharField(max_length=300)
    value = AmountField(default=0)
    expected_date = models.DateField()
    client_key = models.CharField(max_length=255, blank=True)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    picked_at = models.DateTimeField(null=True, blank=True)
    picked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    shipped_at = models.DateTimeField(null=True, blank=True)
    shipped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    received_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)

    objects = TransferQuerySet.as_manager()

    class Meta:
        permissions = [
            ("request_transfer", "Can ask for a transfer"),
            ("approve_transfer", "Can agree to a transfer of value"),
            ("move_transfer", "Can pick, send and receive a transfer"),
            ("settle_transfer", "Can say what became of goods missing on the way"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "requested",
                        "approved",
                        "picked",
                        "in_transit",
                        "received",
                        "closed",
                        "cancelled",
                    ]
                ),
                name="inventory_transfer_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(origin=F("destination")) | ~Q(entity=F("to_entity")),
                name="inventory_transfer_changes_place_or_owner",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "cancelled"]) | Q(approved_at__isnull=False),
                name="inventory_transfer_approved_at_is_set_once_approved",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "approved", "cancelled"])
                | Q(picked_at__isnull=False),
                name="inventory_transfer_picked_at_is_set_once_picked",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["in_transit", "received", "closed"], shipped_at__isnull=False
                )
                | Q(state__in=["requested", "approved", "picked", "cancelled"], shipped_at=None),
                name="inventory_transfer_shipped_at_is_set_once_shipped",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False)
                | ~Q(state="closed") & Q(closed_at=None),
                name="inventory_transfer_closed_at_is_set_once_closed",
            ),
            models.CheckConstraint(
                condition=Q(state="cancelled") | Q(cancel_reason=""),
                name="inventory_transfer_says_why_it_was_cancelled",
            ),
            models.UniqueConstraint(
                fields=["entity", "client_key"],
                condition=~Q(client_key=""),
                name="inventory_transfer_once_per_client_key",
            ),
        ]
        indexes = [
            models.Index(
                fields=["entity", "-id"],
                name="inventory_transfer_open",
                condition=~Q(state__in=["closed", "cancelled"]),
            ),
            models.Index(fields=["entity", "-id"], name="inventory_transfer_newest"),
            models.Index(
                fields=["origin", "destination"],
                name="inventory_transfer_of_pair",
                condition=~Q(state__in=["closed", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_sale(self) -> bool:
        return self.entity_id != self.to_entity_id

    @transition(field=state, source=State.REQUESTED, target=State.APPROVED)
    def approve(self, *, by_id: int | None, at: datetime) -> None:
        self.approved_by_id, self.approved_at = by_id, at

    @transition(field=state, source=State.APPROVED, target=State.PICKED)
    def pick(self, *, by_id: int | None, at: datetime) -> None:
        self.picked_by_id, self.picked_at = by_id, at

    @transition(field=state, source=State.PICKED, target=State.IN_TRANSIT)
    def ship(self, *, by_id: int | None, at: datetime, expected: date) -> None:
        self.shipped_by_id, self.shipped_at, self.expected_date = by_id, at, expected

    @transition(field=state, source=State.IN_TRANSIT, target=State.RECEIVED)
    def receive(self, *, at: datetime) -> None:
        self.received_at = at

    @transition(field=state, source=State.RECEIVED, target=State.CLOSED)
    def close(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(
        field=state,
        source=[State.REQUESTED, State.APPROVED, State.PICKED],
        target=State.CANCELLED,
    )
    def cancel(self, *, reason: str) -> None:
        self.cancel_reason = reason


class TransferLine(models.Model):
    """So many base units of one product that a transfer asks for."""

    transfer = models.ForeignKey(
        Transfer, on_delete=models.PROTECT, related_name="lines", db_index=False
    )
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transfer", "position"], name="inventory_transferline_once_per_position"
            ),
            models.UniqueConstraint(
                fields=["transfer", "product"], name="inventory_transferline_once_per_product"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_transferline_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"


class TransferPiece(models.Model):
    """What was picked for one line out of one stock row, and what became of it on the way.

    `quantity` base units left at `cost`, were sold at `price` (the sender's currency) and are worth
    `landed` to their owner (its currency): all equal within one company. Each unit is once received
    whole, damaged, back at the origin or lost; `over` came besides and had not left.
    """

    line = models.ForeignKey(TransferLine, on_delete=models.PROTECT, related_name="pieces")
    stock = models.ForeignKey("inventory.Stock", on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    cost = AmountField(null=True, blank=True)  # type: ignore[misc]
    price = AmountField(null=True, blank=True)  # type: ignore[misc]
    landed = AmountField(null=True, blank=True)  # type: ignore[misc]
    received = QuantityField(default=0, db_default=0)
    damaged = QuantityField(default=0, db_default=0)
    returned = QuantityField(default=0, db_default=0)
    lost = QuantityField(default=0, db_default=0)
    over = QuantityField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "stock"], name="inventory_transferpiece_once_per_stock"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    received__gte=0,
                    damaged__gte=0,
                    returned__gte=0,
                    lost__gte=0,
                    over__gte=0,
                ),
                name="inventory_transferpiece_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("received") + F("damaged") + F("returned") + F("lost")),
                name="inventory_transferpiece_comes_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.line_id}"


class TransferReceipt(models.Model):
    """One time that somebody said what came of a transfer, or what became of the rest. Kept."""

    transfer = models.ForeignKey(Transfer, on_delete=models.PROTECT, related_name="receipts")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.transfer_id} at {self.at:%Y-%m-%d}"


class TransferReceiptLine(models.Model):
    """So much of one piece with one outcome: the cause of its moves."""

    class Outcome(models.TextChoices):
        RECEIVED = "received", "Received"
        DAMAGED = "damaged", "Damaged"
        RETURNED = "returned", "Back at the origin"
        LOST = "lost", "Lost"
        OVER = "over", "More than was sent"

    receipt = models.ForeignKey(TransferReceipt, on_delete=models.PROTECT, related_name="lines")
    piece = models.ForeignKey(TransferPiece, on_delete=models.PROTECT, related_name="receipts")
    outcome = models.CharField(max_length=10, choices=Outcome)
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_transferreceiptline_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["received", "damaged", "returned", "lost", "over"]),
                name="inventory_transferreceiptline_outcome_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.outcome}"

"""A shipment and its life.

PLANNED --pick--> PICKED --pack--> PACKED --ship--> SHIPPED --deliver--> DELIVERED
PLANNED, PICKED, PACKED --void--> VOID;  SHIPPED --fail--> FAILED --deliver--> DELIVERED
FAILED --send_again--> SHIPPED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, NextNumber, QuantityField


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def lock(self, shipment_id: int) -> "Shipment":
        """Return the shipment, locked until the transaction ends.

        Raises:
            Shipment.DoesNotExist: there is no such shipment.
        """
        return self.select_for_update(of=["self"]).get(pk=shipment_id)


class Shipment(FSMModelMixin, models.Model):
    """What leaves one node for one order at one time. `source` is the order (`orders.order`).

    Dates are business dates of the node. `freight_cost` is in the entity's currency.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "To pick"
        PICKED = "picked", "Picked"
        PACKED = "packed", "Packed"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        VOID = "void", "Void"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("SH-", "inventory_shipment_number")
    )
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    source_kind = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    source_number = models.CharField(max_length=40)
    carrier = models.ForeignKey(
        "inventory.Carrier", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = FSMField(choices=State, default=State.PLANNED, protected=True)
    ship_to = models.JSONField(default=dict)
    planned_date = models.DateField()
    promised_date = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    picked_at = models.DateTimeField(null=True, blank=True)
    picked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    packed_at = models.DateTimeField(null=True, blank=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    shipped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    tracking_number = models.CharField(max_length=60, blank=True)
    cartons = models.PositiveSmallIntegerField(default=0)
    weight = models.DecimalField(max_digits=12, decimal_places=3, default=0)
    freight_cost = AmountField(default=0)
    failure = models.CharField(max_length=200, blank=True)

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        permissions = [
            ("pick_shipment", "Can pick a shipment"),
            ("pack_shipment", "Can pack a shipment"),
            ("ship_shipment", "Can confirm that a shipment left"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "planned",
                        "picked",
                        "packed",
                        "shipped",
                        "delivered",
                        "failed",
                        "void",
                    ]
                ),
                name="inventory_shipment_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["planned", "void"]) | Q(picked_at__isnull=False),
                name="inventory_shipment_picked_at_is_set_once_picked",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["shipped", "delivered", "failed"], shipped_at__isnull=False)
                | Q(state__in=["planned", "picked", "packed", "void"], shipped_at=None),
                name="inventory_shipment_shipped_at_is_set_once_shipped",
            ),
        ]
        indexes = [
            models.Index(fields=["source_id", "source_kind"], name="inventory_shipment_of_order"),
            models.Index(
                fields=["node", "planned_date", "id"],
                name="inventory_shipment_to_do",
                condition=Q(state__in=["planned", "picked", "packed"]),
            ),
            models.Index(fields=["entity", "-id"], name="inventory_shipment_newest"),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.PLANNED, target=State.PICKED)
    def pick(self, *, by_id: int | None, at: datetime) -> None:
        self.picked_by_id, self.picked_at = by_id, at

    @transition(field=state, source=State.PICKED, target=State.PACKED)
    def pack(self, *, at: datetime) -> None:
        self.packed_at = at

    @transition(field=state, source=State.PACKED, target=State.SHIPPED)
    def ship(self, *, by_id: int | None, at: datetime) -> None:
        self.shipped_by_id, self.shipped_at = by_id, at

    @transition(field=state, source=[State.SHIPPED, State.FAILED], target=State.DELIVERED)
    def deliver(self, *, at: datetime) -> None:
        self.delivered_at = at

    @transition(field=state, source=State.SHIPPED, target=State.FAILED)
    def fail(self, *, reason: str) -> None:
        self.failure = reason

    @transition(field=state, source=State.FAILED, target=State.SHIPPED)
    def send_again(self) -> None:
        self.failure = ""

    @transition(field=state, source=[State.PLANNED, State.PICKED, State.PACKED], target=State.VOID)
    def void(self) -> None:
        pass


class ShipmentLine(models.Model):
    """So much of one demand line in a shipment, out of one stock row.

    `picked` is null until picked; what is short of `quantity` has a `short_reason`. `cost` is what
    left the stock account, in the entity's currency, null until shipped.
    """

    class ShortReason(models.TextChoices):
        NOT_FOUND = "not_found", "Not found"
        MISMATCH = "mismatch", "Wrong count"
        DAMAGED = "damaged", "Damaged"
        EXPIRED = "expired", "Expired"
        MISLOCATED = "mislocated", "In another place"

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="lines")
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    stock = models.ForeignKey("inventory.Stock", on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    picked = QuantityField(null=True, blank=True)  # type: ignore[misc]
    short_reason = models.CharField(max_length=12, choices=ShortReason, blank=True)
    cost = AmountField(null=True, blank=True)  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_shipmentline_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(picked=None) | Q(picked__gte=0, picked__lte=models.F("quantity")),
                name="inventory_shipmentline_picks_at_most_planned",
            ),
            models.UniqueConstraint(
                fields=["shipment", "demand_kind", "demand_id", "stock"],
                name="inventory_shipmentline_once_per_demand",
            ),
        ]
        indexes = [
            models.Index(fields=["demand_id", "demand_kind"], name="inventory_shipline_of_demand"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"


class Carton(models.Model):
    """One box of a shipment. `sscc` is its 18-digit GS1 serial; `weight` is kilograms."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="boxes")
    number = models.PositiveSmallIntegerField()
    sscc = models.CharField(max_length=18, unique=True)
    weight = models.DecimalField(max_digits=12, decimal_places=3, default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shipment", "number"], name="inventory_carton_once_per_shipment"
            ),
        ]

    def __str__(self) -> str:
        return self.sscc

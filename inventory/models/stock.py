"""Stock: balances, the moves behind them, what they cost and for whom they are kept."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, QuantityField
from inventory.models.bin import IS_IN_ITS_BINS
from inventory.models.costing import IS_ITS_LAYERS
from inventory.models.node import KNOWS_ITS_PLACE, PASSES_THROUGH
from inventory.models.serial import IS_ITS_SERIALS


class StockStatus(models.TextChoices):
    AVAILABLE = "available", "Available"
    INSPECTION = "inspection", "In inspection"
    QUARANTINE = "quarantine", "Quarantine"
    DAMAGED = "damaged", "Damaged"
    IN_TRANSIT = "in_transit", "In transit"


# What is tracked by lot lies in lots, what is not does not; a balance knows what its lot is.
LIES_IN_LOTS = """
    IF (SELECT tracking = 'lot' FROM inventory_product WHERE id = NEW.product_id)
        IS DISTINCT FROM (NEW.lot_id IS NOT NULL)
    THEN
        RAISE check_violation USING MESSAGE = 'what is tracked by lot lies in lots, others do not';
    END IF;
"""
KNOWS_ITS_TRACKING = """
    NEW.is_serial := (SELECT tracking = 'serial' FROM inventory_product WHERE id = NEW.product_id);
"""
KNOWS_ITS_LOT = """
    IF NEW.lot_id IS NOT NULL THEN
        SELECT l.expires_on, l.blocked_at IS NOT NULL OR l.expired_at IS NOT NULL
            INTO NEW.expires_on, NEW.is_barred
        FROM inventory_lot l WHERE l.id = NEW.lot_id AND l.product_id = NEW.product_id FOR SHARE;
        IF NOT FOUND THEN
            RAISE check_violation USING MESSAGE = 'a lot is of one product';
        END IF;
    END IF;
    RETURN NEW;
"""

REFUSES_BARRED = """
    RAISE check_violation USING MESSAGE = 'nothing of a blocked or expired lot is promised';
"""


class Stock(models.Model):
    """How much of one product one entity owns at one node in one status and lot, in base units.

    `reserved` is the sum of the open reservations on this row. Overselling cannot be represented.
    `expires_on` and `is_barred` tell of its lot when it is good until, and that it is blocked or
    was found expired; the database keeps them so. `binned` is how much of it lies in bins; what
    was picked and what was not put away yet does not. Where `is_serial`, `on_hand` is the number of
    serial numbers that lie here: so says the database. Where `is_direct` nothing lies when a
    transaction ends: a supplier sends it straight on.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "inventory.Lot",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="balances",
        db_index=False,
    )
    status = models.CharField(max_length=12, choices=StockStatus, default=StockStatus.AVAILABLE)
    expires_on = models.DateField(null=True, blank=True)
    is_barred = models.BooleanField(default=False, db_default=False)
    is_serial = models.BooleanField(default=False, db_default=False)
    is_direct = models.BooleanField(default=False, db_default=False)
    on_hand = QuantityField(default=0)
    reserved = QuantityField(default=0)
    binned = QuantityField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "node", "entity", "status", "lot"],
                nulls_distinct=False,
                name="inventory_stock_once_per_key",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("on_hand")),
                name="inventory_stock_promises_only_what_is_there",
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0), name="inventory_stock_on_hand_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(status="available") | Q(reserved=0),
                name="inventory_stock_reserves_only_available",
            ),
            models.CheckConstraint(
                condition=Q(binned__gte=0, binned__lte=F("on_hand")),
                name="inventory_stock_bins_only_what_is_there",
            ),
            models.CheckConstraint(
                condition=Q(status__in=StockStatus.values), name="inventory_stock_status_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lot"], name="inventory_stock_of_lot", condition=Q(lot__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="knows_its_lot",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("product_id", "lot_id", "node_id", "is_direct"),  # type: ignore[no-untyped-call]
                func=LIES_IN_LOTS + KNOWS_ITS_TRACKING + KNOWS_ITS_PLACE + KNOWS_ITS_LOT,
            ),
            pgtrigger.Trigger(
                name="passes_through",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__is_direct=True),
                func=PASSES_THROUGH,
            ),
            pgtrigger.Trigger(
                name="takes_in_by_lot",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("on_hand"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__on_hand=0, new__on_hand__gt=0),
                func=LIES_IN_LOTS + KNOWS_ITS_TRACKING + "    RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="knows_its_tracking",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("is_serial"),  # type: ignore[no-untyped-call]
                func=KNOWS_ITS_TRACKING + "    RETURN NEW;",
            ),
            pgtrigger.Trigger(
                name="refuses_barred",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("reserved"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(
                    new__reserved__gt=pgtrigger.F("old__reserved"), new__is_barred=True
                ),
                func=REFUSES_BARRED,
            ),
            pgtrigger.Trigger(
                name="is_in_its_bins",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("binned"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__binned__df=pgtrigger.F("new__binned")),
                func=IS_IN_ITS_BINS.format(of="NEW.id"),
            ),
            pgtrigger.Trigger(
                name="begins_in_no_bin",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__binned__gt=0),
                func=IS_IN_ITS_BINS.format(of="NEW.id"),
            ),
            pgtrigger.Trigger(
                name="is_its_serials",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("on_hand"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__is_serial=True)
                & pgtrigger.Q(old__on_hand__df=pgtrigger.F("new__on_hand")),
                func=IS_ITS_SERIALS.format(of="NEW.id"),
            ),
            pgtrigger.Trigger(
                name="begins_with_its_serials",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__is_serial=True, new__on_hand__gt=0),
                func=IS_ITS_SERIALS.format(of="NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.node_id} {self.status}: {self.on_hand}"


class StockMove(models.Model):
    """One change of one balance, signed, with its value in the entity's currency. Append-only.

    `cause` is the row that made it so: one cause makes one move per kind, node, status and lot.
    """

    class Kind(models.TextChoices):
        OPENING = "opening"
        RECEIPT = "receipt"
        SHIPMENT = "shipment"
        RETURN = "return"
        ADJUSTMENT = "adjustment"
        STATUS = "status"
        TRANSFER = "transfer"
        REVALUATION = "revaluation"

    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "inventory.Lot",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    status = models.CharField(max_length=12, choices=StockStatus)
    quantity = QuantityField()
    value = AmountField()
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cause_id", "cause_kind", "kind", "status", "node", "lot"],
                nulls_distinct=False,
                name="inventory_move_once_per_cause",
            ),
            models.CheckConstraint(
                condition=~Q(quantity=0) | Q(kind="revaluation") & ~Q(value=0),
                name="inventory_move_moves",
            ),
        ]
        indexes = [
            models.Index(fields=["product", "node", "at"], name="inventory_move_of_product"),
            models.Index(
                fields=["lot", "id"],
                name="inventory_move_of_lot",
                condition=Q(lot__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} of {self.product_id}"


class ProductCost(models.Model):
    """What one entity owns of one product: `quantity` base units are worth `value` (its currency).

    By `method` what leaves costs the moving average, or what the oldest layers cost (fifo); empty
    while nothing ever came. `value` is whole cents after each posting and equals the entity's stock
    account for the product.
    """

    class Method(models.TextChoices):
        AVERAGE = "average", "Moving average"
        FIFO = "fifo", "First in, first out"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    method = models.CharField(
        max_length=10, choices=Method, blank=True, default=Method.AVERAGE, db_default="average"
    )
    quantity = QuantityField(default=0)
    value = AmountField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "entity"], name="inventory_cost_once_per_entity"
            ),
            models.CheckConstraint(
                condition=Q(method__in=["", "average", "fifo"]), name="inventory_cost_method_known"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, value__gte=0), name="inventory_cost_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(quantity=0) | Q(value=0), name="inventory_cost_of_nothing_is_zero"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="is_its_layers",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__method="fifo"),
                func=IS_ITS_LAYERS,
            )
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id} worth {self.value}"


class Reservation(models.Model):
    """So much of one stock row kept for one demand (`orders.line`), hard, until it closes.

    Open while `closed_at` is null. `closed_as` says why it ended: shipped or released.
    """

    class ClosedAs(models.TextChoices):
        SHIPPED = "shipped"
        RELEASED = "released"

    stock = models.ForeignKey(Stock, on_delete=models.PROTECT, related_name="reservations")
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    quantity = QuantityField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=10, choices=ClosedAs, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_reservation_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_as="")
                | Q(closed_at__isnull=False) & ~Q(closed_as=""),
                name="inventory_reservation_says_why_it_closed",
            ),
            models.UniqueConstraint(
                fields=["demand_id", "demand_kind", "stock"],
                condition=Q(closed_at=None),
                name="inventory_reservation_one_open_per_demand",
            ),
        ]
        indexes = [
            models.Index(
                fields=["stock"], name="inventory_reservation_open", condition=Q(closed_at=None)
            ),
            models.Index(
                fields=["expires_at"],
                name="inventory_reservation_lapsing",
                condition=Q(closed_at=None, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.demand_kind}:{self.demand_id}"


class Adjustment(models.Model):
    """One posted correction of one balance, with its reason. `unit_cost` values what is found."""

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "inventory.Lot",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    status = models.CharField(max_length=12, choices=StockStatus)
    quantity = QuantityField()
    value = AmountField()
    reason = models.CharField(max_length=200)
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        permissions = [("adjust_stock", "Can adjust stock")]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="inventory_adjustment_has_reason"),
            models.CheckConstraint(condition=~Q(quantity=0), name="inventory_adjustment_adjusts"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}: {self.reason}"

"""Serial numbers: which piece of a product it is, where it lies, and all that became of it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

# Deferred, because a balance and the pieces that lie in it change in one commit, not in one row.
IS_ITS_SERIALS = """
    IF EXISTS (
        SELECT FROM inventory_stock s
        WHERE s.id = {of} AND s.is_serial
            AND s.on_hand <> (SELECT count(*) FROM inventory_serial n WHERE n.stock_id = s.id))
    THEN
        RAISE EXCEPTION 'what a balance holds is not the serial numbers that lie in it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'inventory_stock_is_its_serials';
    END IF;
    RETURN NULL;
"""

LIES_WHERE_IT_MAY = """
    IF NEW.stock_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM inventory_stock s
        WHERE s.id = NEW.stock_id AND s.product_id = NEW.product_id AND s.is_serial)
    THEN
        RAISE check_violation USING MESSAGE = 'a serial number lies in a balance of its product';
    END IF;
    IF NEW.line_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM inventory_shipmentline l
        WHERE l.id = NEW.line_id AND l.product_id = NEW.product_id
            AND (NEW.stock_id IS NULL OR l.stock_id = NEW.stock_id))
    THEN
        RAISE check_violation USING MESSAGE = 'a serial number is picked from where it lies';
    END IF;
    IF NEW.piece_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM inventory_transferpiece p
        JOIN inventory_transferline l ON l.id = p.line_id
        JOIN inventory_transfer t ON t.id = l.transfer_id
        JOIN inventory_stock s ON s.id = NEW.stock_id
        WHERE p.id = NEW.piece_id AND l.product_id = NEW.product_id
            AND (p.stock_id = s.id OR s.status = 'in_transit'
                AND s.node_id = t.destination_id AND s.entity_id = t.to_entity_id))
    THEN
        RAISE check_violation USING MESSAGE = 'a serial number goes with the transfer it is on';
    END IF;
    RETURN NEW;
"""


class Serial(models.Model):
    """One piece of a product, under the number that is on it.

    It lies in one balance, or it is gone. A `line` says for which shipment it was picked, and once
    it is gone on which it left; a `piece` on which transfer it goes. Gone without a line, it was
    written off. Changed only under the lock of its row, after those of balances.
    """

    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="serials", db_index=False
    )
    number = models.CharField(max_length=60)
    stock = models.ForeignKey(
        "inventory.Stock",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="serials",
        db_index=False,
    )
    line = models.ForeignKey(
        "inventory.ShipmentLine",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="serials",
        db_index=False,
    )
    piece = models.ForeignKey(
        "inventory.TransferPiece",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="serials",
        db_index=False,
    )
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "number"], name="inventory_serial_per_product"
            ),
            models.CheckConstraint(condition=~Q(number=""), name="inventory_serial_has_a_number"),
            models.CheckConstraint(
                condition=Q(piece=None) | Q(line=None, stock__isnull=False),
                name="inventory_serial_is_taken_once",
            ),
        ]
        indexes = [
            models.Index(fields=["number"], name="inventory_serial_of_number"),
            models.Index(
                fields=["stock", "line", "piece"],
                name="inventory_serial_lying",
                condition=Q(stock__isnull=False),
            ),
            models.Index(
                fields=["line"], name="inventory_serial_of_line", condition=Q(line__isnull=False)
            ),
            models.Index(
                fields=["piece"], name="inventory_serial_of_piece", condition=Q(piece__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lies_where_it_may",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("product_id", "stock_id", "line_id", "piece_id"),  # type: ignore[no-untyped-call]
                func=LIES_WHERE_IT_MAY,
            ),
            pgtrigger.Trigger(
                name="is_counted_where_it_comes",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("stock_id"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(new__stock_id__isnull=False),
                func=IS_ITS_SERIALS.format(of="NEW.stock_id"),
            ),
            pgtrigger.Trigger(
                name="is_counted_where_it_was",
                when=pgtrigger.After,
                operation=pgtrigger.Delete | pgtrigger.UpdateOf("stock_id"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__stock_id__isnull=False),
                func=IS_ITS_SERIALS.format(of="OLD.stock_id"),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class SerialMove(models.Model):
    """One thing that happened to one piece. Append-only.

    It went from one balance to another: without a `source` it came to us, without a `target` it
    left or was written off. Picked or given back it stays where it is. `cause` is the row behind.
    """

    class Kind(models.TextChoices):
        OPENING = "opening", "Taken over"
        RECEIPT = "receipt", "Received"
        PICK = "pick", "Picked"
        UNPICK = "unpick", "Given back"
        SHIPMENT = "shipment", "Shipped"
        RETURN = "return", "Returned"
        ADJUSTMENT = "adjustment", "Corrected"
        STATUS = "status", "Changed its status"
        TRANSFER = "transfer", "Transferred"

    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    serial = models.ForeignKey(
        Serial, on_delete=models.PROTECT, related_name="moves", db_index=False
    )
    source = models.ForeignKey(
        "inventory.Stock",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    target = models.ForeignKey(
        "inventory.Stock",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["pick", "unpick"], source=F("target"))
                | ~Q(kind__in=["pick", "unpick"])
                & (
                    Q(source=None, target__isnull=False)
                    | Q(source__isnull=False, target=None)
                    | Q(source__isnull=False, target__isnull=False) & ~Q(source=F("target"))
                ),
                name="inventory_serialmove_moves",
            ),
        ]
        indexes = [models.Index(fields=["serial", "id"], name="inventory_serialmove_of_serial")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.serial_id}"

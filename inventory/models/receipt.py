"""Goods that came in."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from erp.kernel.fields import AmountField, NextNumber, QuantityField
from inventory.models.stock import StockStatus


class Receipt(models.Model):
    """One delivery taken into stock at one node. `source` is the purchase order. Never changed."""

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("RC-", "inventory_receipt_number")
    )
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    source_kind = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        permissions = [("receive_goods", "Can receive goods")]
        indexes = [
            models.Index(fields=["source_id", "source_kind"], name="inventory_receipt_of_source"),
        ]

    def __str__(self) -> str:
        return self.number


class ReceiptLine(models.Model):
    """So much of one product received, worth `value` in the entity's currency, whole cents."""

    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, related_name="lines")
    source_line_id = models.BigIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(
        "inventory.Lot",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    status = models.CharField(max_length=12, choices=StockStatus, default=StockStatus.AVAILABLE)
    quantity = QuantityField()
    value = AmountField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, value__gte=0), name="inventory_receiptline_above_zero"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lot"], name="inventory_receiptline_of_lot", condition=Q(lot__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"

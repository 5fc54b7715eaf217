"""Lots: which batch of a product it is, and until when it is good."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

# A lot's facts stand on its balances too: whoever locks a balance knows them without another look.
TELLS_ITS_BALANCES = """
    PERFORM FROM inventory_stock WHERE lot_id = NEW.id ORDER BY id FOR UPDATE;
    UPDATE inventory_stock
    SET expires_on = NEW.expires_on,
        is_barred = NEW.blocked_at IS NOT NULL OR NEW.expired_at IS NOT NULL
    WHERE lot_id = NEW.id;
    RETURN NULL;
"""


class Lot(models.Model):
    """One batch of one product, under the code that is written on it.

    It is good up to and including `expires_on`; without that, for ever. While it is blocked, or
    once it was found expired (`expired_at`), nothing of it is promised to anybody. `supplier_lot`
    is what its maker calls it.
    """

    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="lots")
    code = models.CharField(max_length=40)
    supplier_lot = models.CharField(max_length=40, blank=True, db_default="")
    manufactured_on = models.DateField(null=True, blank=True)
    expires_on = models.DateField(null=True, blank=True)
    blocked_at = models.DateTimeField(null=True, blank=True)
    block_reason = models.CharField(max_length=200, blank=True, db_default="")
    warned_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        permissions = [("block_lot", "Can block a lot and let it go again")]
        constraints = [
            models.UniqueConstraint(fields=["product", "code"], name="inventory_lot_per_product"),
            models.CheckConstraint(condition=~Q(code=""), name="inventory_lot_has_a_code"),
            models.CheckConstraint(
                condition=Q(manufactured_on=None)
                | Q(expires_on=None)
                | Q(expires_on__gte=F("manufactured_on")),
                name="inventory_lot_expires_after_it_is_made",
            ),
            models.CheckConstraint(
                condition=Q(blocked_at=None, block_reason="")
                | Q(blocked_at__isnull=False) & ~Q(block_reason=""),
                name="inventory_lot_says_why_it_is_blocked",
            ),
        ]
        indexes = [
            models.Index(fields=["code"], name="inventory_lot_of_code"),
            models.Index(
                fields=["expires_on"],
                name="inventory_lot_to_expire",
                condition=Q(expired_at=None, expires_on__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="tells_its_balances",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("expires_on", "blocked_at", "expired_at"),  # type: ignore[no-untyped-call]
                func=TELLS_ITS_BALANCES,
            ),
        ]

    def __str__(self) -> str:
        return self.code

"""Where within a node goods lie: its bins, what of a balance lies in each, and what moved it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import QuantityField

KEEPS_ITS_PLACE = """
    IF EXISTS (SELECT FROM inventory_binstock WHERE bin_id = NEW.id) THEN
        RAISE check_violation USING MESSAGE = 'a bin in which something lies keeps node and kind';
    END IF;
    RETURN NEW;
"""

# What is on its way lies nowhere yet; what may be sold and what lies aside are kept apart.
LIES_WHERE_IT_MAY = """
    IF NOT EXISTS (
        SELECT FROM inventory_stock s JOIN inventory_bin b ON b.node_id = s.node_id
        WHERE s.id = NEW.stock_id AND b.id = NEW.bin_id AND s.status <> 'in_transit'
            AND (b.kind <> 'pick_face' OR s.status = 'available')
            AND (b.kind <> 'quarantine' OR s.status <> 'available')
    ) THEN
        RAISE check_violation USING MESSAGE = 'goods do not lie in such a bin';
    END IF;
    RETURN NEW;
"""

# Deferred, because several bins and their balance change in one commit, not in one row.
IS_IN_ITS_BINS = """
    IF (SELECT binned FROM inventory_stock WHERE id = {of}) IS DISTINCT FROM (
        SELECT coalesce(sum(quantity), 0)::numeric(15, 3)
        FROM inventory_binstock WHERE stock_id = {of})
    THEN
        RAISE EXCEPTION 'what a balance has in bins is not what lies in them'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'inventory_stock_is_in_its_bins';
    END IF;
    RETURN NULL;
"""


class Bin(models.Model):
    """One place within a node, walked past in the order of `sequence`, then code.

    `capacity` is base units of whatever lies in it, null without bound. A pick face may be the home
    of one `product`: it is filled up from reserve when less than `minimum` lies there.
    """

    class Kind(models.TextChoices):
        PICK_FACE = "pick_face", "Pick face"
        RESERVE = "reserve", "Reserve"
        RECEIVING = "receiving", "Receiving"
        QUARANTINE = "quarantine", "Quarantine"

    node = models.ForeignKey(
        "inventory.Node", on_delete=models.PROTECT, related_name="bins", db_index=False
    )
    code = models.CharField(max_length=20)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.RESERVE)
    sequence = models.PositiveIntegerField(default=0)
    capacity = QuantityField(null=True, blank=True)  # type: ignore[misc]
    product = models.ForeignKey(
        "inventory.Product",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    minimum = QuantityField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        permissions = [("move_in_bins", "Can put away and move goods between bins")]
        constraints = [
            models.UniqueConstraint(fields=["node", "code"], name="inventory_bin_once_per_node"),
            models.CheckConstraint(condition=~Q(code=""), name="inventory_bin_has_a_code"),
            models.CheckConstraint(
                condition=Q(kind__in=["pick_face", "reserve", "receiving", "quarantine"]),
                name="inventory_bin_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(capacity=None) | Q(capacity__gt=0),
                name="inventory_bin_holds_something",
            ),
            models.CheckConstraint(
                condition=Q(product=None, minimum=0)
                | Q(product__isnull=False, kind="pick_face", minimum__gte=0),
                name="inventory_bin_only_a_pick_face_is_a_home",
            ),
            models.CheckConstraint(
                condition=Q(capacity=None) | Q(minimum__lte=F("capacity")),
                name="inventory_bin_minimum_fits",
            ),
        ]
        indexes = [
            models.Index(fields=["node", "sequence", "code"], name="inventory_bin_path"),
            models.Index(
                fields=["product"], name="inventory_bin_home", condition=Q(product__isnull=False)
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_its_place",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("node_id", "kind"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__node_id__df=pgtrigger.F("new__node_id"))
                | pgtrigger.Q(old__kind__df=pgtrigger.F("new__kind")),
                func=KEEPS_ITS_PLACE,
            ),
        ]

    def __str__(self) -> str:
        return self.code


class BinStock(models.Model):
    """So much of one balance lies in one bin, in base units; none of it leaves no row.

    `Stock.binned` is the sum over a balance's bins. Changed only under the lock of the balance.
    """

    bin = models.ForeignKey(Bin, on_delete=models.PROTECT, related_name="contents")
    stock = models.ForeignKey(
        "inventory.Stock", on_delete=models.PROTECT, related_name="bins", db_index=False
    )
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stock", "bin"], name="inventory_binstock_once_per_bin"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_binstock_above_zero"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lies_where_it_may",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("bin_id", "stock_id"),  # type: ignore[no-untyped-call]
                func=LIES_WHERE_IT_MAY,
            ),
            pgtrigger.Trigger(
                name="is_what_its_balance_says",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                func=IS_IN_ITS_BINS.format(of="NEW.stock_id"),
            ),
            pgtrigger.Trigger(
                name="leaves_as_its_balance_says",
                when=pgtrigger.After,
                operation=pgtrigger.Delete | pgtrigger.UpdateOf("stock_id"),  # type: ignore[no-untyped-call]
                timing=pgtrigger.Deferred,
                func=IS_IN_ITS_BINS.format(of="OLD.stock_id"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.stock_id} in {self.bin_id}"


class BinMove(models.Model):
    """So much of one balance that went from one bin to another. Append-only.

    Without a `source` it came from the floor: received or given back, and not put away. Without a
    `target` it went there, or left: picked, set aside, written off. `cause` is the row behind it.
    """

    class Kind(models.TextChoices):
        PUT_AWAY = "put_away", "Put away"
        REPLENISH = "replenish", "Replenished"
        MOVE = "move", "Moved"
        PICK = "pick", "Picked"
        NOT_FOUND = "not_found", "Not found"
        COUNT = "count", "Counted"
        CORRECTION = "correction", "Corrected"

    at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind)
    stock = models.ForeignKey(
        "inventory.Stock", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    source = models.ForeignKey(
        Bin, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    target = models.ForeignKey(
        Bin, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField()
    cause_kind = models.CharField(max_length=40, blank=True)
    cause_id = models.BigIntegerField(default=0)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_binmove_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=False, target=None)
                | Q(source=None, target__isnull=False)
                | Q(source__isnull=False, target__isnull=False) & ~Q(source=F("target")),
                name="inventory_binmove_moves",
            ),
        ]
        indexes = [
            models.Index(fields=["stock", "id"], name="inventory_binmove_of_stock"),
            models.Index(
                fields=["source", "-id"],
                name="inventory_binmove_out_of",
                condition=Q(source__isnull=False),
            ),
            models.Index(
                fields=["target", "-id"],
                name="inventory_binmove_into",
                condition=Q(target__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} of {self.stock_id}"

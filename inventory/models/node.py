"""Where stock lies and who carries it away."""

from datetime import time

from django.db import models
from django.db.models import Q

from erp.kernel.fields import AmountField
from inventory.models.calendar import Calendar

# A balance knows where it is; where a supplier sends straight on nothing lies at the end.
KNOWS_ITS_PLACE = """
    NEW.is_direct := (SELECT is_direct FROM inventory_node WHERE id = NEW.node_id);
"""
PASSES_THROUGH = """
    IF EXISTS (SELECT FROM inventory_stock WHERE id = NEW.id AND on_hand <> 0) THEN
        RAISE check_violation USING MESSAGE = 'what a supplier sends straight on lies nowhere';
    END IF;
    RETURN NULL;
"""


class Node(models.Model):
    """A place that keeps stock. `cutoff` is local time; orders after it leave the next day.

    Without a `calendar` it works from Monday to Friday. It picks at most `lines_per_day` shipment
    lines that leave on one day; none: as many as come.

    One that `is_direct` is no place: goods that a supplier sends straight to a customer pass
    through it in the moment they are told to have left. Each entity has at most one, never active.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    time_zone = models.CharField(max_length=50, default="UTC")
    cutoff = models.TimeField(default=time(15))
    handling_days = models.PositiveSmallIntegerField(default=1)
    calendar = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    lines_per_day = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_direct = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity"], condition=Q(is_direct=True), name="inventory_node_one_is_direct"
            ),
            models.CheckConstraint(
                condition=Q(is_direct=False) | Q(is_active=False),
                name="inventory_node_direct_is_never_active",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Carrier(models.Model):
    """Who moves a shipment, at `base_rate` + `rate_per_kg` in `currency`, in `transit_days`.

    Days on the way are those of its `calendar`; without one every day counts.
    """

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    base_rate = AmountField(default=0)
    rate_per_kg = AmountField(default=0)
    transit_days = models.PositiveSmallIntegerField(default=2)
    phone = models.CharField(max_length=40, blank=True)
    calendar = models.ForeignKey(
        Calendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.code

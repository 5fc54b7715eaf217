"""What promises rest on: how late suppliers come, and which demand waits for which supply."""

from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import QuantityField
from inventory.models.product import Inbound


class SupplierPace(models.Model):
    """How many days after the day it told one supplier comes: the median, and nine times of ten.

    Negative is early. Procurement tells it after each receipt; `supplier_id` is opaque here.
    """

    supplier_id = models.BigIntegerField(unique=True)
    p50_days = models.SmallIntegerField()
    p90_days = models.SmallIntegerField()
    samples = models.PositiveIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(p90_days__gte=F("p50_days")), name="inventory_pace_is_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier_id}: {self.p50_days} to {self.p90_days} days"


class Peg(models.Model):
    """So much of what is on its way that one demand (`orders.line`) waits for, in base units.

    Soft: the next run may give it to somebody more urgent. At receipt it turns into a reservation,
    which is hard; with the supply it goes.
    """

    inbound = models.ForeignKey(Inbound, on_delete=models.CASCADE, related_name="pegs")
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    quantity = QuantityField()
    pegged_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["demand_id", "demand_kind", "inbound"], name="inventory_peg_once_per_pair"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="inventory_peg_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} for {self.demand_kind}:{self.demand_id}"

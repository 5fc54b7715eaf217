"""What the allocation layer decided, and why."""

import pgtrigger
from django.db import models

from erp.kernel.fields import QuantityField


class AllocationRun(models.Model):
    """One pass of the decision layer over a set of demand lines. `cause` is what set it off.

    `certificate` is what the verifier found in the plan: that it holds, and how each class fared.
    """

    at = models.DateTimeField()
    cause = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=60, blank=True)
    demands = models.PositiveIntegerField()
    asked = QuantityField()
    given = QuantityField()
    milliseconds = models.PositiveIntegerField(default=0)
    certificate = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"A-{self.pk}"


class AllocationDecision(models.Model):
    """The receipt of one demand line in one run: every candidate, what was chosen, and the flip.

    `demand_label` is what people call it: the number of the order it stands on.
    `candidates` is a list of `[node, free then, taken, why not more]`, quantities in thousandths,
    the last only where nothing was taken; what is no stock of the product itself goes on with
    `[…, mode, product]`. `flip` is the smallest change that would have given the rest, `dropped`
    the soft rules (`inventory.rules.Rule`) that were not kept. Append-only.
    """

    run = models.ForeignKey(AllocationRun, on_delete=models.PROTECT, related_name="decisions")
    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    demand_label = models.CharField(max_length=60, blank=True)
    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    asked = QuantityField()
    given = QuantityField()
    outcome = models.CharField(max_length=20)
    candidates = models.JSONField()
    flip = models.CharField(max_length=300, blank=True)
    dropped = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            models.Index(fields=["demand_id", "demand_kind"], name="inventory_decision_of_demand"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.given} of {self.asked} for {self.demand_kind}:{self.demand_id}"

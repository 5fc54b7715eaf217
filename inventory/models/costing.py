"""What goods cost, arrival by arrival, where a company values a product first in, first out."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, QuantityField

# Deferred, because a cost and its layers change in one commit, not in one row.
IS_ITS_LAYERS = """
    IF (SELECT (c.quantity, c.value) FROM inventory_productcost c
        WHERE c.id = NEW.id AND c.method = 'fifo')
        IS DISTINCT FROM (
            SELECT (coalesce(sum(l.quantity_left), 0)::numeric(15, 3),
                coalesce(sum(l.value_left), 0)::numeric(19, 4))
            FROM inventory_costlayer l
            WHERE l.product_id = NEW.product_id AND l.entity_id = NEW.entity_id
                AND l.quantity_left > 0)
        AND EXISTS (SELECT FROM inventory_productcost WHERE id = NEW.id AND method = 'fifo')
    THEN
        RAISE EXCEPTION 'what a company owns is not what its layers say'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'inventory_cost_is_its_layers';
    END IF;
    RETURN NULL;
"""


class CostLayer(models.Model):
    """One arrival of one product in one company, and what of it is still owned.

    It came as `quantity` base units worth `value` by the move of its cause; `quantity_left` and
    `value_left` (whole cents of the company's currency) are that and what its issues say. The
    layers of a product sum to its `ProductCost`: the database refuses a commit where they do not.
    """

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    quantity = QuantityField()
    value = AmountField()
    quantity_left = QuantityField()
    value_left = AmountField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, value__gte=0, quantity_left__gte=0, value_left__gte=0),
                name="inventory_layer_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity_left__lte=F("quantity")),
                name="inventory_layer_has_no_more_than_came",
            ),
            models.CheckConstraint(
                condition=~Q(quantity_left=0) | Q(value_left=0),
                name="inventory_layer_of_nothing_is_zero",
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "entity", "id"],
                name="inventory_layer_open",
                condition=Q(quantity_left__gt=0),
            ),
            models.Index(fields=["cause_id", "cause_kind"], name="inventory_layer_of_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity_left} of {self.quantity} of {self.product_id}"


class LayerIssue(models.Model):
    """So much of a layer that left by one cause, or (quantity 0) its value corrected. Append-only.

    Signed as the layer changes: what leaves is negative. `kind` is the move's.
    """

    layer = models.ForeignKey(CostLayer, on_delete=models.PROTECT, related_name="issues")
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    cause_kind = models.CharField(max_length=40)
    cause_id = models.BigIntegerField()
    quantity = QuantityField()
    value = AmountField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__lt=0) | Q(quantity=0) & ~Q(value=0),
                name="inventory_layerissue_changes_something",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of layer {self.layer_id}"


class LateCost(models.Model):
    """A cost that became known after its goods came: a freight bill, a corrected price.

    `amount` (whole cents of the company's currency, negative where goods became cheaper) is spread
    over the goods of one receipt line: `on_hand` raises what is still there, the rest is the cost
    of what is gone, where it went: `sold`, `group_sold` or `adjusted`. History is not rewritten.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    receipt_line = models.ForeignKey(
        "inventory.ReceiptLine", on_delete=models.PROTECT, related_name="late_costs"
    )
    amount = AmountField()
    on_hand = AmountField()
    sold = AmountField()
    group_sold = AmountField()
    adjusted = AmountField()
    reason = models.CharField(max_length=200)
    reference = models.CharField(max_length=60)
    posted_at = models.DateTimeField()
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        permissions = [("post_latecost", "Can post costs that became known late")]
        constraints = [
            models.UniqueConstraint(
                fields=["receipt_line", "reference"], name="inventory_latecost_once_per_reference"
            ),
            models.CheckConstraint(
                condition=Q(amount=F("on_hand") + F("sold") + F("group_sold") + F("adjusted")),
                name="inventory_latecost_is_spread_whole",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0) & ~Q(reason="") & ~Q(reference=""),
                name="inventory_latecost_says_what_it_is",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} late on {self.receipt_line_id}"

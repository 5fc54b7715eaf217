"""What is kept: products and the units they are counted in."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from erp.kernel.fields import QuantityField, RateField

KEEPS_ITS_TRACKING = """
    IF EXISTS (SELECT FROM inventory_stock WHERE product_id = NEW.id AND on_hand > 0) THEN
        RAISE check_violation USING MESSAGE = 'a product that lies in stock keeps its tracking';
    END IF;
    RETURN NEW;
"""

TELLS_ITS_BALANCES = """
    PERFORM FROM inventory_stock WHERE product_id = NEW.id ORDER BY id FOR UPDATE;
    UPDATE inventory_stock SET is_serial = NEW.tracking = 'serial' WHERE product_id = NEW.id;
    RETURN NULL;
"""


class Product(models.Model):
    """One thing that is bought, kept and sold. All quantities of it are in `base_uom`.

    `weight` is kilograms per base unit. An order line is at least `order_min` and a whole number of
    `order_multiple`, in base units; zero is no such rule. A blocked product is not sold; a
    discontinued one is sold while it lasts and never bought again. `export_code` is its number in
    the export lists (5A002), `controlled_share` the part of its value (0 to 1) that is of
    controlled origin. A product with a hazard class, or for which a licence is required, goes to
    customers with a valid certificate.
    """

    class Tracking(models.TextChoices):
        NONE = "none"
        LOT = "lot"
        SERIAL = "serial"

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    base_uom = models.CharField(max_length=10, default="EA")
    category = models.CharField(max_length=100, blank=True)
    tracking = models.CharField(max_length=10, choices=Tracking, default=Tracking.NONE)
    weight = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    barcode = models.CharField(max_length=20, blank=True)
    pack_note = models.CharField(max_length=100, blank=True)
    order_min = QuantityField(db_default=0)
    order_multiple = QuantityField(db_default=0)
    is_blocked = models.BooleanField(default=False)
    is_discontinued = models.BooleanField(default=False)
    export_code = models.CharField(max_length=20, blank=True)
    hazmat_class = models.CharField(max_length=10, blank=True)
    licence_required = models.BooleanField(default=False)
    controlled_share = RateField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="inventory_product_has_a_code"),
            models.CheckConstraint(
                condition=Q(weight__gte=0), name="inventory_product_weight_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(order_min__gte=0, order_multiple__gte=0),
                name="inventory_product_order_rules_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(controlled_share__gte=0, controlled_share__lte=1),
                name="inventory_product_controlled_share_is_a_share",
            ),
        ]
        indexes = [
            models.Index(
                Upper("code"),
                name="inventory_product_code_prefix",
            ),
            # Few or none: whether any product at all is kept by serial number is known at once.
            models.Index(
                fields=["id"],
                name="inventory_product_by_serial",
                condition=Q(tracking="serial"),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="keeps_its_tracking",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("tracking"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__tracking__df=pgtrigger.F("new__tracking")),
                func=KEEPS_ITS_TRACKING,
            ),
            pgtrigger.Trigger(
                name="tells_its_balances",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("tracking"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__tracking__df=pgtrigger.F("new__tracking")),
                func=TELLS_ITS_BALANCES,
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ProductUom(models.Model):
    """One unit of `code` holds `numerator / denominator` base units of the product."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="uoms")
    code = models.CharField(max_length=10)
    numerator = models.PositiveIntegerField()
    denominator = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["product", "code"], name="inventory_uom_per_product"),
            models.CheckConstraint(
                condition=Q(numerator__gt=0, denominator__gt=0), name="inventory_uom_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} of {self.product_id}"


class Substitute(models.Model):
    """`per` base units of `other` may go out for `units` of `product`, in whole exchanges.

    One for one, any quantity may. Lowest `rank` first. Good from its first day to its last;
    `reason` says why. `consent` is what customers say to it, unless they or the order say more;
    `price_rule` is what they pay. Directed: the other way is a pair of its own.
    """

    class Consent(models.TextChoices):
        ASK = "ask", "Ask the customer"
        ALWAYS = "always", "Send it unasked"
        NEVER = "never", "Only by hand"

    class PriceRule(models.TextChoices):
        ORIGINAL = "original", "Price of what was ordered"
        SUBSTITUTE = "substitute", "Its own price"
        LOWER = "lower", "The lower of both"

    product = models.ForeignKey(
        Product, on_delete=models.CASCADE, related_name="substitutes", db_index=False
    )
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    rank = models.PositiveSmallIntegerField(default=1)
    units = models.PositiveIntegerField(default=1, db_default=1)
    per = models.PositiveIntegerField(default=1, db_default=1)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, db_default="")
    consent = models.CharField(
        max_length=10, choices=Consent, default=Consent.ASK, db_default=Consent.ASK
    )
    price_rule = models.CharField(
        max_length=10, choices=PriceRule, default=PriceRule.ORIGINAL, db_default=PriceRule.ORIGINAL
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "other"], name="inventory_substitute_once_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(units__gt=0, per__gt=0), name="inventory_substitute_ratio_above_zero"
            ),
            models.CheckConstraint(
                condition=Q(consent__in=["ask", "always", "never"]),
                name="inventory_substitute_consent_known",
            ),
            models.CheckConstraint(
                condition=Q(price_rule__in=["original", "substitute", "lower"]),
                name="inventory_substitute_price_rule_known",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gte=models.F("valid_from")),
                name="inventory_substitute_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~Q(product=models.F("other")), name="inventory_substitute_is_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.other_id} for {self.product_id}"


class Inbound(models.Model):
    """So much of a product that is on its way to a node, and the day it is expected there.

    Told by whoever ordered it (`source`: the line of a purchase order); gone once nothing is open.
    `supplier_id` is opaque: how late that supplier comes is `SupplierPace`. `source_label` is what
    people call the document.
    """

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    node = models.ForeignKey(
        "inventory.Node", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    source_kind = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    quantity = QuantityField()
    expected_date = models.DateField()
    supplier_id = models.BigIntegerField(null=True, blank=True)
    source_label = models.CharField(max_length=40, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source_id", "source_kind"], name="inventory_inbound_once_per_source"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="inventory_inbound_above_zero"
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "entity", "expected_date"], name="inventory_inbound_of_product"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id} on {self.expected_date}"

"""Products that are sold as one and leave as several."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, QuantityField, RateField
from orders.models.blanket import BlanketLine
from orders.models.order import Order
from orders.models.quote import QuoteLine


class Kit(models.Model):
    """A product that is never on a shelf itself: its components are, and leave together.

    Exploded at entry while it is active, from `valid_from` through `valid_until` (open ends: none)
    by the calendar of the entity that sells it; on other days it is a product as any other.
    """

    product = models.OneToOneField("inventory.Product", on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        permissions = [("change_kits", "Can say what kits are made of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__gte=F("valid_from")),
                name="orders_kit_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"kit {self.product_id}"


class KitComponent(models.Model):
    """So many base units of one product in one kit. A component is no kit itself."""

    kit = models.ForeignKey(Kit, on_delete=models.CASCADE, related_name="components")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kit", "product"], name="orders_kitcomponent_once_per_kit"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="orders_kitcomponent_quantity_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"


class KitLine(models.Model):
    """The line of an order that asks for kits; its components are lines that name it.

    `quantity` and `cancelled` count whole kits. `amount` is quantity x unit_price x (1 - discount)
    half up to a hundredth of a cent, in the order's currency; the amounts of its components sum to
    it exactly.
    """

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="kits")
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField()
    cancelled = QuantityField(default=Decimal(0))
    unit_price = AmountField()
    price_source = models.CharField(max_length=300, blank=True)
    price_basis = models.JSONField(default=dict, blank=True)
    discount = RateField(default=Decimal(0))
    amount = AmountField()
    quote_line = models.ForeignKey(
        QuoteLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    blanket_line = models.ForeignKey(
        BlanketLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0, cancelled__gte=0, cancelled__lte=F("quantity")),
                name="orders_kitline_counts_kits",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, discount__gte=0, discount__lte=1),
                name="orders_kitline_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"

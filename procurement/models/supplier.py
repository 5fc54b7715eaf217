"""Who sells to us, what, and when we buy it again."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from erp.kernel.fields import AmountField, QuantityField


class Supplier(models.Model):
    """Somebody we buy from. Days until they deliver are those of their `calendar`, else all."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=60, blank=True)
    city = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    contact = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    is_blocked = models.BooleanField(default=False)
    calendar = models.ForeignKey(
        "inventory.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="procurement_supplier_has_a_code"),
        ]
        indexes = [models.Index(Upper("name"), name="procurement_supplier_name")]

    def __str__(self) -> str:
        return self.name


class SupplierProduct(models.Model):
    """A supplier's offer of one product to one entity, per base unit in the entity's currency.

    `rank` 1 is preferred. Orders are at least `moq` and a multiple of `multiple` base units. With
    `drop_ships`, the supplier would send it straight to a customer.
    """

    supplier = models.ForeignKey(Supplier, on_delete=models.PROTECT, related_name="offers")
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    unit_price = AmountField()
    moq = QuantityField(default=1)
    multiple = QuantityField(default=1)
    lead_time_days = models.PositiveSmallIntegerField(default=7)
    rank = models.PositiveSmallIntegerField(default=1)
    drop_ships = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "entity", "supplier"], name="procurement_offer_once_per_entity"
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, moq__gte=0, multiple__gt=0),
                name="procurement_offer_is_sane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} from {self.supplier_id}"


class ReplenishmentRule(models.Model):
    """When what is there and to come falls to `reorder_point`, buy up to `order_up_to`."""

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    reorder_point = QuantityField()
    order_up_to = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "node", "entity"], name="procurement_rule_once_per_key"
            ),
            models.CheckConstraint(
                condition=Q(reorder_point__gte=0) & Q(order_up_to__gt=models.F("reorder_point")),
                name="procurement_rule_orders_above_its_point",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} @ {self.node_id}: {self.reorder_point}"


class WaitingDemand(models.Model):
    """So much of a product somebody waits for and nobody has reserved, as the apps above told it.

    It makes replenishment buy more than the shelf needs. `node` is null when any node may serve.
    """

    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(
        "inventory.Node", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["demand_id", "demand_kind"], name="procurement_waiting_once_per_demand"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="procurement_waiting_above_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id} for {self.demand_kind}:{self.demand_id}"

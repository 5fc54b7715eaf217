"""What goods cost: lists and who has them, contracts, breaks, promotions."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper

from erp.kernel.fields import AmountField, QuantityField, RateField, Span


class CustomerGroup(models.Model):
    """Customers who buy on the same terms. What holds for `parent` holds for the group too."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="orders_group_has_a_code"),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="orders_group_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PriceList(models.Model):
    """A named list of one entity. Prices without a list are the entity's default list."""

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="orders_pricelist_has_a_code"),
        ]

    def __str__(self) -> str:
        return self.name


class ListHolder(models.Model):
    """A customer or a group that buys by a list.

    Of several lists the lowest `position` is asked first; a customer's own come before those of
    their group, the nearest group first.
    """

    price_list = models.ForeignKey(PriceList, on_delete=models.CASCADE, related_name="holders")
    customer = models.ForeignKey(
        "orders.Customer", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(
        CustomerGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["price_list", "customer", "group"],
                nulls_distinct=False,
                name="orders_listholder_once_per_list",
            ),
            models.CheckConstraint(
                condition=Q(customer__isnull=False, group=None)
                | Q(customer=None, group__isnull=False),
                name="orders_listholder_is_customer_or_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price_list_id}: {self.customer_id or self.group_id}"


class Series(Func):
    """The hash of everything but product and dates that makes two prices alternatives."""

    template = (
        "(hashtextextended(entity_id::text || '|' || kind || '|' || coalesce(customer_id, 0)::text"
        " || '|' || coalesce(group_id, 0)::text || '|' || coalesce(price_list_id, 0)::text"
        " || '|' || currency || '|' || uom || '|' || min_quantity::text, 0) >> 1)"
    )
    output_field = models.BigIntegerField()


class Price(models.Model):
    """What one base unit costs in `currency` from `min_quantity` up, in [valid_from, valid_until).

    A contract names its customer or its group; a list price its list, or none for the entity's
    default. With `uom` it holds for lines sold in that unit only. Prices of one `series` (all but
    product and dates) never overlap: the database refuses it. `revision` counts the changes.
    """

    class Kind(models.TextChoices):
        CONTRACT = "contract", "Contract"
        GROUP = "group", "Group contract"
        LIST = "list", "List"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.LIST)
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(
        "orders.Customer", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group = models.ForeignKey(
        CustomerGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    price_list = models.ForeignKey(
        PriceList, null=True, blank=True, on_delete=models.PROTECT, related_name="prices"
    )
    currency = models.CharField(max_length=3)
    uom = models.CharField(max_length=10, blank=True)
    min_quantity = QuantityField(default=0)
    unit_price = AmountField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    series = models.GeneratedField(
        expression=Series(), output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        permissions = [("approve_price", "Can agree to prices beyond the tolerance")]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "series", "valid_from"], name="orders_price_once_per_start"
            ),
            ExclusionConstraint(
                name="orders_price_periods_do_not_overlap",
                expressions=[
                    (Span(F("product_id")), "&&"),
                    (Span(F("series")), "&&"),
                    (Func(F("valid_from"), F("valid_until"), function="daterange"), "&&"),
                ],
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, min_quantity__gte=0),
                name="orders_price_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(kind="contract", customer__isnull=False, group=None, price_list=None)
                | Q(kind="group", customer=None, group__isnull=False, price_list=None)
                | Q(kind="list", customer=None, group=None),
                name="orders_price_kind_names_its_owner",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_price_ends_after_it_begins",
            ),
        ]
        indexes = [
            models.Index(
                fields=["product", "entity", "kind", "customer", "group"],
                name="orders_price_lookup",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.unit_price} {self.currency}"


class Promotion(models.Model):
    """Something off for a while, in [valid_from, valid_until), for what and whom its fields name.

    Empty fields narrow nothing. `percent` is a share off, `amount` money off a base unit in
    `currency`; with `buy_quantity` base units bought, `free_quantity` of `free_product` (empty:
    the same) come along at zero, for each time it is reached. Promotions of the same `stack` add
    up; one without stands alone, and the best for the customer is taken.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", "Percentage"
        AMOUNT = "amount", "Amount off"
        FREE = "free", "Free goods"

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind)
    product = models.ForeignKey(
        "inventory.Product", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    category = models.CharField(max_length=100, blank=True)
    customer = models.ForeignKey(
        "orders.Customer", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group = models.ForeignKey(
        CustomerGroup, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    min_quantity = QuantityField(default=0)
    percent = RateField(default=0)
    amount = AmountField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    buy_quantity = QuantityField(default=0)
    free_quantity = QuantityField(default=0)
    free_product = models.ForeignKey(
        "inventory.Product", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    stack = models.CharField(max_length=20, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "code"], name="orders_promotion_once_per_code"
            ),
            models.CheckConstraint(
                condition=Q(kind="percent", percent__gt=0, percent__lte=1)
                | Q(kind="amount", amount__gt=0, currency__gt="")
                | Q(kind="free", buy_quantity__gt=0, free_quantity__gt=0),
                name="orders_promotion_gives_something",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_promotion_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["entity", "valid_from"], name="orders_promotion_running")]

    def __str__(self) -> str:
        return self.name


class CustomerProduct(models.Model):
    """The number by which a customer knows one of our products."""

    customer = models.ForeignKey("orders.Customer", on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "code"], name="orders_customerproduct_means_one_product"
            ),
            models.CheckConstraint(
                condition=~Q(code="") & Q(code=Upper("code")),
                name="orders_customerproduct_code_in_capitals",
            ),
        ]

    def __str__(self) -> str:
        return self.code

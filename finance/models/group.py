"""What companies of the group sell each other, and the rates it is converted at."""

from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, ExchangeRateField


class ExchangeRate(models.Model):
    """For one `base` so much `quote` is given, from `on_date` until there is a newer rate."""

    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    on_date = models.DateField()
    rate = ExchangeRateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["base", "quote", "on_date"], name="finance_rate_once_per_day"
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="finance_rate_above_zero"),
            models.CheckConstraint(
                condition=~Q(base=F("quote")), name="finance_rate_between_two_currencies"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rate} {self.quote}/{self.base} on {self.on_date}"


class GroupSale(models.Model):
    """One transfer sold by one company of the group to another: both sides of it, for good.

    It cost `cost` and was sold at `price`, both in the seller's `currency`; the buyer took it in at
    `landed` in its own, `rate` of which is given for one of the seller's. Whole cents.
    """

    transfer = models.OneToOneField(
        "inventory.Transfer", on_delete=models.PROTECT, related_name="sale"
    )
    seller = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    buyer = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    sold_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    buyer_currency = models.CharField(max_length=3)
    rate = ExchangeRateField()
    cost = AmountField()
    price = AmountField()
    landed = AmountField()
    policy_version = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(seller=F("buyer")), name="finance_groupsale_between_two_companies"
            ),
            models.CheckConstraint(
                condition=Q(cost__gte=0, price__gte=0, landed__gte=0, rate__gt=0),
                name="finance_groupsale_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(currency=F("buyer_currency")) | Q(rate=1, landed=F("price")),
                name="finance_groupsale_same_currency_same_amount",
            ),
        ]
        indexes = [models.Index(fields=["seller", "-id"], name="finance_groupsale_of_seller")]

    def __str__(self) -> str:
        return f"{self.price} {self.currency} by {self.seller_id} to {self.buyer_id}"

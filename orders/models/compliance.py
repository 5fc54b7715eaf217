"""What may not go where without leave, and the leave: restrictions, exceptions, licences."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from erp.kernel.fields import AmountField, QuantityField, RateField
from orders.models.customer import Customer


class Purpose(models.TextChoices):
    """What goods are for, as the customer has certified it; undeclared where nobody has."""

    UNDECLARED = "undeclared", "Undeclared"
    CIVIL = "civil", "Civil"
    RESEARCH = "research", "Research"
    MILITARY = "military", "Military"
    NUCLEAR = "nuclear", "Nuclear"
    CHEMICAL = "chemical", "Chemical or biological"


class Coverage(models.TextChoices):
    """How `coverage_value` names products: the code, or a beginning of it (5A covers 5A002)."""

    ALL = "all", "All products"
    CATEGORY = "category", "Category"
    EXPORT_CODE = "export_code", "Export code"


def countries() -> "ArrayField[list[str], list[str]]":
    """Return a column of ISO 3166 codes; none: any country."""
    return ArrayField(models.CharField(max_length=2), default=list, blank=True)


class ExportRestriction(models.Model):
    """One rule by which a line may not go without an exception. What is empty does not matter.

    It applies to products of `coverage` whose controlled share is above `de_minimis` (a share of
    one), sold to one of `sell_to` and shipped to one of `ship_to`, for one of `purposes`. From an
    embargo there is no exception. `entity` none: it holds for every entity.
    """

    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    jurisdiction = models.CharField(max_length=20)
    coverage = models.CharField(max_length=20, choices=Coverage, default=Coverage.ALL)
    coverage_value = models.CharField(max_length=100, blank=True)
    sell_to = countries()
    ship_to = countries()
    purposes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    de_minimis = RateField(default=0)
    is_embargo = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        permissions = [
            ("change_compliance", "Can change restrictions, exceptions, licences, certificates"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(coverage="all", coverage_value="")
                | (~Q(coverage="all") & ~Q(coverage_value="")),
                name="orders_restriction_names_what_it_covers",
            ),
            models.CheckConstraint(
                condition=Q(de_minimis__gte=0, de_minimis__lte=1),
                name="orders_restriction_de_minimis_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_restriction_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ExportException(models.Model):
    """Why a line may go although a restriction of the jurisdiction applies to it.

    What is empty does not matter; `restriction` and `customer` narrow it to one. With
    `needs_licence` it holds only for what a licence covers.
    """

    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    jurisdiction = models.CharField(max_length=20)
    restriction = models.ForeignKey(
        ExportRestriction, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    coverage = models.CharField(max_length=20, choices=Coverage, default=Coverage.ALL)
    coverage_value = models.CharField(max_length=100, blank=True)
    sell_to = countries()
    ship_to = countries()
    purposes = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    needs_licence = models.BooleanField(default=False)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(coverage="all", coverage_value="")
                | (~Q(coverage="all") & ~Q(coverage_value="")),
                name="orders_exception_names_what_it_covers",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_exception_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class ExportLicence(models.Model):
    """Leave to ship so much, in [valid_from, valid_until). What is empty does not matter.

    `quantity_max` is in base units, `value_max` in `currency`; none is without bound. What released
    orders take is used, and given back when they are cancelled or held.
    """

    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)
    jurisdiction = models.CharField(max_length=20)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ship_to = countries()
    export_code = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3)
    quantity_max = QuantityField(null=True, blank=True)  # type: ignore[misc]
    value_max = AmountField(null=True, blank=True)  # type: ignore[misc]
    quantity_used = QuantityField(default=0)
    value_used = AmountField(default=0)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entity", "number"], name="orders_licence_once_per_entity"
            ),
            models.CheckConstraint(
                condition=Q(quantity_used__gte=0, value_used__gte=0),
                name="orders_licence_use_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(quantity_max=None) | Q(quantity_used__lte=F("quantity_max")),
                name="orders_licence_quantity_is_not_exceeded",
            ),
            models.CheckConstraint(
                condition=Q(value_max=None) | Q(value_used__lte=F("value_max")),
                name="orders_licence_value_is_not_exceeded",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_licence_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class LicenceUse(models.Model):
    """What one released line takes of one licence now: base units, and their value.

    `value` is in the licence's currency. What is given back is taken off; nothing is left of a line
    that was cancelled. A licence's used part is the sum of its uses.
    """

    licence = models.ForeignKey(ExportLicence, on_delete=models.PROTECT, related_name="uses")
    line = models.ForeignKey("orders.OrderLine", on_delete=models.CASCADE, related_name="+")
    quantity = QuantityField()
    value = AmountField()
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "licence"], name="orders_licenceuse_once_per_line"
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=0, value__gte=0),
                name="orders_licenceuse_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.licence_id}"


class Certificate(models.Model):
    """What a customer has shown us, valid in [valid_from, valid_until).

    A hazard certificate names the classes that the customer may receive (none: all), a licence the
    leave to buy what needs one, an end use what the goods are for.
    """

    class Kind(models.TextChoices):
        HAZMAT = "hazmat", "Dangerous goods"
        LICENCE = "licence", "Licence to buy"
        END_USE = "end_use", "End use"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="certificates")
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.CharField(max_length=60)
    issuer = models.CharField(max_length=120, blank=True)
    hazmat_classes = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose, blank=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind", "number"], name="orders_certificate_once_per_customer"
            ),
            models.CheckConstraint(
                condition=(Q(kind="end_use") & ~Q(purpose=""))
                | (~Q(kind="end_use") & Q(purpose="")),
                name="orders_certificate_of_end_use_names_a_purpose",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gt=F("valid_from")),
                name="orders_certificate_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

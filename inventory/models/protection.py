"""Who stock is kept for: a ranked tree of segments, and their shares."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce

from erp.kernel.fields import QuantityField, Span
from inventory.models.node import Node
from inventory.models.product import Product


class Segment(models.Model):
    """A part of demand. Among siblings the lowest `rank` is the highest.

    One that `lends` leaves what is kept for it to others that rank higher.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    rank = models.PositiveSmallIntegerField(default=1)
    lends = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(code=""), name="inventory_segment_has_a_code"),
            models.CheckConstraint(
                condition=Q(parent=None) | ~Q(parent=F("id")),
                name="inventory_segment_not_its_own_parent",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Protection(models.Model):
    """So much of a product is kept for a segment (`floor`), and it gets no more than `cap`.

    Both are base units from `first_day` through `last_day` (UTC); without a node, of all of them.
    """

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="protections")
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(
        Node, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    first_day = models.DateField()
    last_day = models.DateField()
    floor = QuantityField(default=0)
    cap = QuantityField(null=True, blank=True)  # type: ignore[misc]
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(floor__gte=0) & (Q(cap=None) | Q(cap__gte=F("floor"))),
                name="inventory_protection_is_sane",
            ),
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")),
                name="inventory_protection_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="inventory_protection_one_at_a_time",
                expressions=[
                    (Span(F("product_id")), RangeOperators.OVERLAPS),
                    (Span(F("entity_id")), RangeOperators.OVERLAPS),
                    (Span(F("segment_id")), RangeOperators.OVERLAPS),
                    (Span(Coalesce("node_id", Value(0))), RangeOperators.OVERLAPS),
                    (
                        Func(F("first_day"), F("last_day"), Value("[]"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(fields=["product", "entity"], name="inventory_protection_of"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} for {self.segment_id}"


class SegmentDemand(models.Model):
    """The segment for which a demand line was given something that is protected."""

    demand_kind = models.CharField(max_length=40)
    demand_id = models.BigIntegerField()
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["demand_id", "demand_kind"], name="inventory_segmentdemand_once"
            ),
        ]
        indexes = [
            models.Index(fields=["product", "segment"], name="inventory_segmentdemand_of"),
        ]

    def __str__(self) -> str:
        return f"{self.demand_kind}:{self.demand_id}"

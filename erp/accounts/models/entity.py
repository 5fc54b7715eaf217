"""Legal entities and their document numbers."""

from collections.abc import Collection

from django.db import models
from django.db.models import Q


class EntityQuerySet(models.QuerySet["Entity"]):
    def within(self, entity_ids: Collection[int]) -> "EntityQuerySet":
        return self.filter(pk__in=entity_ids)


class Entity(models.Model):
    """One company that keeps its own books, in `currency` (ISO 4217), by its own clock."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=50, default="UTC")
    is_active = models.BooleanField(default=True)

    objects = EntityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entities"
        constraints = [
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="accounts_entity_currency_is_iso"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class NumberSeries(models.Model):
    """The next number of one gap-free series of one entity (`INV`, `CM`, `JE`)."""

    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=10)
    next_number = models.BigIntegerField(default=1)

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(fields=["entity", "series"], name="accounts_series_per_entity"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.series}"

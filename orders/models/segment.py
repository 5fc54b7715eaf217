"""Whose orders are of which segment."""

from django.db import models
from django.db.models import Q

from orders.models.customer import Customer
from orders.models.price import CustomerGroup


class SegmentMember(models.Model):
    """Orders of one customer, group, channel or company are of a segment: the first named wins.

    What holds for a group holds for those below it, unless they say otherwise.
    """

    segment = models.ForeignKey("inventory.Segment", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(
        CustomerGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    channel = models.CharField(max_length=20, blank=True)
    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False, group=None, channel="", entity=None)
                | Q(customer=None, group__isnull=False, channel="", entity=None)
                | (Q(customer=None, group=None, entity=None) & ~Q(channel=""))
                | Q(customer=None, group=None, channel="", entity__isnull=False),
                name="orders_segmentmember_is_one_thing",
            ),
            *(
                models.UniqueConstraint(
                    fields=[name],
                    condition=~Q(**{name: ""}) if name == "channel" else ~Q(**{name: None}),
                    name=f"orders_segmentmember_one_per_{name}",
                )
                for name in ("customer", "group", "channel", "entity")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}"

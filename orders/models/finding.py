"""What was found out about an order before its release: its class, and where it could come from."""

from django.db import models


class OrderClass(models.Model):
    """How urgent an order was found to be: one row per finding, never changed, the last counts.

    `inputs` are the facts that the policy was asked with; `cause` says why it was asked again.
    """

    order = models.ForeignKey(
        "orders.Order", on_delete=models.CASCADE, related_name="classes", db_index=False
    )
    version = models.PositiveSmallIntegerField()
    class_code = models.CharField(max_length=30)
    priority = models.PositiveSmallIntegerField()
    policy_version = models.CharField(max_length=60)
    inputs = models.JSONField(default=dict)
    cause = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order", "version"], name="orders_orderclass_once_per_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.class_code} of {self.order_id}"


class SourcingPlan(models.Model):
    """What allocation would have done for an order when it was checked; nothing was reserved.

    `nodes` name what each node would give and why it was chosen. Where the order cannot be met as
    requested, `proposal` says what could be: a date, a split, substitutes. `possible_date` is when
    the last of it could be with the customer; none: nothing is known to come in.
    """

    order = models.ForeignKey(
        "orders.Order", on_delete=models.CASCADE, related_name="plans", db_index=False
    )
    at = models.DateTimeField()
    is_feasible = models.BooleanField()
    requested_date = models.DateField()
    possible_date = models.DateField(null=True, blank=True)
    nodes = models.JSONField(default=list)
    proposal = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["order", "-id"], name="orders_plan_of_order")]

    def __str__(self) -> str:
        return f"plan of {self.order_id}"

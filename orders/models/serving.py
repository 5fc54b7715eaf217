"""What a customer or one order insists on beyond the usual, and what else may be sent.

A substitution: PROPOSED --accept--> ACCEPTED, --decline--> DECLINED, --withdraw--> WITHDRAWN
(the line waits no more, or nothing of it is left). What goes out unasked is SERVED from the start.
"""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import AmountField, QuantityField, RateField
from orders.models.customer import Customer
from orders.models.line import OrderLine
from orders.models.order import Order

SOFT = [
    "ship_complete",
    "no_split",
    "max_nodes",
    "no_substitutes",
    "places",
    "min_shelf_days",
]


class ServingTerms(models.Model):
    """How one customer, or one order, wants to be served. What it leaves open, the other says.

    At most `max_nodes` nodes; lots keep `min_shelf_days` beyond the promise. `substitutes` is
    consent given once for all. What is named in `soft` is tried first, then dropped and said so.
    """

    class Substitutes(models.TextChoices):
        AS_PAIR = "", "As each pair says"
        ALWAYS = "always", "Always"
        ASK = "ask", "Ask every time"

    customer = models.OneToOneField(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="serving"
    )
    order = models.OneToOneField(
        Order, null=True, blank=True, on_delete=models.CASCADE, related_name="serving"
    )
    max_nodes = models.PositiveSmallIntegerField(null=True, blank=True)
    min_shelf_days = models.PositiveSmallIntegerField(null=True, blank=True)
    substitutes = models.CharField(max_length=10, choices=Substitutes, blank=True, default="")
    soft = ArrayField(models.CharField(max_length=20), null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(customer=None, order__isnull=False)
                | Q(customer__isnull=False, order=None),
                name="orders_servingterms_are_somebodys",
            ),
            models.CheckConstraint(
                condition=Q(max_nodes=None) | Q(max_nodes__gt=0),
                name="orders_servingterms_some_node",
            ),
            models.CheckConstraint(
                condition=Q(substitutes__in=["", "always", "ask"]),
                name="orders_servingterms_substitutes_known",
            ),
            models.CheckConstraint(
                condition=Q(soft=None) | Q(soft__contained_by=SOFT),
                name="orders_servingterms_soft_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id or self.order_id}"


class ServingPlace(models.Model):
    """One place that goods may leave from: a node, all nodes of a company, or of a country.

    With several kinds a node has to be among each of them.
    """

    terms = models.ForeignKey(ServingTerms, on_delete=models.CASCADE, related_name="places")
    node = models.ForeignKey(
        "inventory.Node", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    entity = models.ForeignKey(
        "accounts.Entity", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    country = models.CharField(max_length=2, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(node__isnull=False, entity=None, country="")
                | Q(node=None, entity__isnull=False, country="")
                | (Q(node=None, entity=None) & ~Q(country="")),
                name="orders_servingplace_is_one_thing",
            ),
            models.UniqueConstraint(
                fields=["terms", "node", "entity", "country"],
                nulls_distinct=False,
                name="orders_servingplace_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id or self.entity_id or self.country}"


class SubstitutionQuerySet(models.QuerySet["Substitution"]):
    def lock(self, substitution_id: int) -> "Substitution":
        """Return the substitution, locked until the transaction ends.

        Raises:
            Substitution.DoesNotExist: there is no such substitution.
        """
        return self.select_for_update(of=["self"]).get(pk=substitution_id)


class Substitution(FSMModelMixin, models.Model):
    """So much of another product for a part of a line: asked of the customer, or sent unasked.

    `quantity` is of the line's product, `other_quantity` of the other, in base units; `unit_price`
    is per base unit of the other in the order's currency, less `discount`, by the pair's
    `price_rule`. `new_line` is the line that it became.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "To be asked"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        SERVED = "served", "Sent unasked"

    entity = models.ForeignKey(
        "accounts.Entity", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="substitutions")
    pair = models.ForeignKey(
        "inventory.Substitute", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    product = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    other = models.ForeignKey(
        "inventory.Product", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField()
    other_quantity = QuantityField()
    unit_price = AmountField()
    discount = RateField(default=Decimal(0))
    price_rule = models.CharField(max_length=10)
    policy_version = models.CharField(max_length=60, blank=True)
    state = FSMField(choices=State, default=State.PROPOSED, protected=True)
    proposed_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    answer = models.CharField(max_length=300, blank=True)
    new_line = models.OneToOneField(
        OrderLine, null=True, blank=True, on_delete=models.SET_NULL, related_name="substitution"
    )

    objects = SubstitutionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "accepted", "declined", "withdrawn", "served"]),
                name="orders_substitution_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "served"]) | Q(answered_at__isnull=False),
                name="orders_substitution_answered_at_is_set_once_answered",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, other_quantity__gt=0, unit_price__gte=0),
                name="orders_substitution_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(price_rule__in=["original", "substitute", "lower"]),
                name="orders_substitution_price_rule_known",
            ),
            models.UniqueConstraint(
                fields=["line", "other"],
                condition=Q(state="proposed"),
                name="orders_substitution_asked_once",
            ),
        ]
        indexes = [
            models.Index(fields=["entity", "state", "-id"], name="orders_substitution_open"),
            models.Index(fields=["product", "other", "state"], name="orders_substitution_learnt"),
        ]

    def __str__(self) -> str:
        return f"{self.other_quantity} of {self.other_id} for line {self.line_id}"

    @transition(field=state, source=State.PROPOSED, target=State.ACCEPTED)
    def accept(self, *, at: datetime, by: int | None, answer: str = "") -> None:
        self.answered_at, self.answered_by_id, self.answer = at, by, answer

    @transition(field=state, source=State.PROPOSED, target=State.DECLINED)
    def decline(self, *, at: datetime, by: int | None, answer: str = "") -> None:
        self.answered_at, self.answered_by_id, self.answer = at, by, answer

    @transition(field=state, source=State.PROPOSED, target=State.WITHDRAWN)
    def withdraw(self, *, at: datetime, answer: str = "") -> None:
        self.answered_at, self.answer = at, answer

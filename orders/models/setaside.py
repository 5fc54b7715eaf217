"""Stock kept for a customer for a while, without an order.

KEPT --release--> RELEASED; KEPT --use--> USED; KEPT --lapse--> LAPSED
"""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, FSMModelMixin, transition

from erp.kernel.fields import NextNumber, QuantityField
from orders.models.customer import Customer
from orders.models.order import Order
from orders.models.quote import Quote


class SetAsideQuerySet(models.QuerySet["SetAside"]):
    def lock(self, set_aside_id: int) -> "SetAside":
        """Return it, locked until the transaction ends.

        Raises:
            SetAside.DoesNotExist: there is none such.
        """
        return self.select_for_update(of=["self"], no_key=True).get(pk=set_aside_id)


class SetAside(FSMModelMixin, models.Model):
    """So many base units of a product kept for a customer until a moment, perhaps for a quote.

    What is kept are inventory's reservations for `orders.setaside`. Used: given to an `order` of
    the customer. What is left at `kept_until` lapses by itself.
    """

    class State(models.TextChoices):
        KEPT = "kept", "Kept"
        RELEASED = "released", "Given back"
        USED = "used", "Used"
        LAPSED = "lapsed", "Lapsed"

    number = models.CharField(
        max_length=20, unique=True, db_default=NextNumber("KP-", "orders_setaside_number")
    )
    entity = models.ForeignKey("accounts.Entity", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    quote = models.ForeignKey(
        Quote, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    product = models.ForeignKey("inventory.Product", on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(
        "inventory.Node", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    quantity = QuantityField()
    state = FSMField(choices=State, default=State.KEPT, protected=True)
    kept_until = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SetAsideQuerySet.as_manager()

    class Meta:
        permissions = [("set_aside_stock", "Can keep stock for a customer for a while")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["kept", "released", "used", "lapsed"]),
                name="orders_setaside_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="kept", ended_at=None)
                | (~Q(state="kept") & Q(ended_at__isnull=False)),
                name="orders_setaside_ended_at_is_set_once_over",
            ),
            models.CheckConstraint(
                condition=Q(state="used", order__isnull=False) | (~Q(state="used") & Q(order=None)),
                name="orders_setaside_names_its_order_once_used",
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="orders_setaside_above_zero"),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=State.KEPT, target=State.RELEASED)
    def release(self, *, at: datetime) -> None:
        """Note that it was given back."""
        self.ended_at = at

    @transition(field=state, source=State.KEPT, target=State.USED)
    def use(self, *, at: datetime, order: Order) -> None:
        """Note which order it was given to."""
        self.ended_at, self.order = at, order

    @transition(field=state, source=State.KEPT, target=State.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        """Note that its time was over."""
        self.ended_at = at

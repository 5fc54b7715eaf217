"""Buys what the decision layer chose to buy for a demand that is short."""

from datetime import datetime

from django.db import transaction
from django_fsm import TransitionNotAllowed

from erp.kernel.errors import DomainError
from inventory.models import Sourcing
from inventory.services.sourcing import Document, hand_over, lock_chosen, note_asked
from procurement.models import PurchaseOrder
from procurement.services._approving import KIND, submit_order
from procurement.services._ending import cancel_order
from procurement.services._ordering import PurchaseLine, write_order
from procurement.services.dropping import drop_ship

State = PurchaseOrder.State
NOT_SENT = {State.DRAFT, State.PENDING, State.APPROVED}


@transaction.atomic
def buy_for_demand(*, sourcing_id: int, now: datetime) -> PurchaseOrder | None:
    """Order what was chosen to be bought for a demand, and ask for the agreement it needs.

    None where it is chosen no more or the order is refused: then a person decides. What the
    supplier is to send straight to the customer is ordered so. Asking again changes nothing.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.

    Publishes:
        PurchaseOrderSubmitted
        PurchaseOrderApproved
        SupplyAsked
    """
    if Sourcing.objects.get(pk=sourcing_id).mode == "drop_ship":
        return _sent_straight(sourcing_id, now)
    row = lock_chosen(sourcing_id=sourcing_id)
    if row is None or row.mode != "buy" or row.supplier_id is None or row.node_id is None:
        return None
    try:
        with transaction.atomic():
            order = write_order(
                entity_id=row.entity_id,
                supplier_id=row.supplier_id,
                node_id=row.node_id,
                lines=[PurchaseLine(row.product_id, row.buys)],
                actor=None,
                now=now,
            )
            order = submit_order(order_id=order.pk, actor=None, now=now)
    except DomainError as refused:
        hand_over(sourcing_id=row.pk, why=str(refused), now=now)
        return None
    note_asked(
        sourcing_id=row.pk,
        document=Document(kind=KIND, id=order.pk, label=order.number),
        now=now,
    )
    return order


def _sent_straight(sourcing_id: int, now: datetime) -> PurchaseOrder | None:
    """Order what was chosen to go straight to a customer; refused, a person decides."""
    try:
        with transaction.atomic():
            if Sourcing.objects.get(pk=sourcing_id).state != Sourcing.State.CHOSEN:
                return None
            return drop_ship(sourcing_id=sourcing_id, actor=None, now=now)
    except DomainError as refused:
        if lock_chosen(sourcing_id=sourcing_id) is not None:
            hand_over(sourcing_id=sourcing_id, why=str(refused), now=now)
        return None


@transaction.atomic
def call_off_purchase(*, order_id: int, now: datetime) -> bool:
    """Cancel a purchase that nobody waits for any more, unless the supplier was told of it.

    Publishes:
        PurchaseOrderCancelled
    """
    order = PurchaseOrder.objects.lock(order_id)
    if order.state not in NOT_SENT:
        return False
    try:
        with transaction.atomic():
            cancel_order(
                order_id=order_id, actor=None, reason="Nobody waits for it any more", now=now
            )
    except (DomainError, TransitionNotAllowed):
        return False
    return True

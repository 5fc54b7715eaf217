"""Takes back the tracking links of an order."""

from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from orders.models import Order, TrackingKey


@transaction.atomic
def revoke_tracking(*, order_id: int, actor: User | None, now: datetime) -> int:
    """Make every tracking link of an order that is about worthless; return the count of new ones.

    Locks the order.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    order = Order.objects.select_for_update(of=["self"], no_key=True).get(pk=order_id)
    key = TrackingKey.objects.filter(order=order).first() or TrackingKey(order=order, serial=0)
    key.serial, key.changed_at = key.serial + 1, now
    key.save()
    change = Change(
        entity_id=order.entity_id,
        action="orders.revoke_tracking",
        subject_kind="orders.order",
        subject_id=order.pk,
        thread=f"orders.order:{order.pk}",
        after={"links": key.serial},
    )
    record(changes=[change], actor=actor, now=now)
    return key.serial

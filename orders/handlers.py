"""What orders do when something happened."""

from collections.abc import Sequence

from django.utils import timezone

from erp.governance.erasers import PersonKind, register_person
from erp.outbox.registry import subscribe_batch
from inventory.events import StockReceived
from orders.events import OrderReleased, RestUnwanted
from orders.services import allocate_orders, allocate_waiting, cancel_rests
from orders.services._erasing import empty_customer, find_customer

register_person("orders.customer", PersonKind(find=find_customer, erase=empty_customer))


@subscribe_batch(OrderReleased)
def allocate_released_orders(events: Sequence[OrderReleased]) -> None:
    """Have stock kept for what was just released, the most urgent first."""
    ids = {event.order_id for event in events}
    allocate_orders(order_ids=ids, cause="Released", now=timezone.now(), again=False)


@subscribe_batch(StockReceived)
def fill_backorders(events: Sequence[StockReceived]) -> None:
    """Have what came in kept for the lines that wait for it."""
    products: dict[int, set[int]] = {}
    for event in events:
        products.setdefault(event.entity_id, set()).add(event.product_id)
    for entity_id, ids in sorted(products.items()):
        allocate_waiting(
            entity_id=entity_id, product_ids=ids, cause="Stock came in", now=timezone.now()
        )


@subscribe_batch(RestUnwanted)
def cancel_unwanted_rests(events: Sequence[RestUnwanted]) -> None:
    """Cancel what allocation could not give where the customer does not wait for it."""
    cancel_rests(line_ids={event.line_id for event in events}, now=timezone.now())

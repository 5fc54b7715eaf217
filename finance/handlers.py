"""What finance does when something happened."""

from collections.abc import Sequence

from django.utils import timezone

from erp.outbox.registry import subscribe_batch
from finance.events import InvoicePosted
from finance.selectors import house_markups
from finance.services import close_orders_paid, invoice_shipments
from finance.services._converting import known_rate
from inventory.events import ShipmentShipped
from inventory.selectors import register_markups
from inventory.selectors import register_rates as register_house_rates
from orders.events import OrderShipped
from orders.selectors import register_rates
from orders.services.telling import Reached, note_milestones

register_rates(known_rate)
register_house_rates(known_rate)
register_markups(house_markups)


@subscribe_batch(ShipmentShipped)
def invoice_what_left(events: Sequence[ShipmentShipped]) -> None:
    """Invoice every shipment that left."""
    invoice_shipments(shipment_ids=[event.shipment_id for event in events], now=timezone.now())


@subscribe_batch(OrderShipped)
def close_what_was_paid(events: Sequence[OrderShipped]) -> None:
    """Close orders whose rest was cancelled after all that left was paid."""
    close_orders_paid(order_ids={event.order_id for event in events}, now=timezone.now())


@subscribe_batch(InvoicePosted)
def tell_of_invoices(events: Sequence[InvoicePosted]) -> None:
    """Tell who follows the orders that goods were invoiced."""
    reached = [Reached(event.order_id, "invoiced", event.number) for event in events]
    note_milestones(reached=reached, now=timezone.now())

"""Promises of what waits: made, kept in the ledger, and made anew when supply moves."""

from orders.services.promising._following import promise_by_calendar, set_customer_calendar
from orders.services.promising._promising import promise_orders, promise_products
from orders.services.promising._taking import Taken, take_order

__all__ = [
    "Taken",
    "promise_by_calendar",
    "promise_orders",
    "promise_products",
    "set_customer_calendar",
    "take_order",
]

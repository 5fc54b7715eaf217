"""Promises of what waits: made, kept in the ledger, and made anew when supply moves."""

from orders.services.promising._promising import promise_orders, promise_products

__all__ = ["promise_orders", "promise_products"]

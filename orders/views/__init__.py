"""The pages of orders and customers."""

from orders.views._allocation import allocate_now, allocation, waiting_of_product
from orders.views._amend import amend
from orders.views._board import board, submit_many
from orders.views._customers import customer, customers, hold_customer, new_customer
from orders.views._entry import customer_hits, edit, line, new, preview, product_hits, read_pasted
from orders.views._order import allocate, cancel, hold, lift, order, submit

__all__ = [
    "allocate",
    "allocate_now",
    "allocation",
    "amend",
    "board",
    "cancel",
    "customer",
    "customer_hits",
    "customers",
    "edit",
    "hold",
    "hold_customer",
    "lift",
    "line",
    "new",
    "new_customer",
    "order",
    "preview",
    "product_hits",
    "read_pasted",
    "submit",
    "submit_many",
    "waiting_of_product",
]

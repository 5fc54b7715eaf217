"""Order lines that a supplier sends straight to the customer."""

from orders.services._cancelling import SentBySupplier
from orders.services.dropping._following import (
    addressees,
    hold_direct,
    keep_direct,
    promise_direct,
)

__all__ = ["SentBySupplier", "addressees", "hold_direct", "keep_direct", "promise_direct"]

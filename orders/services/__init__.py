"""Everything that changes customers and orders."""

from orders.services._allocating import AllocatedOrders
from orders.services._capturing import Captured, CreatedOrder, LineDraft, OrderDraft
from orders.services._mastering import AccountRow, CustomerRow, PriceRow, ShipToRow
from orders.services._settling import (
    BilledAccount,
    CashChange,
    InvoicedLine,
    Overdue,
    ShippedAmount,
)
from orders.services._submitting import Submitted

__all__ = [
    "AccountRow",
    "AllocatedOrders",
    "BilledAccount",
    "Captured",
    "CashChange",
    "CreatedOrder",
    "CustomerRow",
    "InvoicedLine",
    "LineDraft",
    "OrderDraft",
    "Overdue",
    "PriceRow",
    "ShipToRow",
    "ShippedAmount",
    "Submitted",
]

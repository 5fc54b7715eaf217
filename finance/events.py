"""Facts that finance tells the other apps. Amounts are decimals as text, in `currency`."""

from dataclasses import dataclass
from typing import ClassVar

from erp.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePosted(Event):
    """A customer owes for a shipment."""

    name: ClassVar[str] = "finance.invoice_posted"
    invoice_id: int
    number: str
    entity_id: int
    order_id: int
    total: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(Event):
    """Nothing is owed on an invoice any more."""

    name: ClassVar[str] = "finance.invoice_paid"
    invoice_id: int
    number: str
    entity_id: int
    order_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPosted(Event):
    """Cash came in from a customer."""

    name: ClassVar[str] = "finance.payment_posted"
    payment_id: int
    number: str
    entity_id: int
    customer_id: int
    amount: str
    currency: str

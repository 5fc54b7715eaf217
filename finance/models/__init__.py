from finance.models.group import ExchangeRate, GroupSale
from finance.models.invoice import Invoice, InvoiceLine, Payment, PaymentAllocation
from finance.models.ledger import Account, JournalEntry, JournalLine, Period

__all__ = [
    "Account",
    "ExchangeRate",
    "GroupSale",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "JournalLine",
    "Payment",
    "PaymentAllocation",
    "Period",
]

"""The resources of finance, and those of shipments and receiving."""

from finance.api.views._corrections import AdjustmentViewSet
from finance.api.views._costs import LateCostViewSet
from finance.api.views._counts import CountViewSet
from finance.api.views._floor import ReceivingViewSet, ShipmentViewSet
from finance.api.views._ledger import (
    AccountViewSet,
    JournalEntryViewSet,
    PeriodViewSet,
    TrialBalanceViewSet,
)
from finance.api.views._money import InvoiceViewSet, PaymentViewSet
from finance.api.views._transfers import TransferViewSet

__all__ = [
    "AccountViewSet",
    "AdjustmentViewSet",
    "CountViewSet",
    "InvoiceViewSet",
    "JournalEntryViewSet",
    "LateCostViewSet",
    "PaymentViewSet",
    "PeriodViewSet",
    "ReceivingViewSet",
    "ShipmentViewSet",
    "TransferViewSet",
    "TrialBalanceViewSet",
]

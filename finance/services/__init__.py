"""Everything that changes the ledger, invoices and payments, or moves stock and money at once."""

from finance.services._adjusting import adjust_stock
from finance.services._ageing import close_orders_paid, note_overdue
from finance.services._applying import NothingToApply, UnknownPayment, allocate_payment
from finance.services._books import (
    PeriodHasBlockers,
    UnknownPeriod,
    close_period,
    open_all_books,
    open_books,
    reopen_period,
    soft_close_period,
)
from finance.services._converting import BadRate, NoRate, RateRow, save_rates
from finance.services._correcting import PostedCorrection, post_correction
from finance.services._counting import PostedCount, post_count
from finance.services._dropping import (
    NotSentStraight,
    SentDirectly,
    confirm_direct_shipment,
)
from finance.services._invoicing import Invoiced, invoice_shipments
from finance.services._landing import post_late_costs
from finance.services._paying import (
    BadPayment,
    NoAccount,
    PaymentDraft,
    PostedPayment,
    ReferenceTaken,
    post_payment,
    post_payments,
)
from finance.services._posting import (
    AlreadyPosted,
    BooksNotOpen,
    ForeignCurrency,
    NotBalanced,
    NotByHand,
    PeriodClosed,
    UnknownEntry,
    reverse_entry,
    write_entry,
)
from finance.services._printing import (
    invoice_pdf,
    packing_slip_pdf,
    shipment_labels,
)
from finance.services._receiving import (
    LotOnGoods,
    Received,
    SentStraight,
    receive_purchase_order,
)
from finance.services._settling import OverAllocated, UnknownInvoice
from finance.services._shipping import Shipped, ship_shipments
from finance.services._transferring import (
    NegativeMarkup,
    ReceivedTransfer,
    receive_transfer,
    ship_transfers,
)
from finance.services._voiding import void_shipment
from inventory.services import deliver_shipments

__all__ = [
    "AlreadyPosted",
    "BadPayment",
    "BadRate",
    "BooksNotOpen",
    "ForeignCurrency",
    "Invoiced",
    "LotOnGoods",
    "NegativeMarkup",
    "NoAccount",
    "NoRate",
    "NotBalanced",
    "NotByHand",
    "NotSentStraight",
    "NothingToApply",
    "OverAllocated",
    "PaymentDraft",
    "PeriodClosed",
    "PeriodHasBlockers",
    "PostedCorrection",
    "PostedCount",
    "PostedPayment",
    "RateRow",
    "Received",
    "ReceivedTransfer",
    "ReferenceTaken",
    "SentDirectly",
    "SentStraight",
    "Shipped",
    "UnknownEntry",
    "UnknownInvoice",
    "UnknownPayment",
    "UnknownPeriod",
    "adjust_stock",
    "allocate_payment",
    "close_orders_paid",
    "close_period",
    "confirm_direct_shipment",
    "deliver_shipments",
    "invoice_pdf",
    "invoice_shipments",
    "note_overdue",
    "open_all_books",
    "open_books",
    "packing_slip_pdf",
    "post_correction",
    "post_count",
    "post_late_costs",
    "post_payment",
    "post_payments",
    "receive_purchase_order",
    "receive_transfer",
    "reopen_period",
    "reverse_entry",
    "save_rates",
    "ship_shipments",
    "ship_transfers",
    "shipment_labels",
    "soft_close_period",
    "void_shipment",
    "write_entry",
]

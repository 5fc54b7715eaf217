"""Follows what finance posts: goods that left, invoices, cash."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ShippedAmount:
    """What one shipped line is worth in the order's currency.

    `amount` is whole cents, cut so that all shipments of an order sum to its rounded subtotal: post
    this. `exact` is the same to a hundredth of a cent, before rounding.
    """

    shipment_line_id: int
    order_id: int
    order_line_id: int
    account_id: int
    currency: str
    amount: Decimal
    exact: Decimal


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """So much of one order line is invoiced now, in base units."""

    order_line_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BilledAccount:
    """By how much invoicing lowers what is unbilled and raises what is owed (incl. freight)."""

    account_id: int
    unbilled: Decimal
    receivable: Decimal


@dataclass(frozen=True, slots=True)
class CashChange:
    """Cash against one account: `receivable` falls by so much, `unapplied` changes by so much."""

    account_id: int
    receivable: Decimal
    unapplied: Decimal


@dataclass(frozen=True, slots=True)
class Overdue:
    """What an account owes past its due date today, and since when; none: nothing is overdue."""

    account_id: int
    amount: Decimal
    since: date | None

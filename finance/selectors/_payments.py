"""Payments as the screens show them, and what customers still owe."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records, rows

PAYMENTS = """
    SELECT p.id, p.number, p.reference, p.received_date, p.currency, p.amount, p.unapplied,
           p.amount - p.unapplied AS applied, p.posted_at, c.code AS customer_code,
           c.name AS customer, e.code AS entity,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS posted_by
    FROM finance_payment p
    JOIN orders_customer c ON c.id = p.customer_id
    JOIN accounts_entity e ON e.id = p.entity_id
    LEFT JOIN accounts_user u ON u.id = p.posted_by_id
    WHERE p.entity_id = ANY(%(entities)s) {narrowed}
    ORDER BY p.id DESC
    LIMIT %(limit)s
"""

APPLIED_TO = """
    SELECT i.number, o.number AS order_number, a.amount, i.total, i.state, a.at
    FROM finance_paymentallocation a
    JOIN finance_invoice i ON i.id = a.invoice_id
    JOIN orders_order o ON o.id = i.order_id
    WHERE a.payment_id = %(payment)s
    ORDER BY a.id
"""

OPEN_OF = """
    SELECT i.number, o.number AS order_number, i.invoice_date, i.due_date, i.total,
           i.total - i.paid AS open, i.currency
    FROM finance_invoice i
    JOIN orders_order o ON o.id = i.order_id
    WHERE i.entity_id = ANY(%(entities)s) AND i.customer_id = %(customer)s
      AND i.state IN ('posted', 'partly_paid')
    ORDER BY i.due_date, i.id
    LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment; `applied` is on invoices, `unapplied` is not yet."""

    id: int
    number: str
    reference: str
    received_date: date
    currency: str
    amount: Decimal
    unapplied: Decimal
    applied: Decimal
    posted_at: datetime
    customer_code: str
    customer: str
    entity: str
    posted_by: str


@dataclass(frozen=True, slots=True)
class AppliedTo:
    """So much of the payment on one invoice."""

    number: str
    order_number: str
    amount: Decimal
    total: Decimal
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """What a customer still owes on one invoice."""

    number: str
    order_number: str
    invoice_date: date
    due_date: date
    total: Decimal
    open: Decimal
    currency: str


def payment_board(
    *,
    entity_ids: Collection[int],
    unapplied: bool = False,
    customer: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 100,
) -> list[PaymentRow]:
    """Return payments, newest first, `after` an id. `text` begins a number or is the reference."""
    narrowed = []
    if unapplied:
        narrowed.append("AND p.unapplied > 0")
    if customer:
        narrowed.append("AND c.code = %(customer)s")
    if text:
        narrowed.append("AND (p.number LIKE %(starts)s OR p.reference = %(text)s)")
    if after is not None:
        narrowed.append("AND p.id < %(after)s")
    found = records(
        PAYMENTS.format(narrowed=" ".join(narrowed)),
        {
            "entities": sorted(entity_ids),
            "customer": customer,
            "text": text,
            "starts": f"{text.upper().replace('%', '').replace('_', '')}%",
            "after": after,
            "limit": limit,
        },
    )
    return [PaymentRow(**row) for row in found]


def payment(
    *, number: str, entity_ids: Collection[int]
) -> tuple[PaymentRow, list[AppliedTo]] | None:
    """Return a payment and where its cash is, or None. Two queries."""
    statement = PAYMENTS.format(narrowed="AND p.number = %(number)s")
    found = records(statement, {"entities": sorted(entity_ids), "number": number, "limit": 1})
    if not found:
        return None
    row = PaymentRow(**found[0])
    return row, [AppliedTo(**each) for each in records(APPLIED_TO, {"payment": row.id})]


def open_invoices(
    *, customer_id: int, entity_ids: Collection[int], limit: int = 200
) -> list[OpenInvoice]:
    """Return what a customer owes, the oldest due first."""
    params = {"entities": sorted(entity_ids), "customer": customer_id, "limit": limit}
    return [OpenInvoice(**row) for row in records(OPEN_OF, params)]


def payer(*, code: str, entity_ids: Collection[int]) -> int | None:
    """Return the id of the customer `code`, if they have an account with one of the entities."""
    statement = """
        SELECT c.id FROM orders_customer c
        WHERE c.code = %s AND EXISTS (
            SELECT FROM orders_creditaccount a
            WHERE a.customer_id = c.id AND a.entity_id = ANY(%s))"""
    found = rows(statement, [code, sorted(entity_ids)])
    return int(found[0][0]) if found else None


def payers(*, entity_ids: Collection[int], limit: int = 500) -> list[tuple[str, str]]:
    """Return (code, name) of customers who owe something, or have cash left, most owed first."""
    statement = """
        SELECT c.code, c.name FROM orders_creditaccount a
        JOIN orders_customer c ON c.id = a.customer_id
        WHERE a.entity_id = ANY(%s) AND (a.receivable > 0 OR a.unapplied > 0)
        GROUP BY c.id ORDER BY sum(a.receivable) DESC, c.code LIMIT %s"""
    return [(code, name) for code, name in rows(statement, [sorted(entity_ids), limit])]

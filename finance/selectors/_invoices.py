"""Invoices and payments as the screens show them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.kernel.sql import records, rows

OVERDUE = "overdue"  # a filter, not a state: open and past its due date

BOARD = """
    SELECT i.id, i.number, i.state, i.currency, i.invoice_date, i.due_date, i.total, i.paid,
           i.total - i.paid AS open, c.code AS customer_code, c.name AS customer,
           o.number AS order_number, s.number AS shipment_number, e.code AS entity,
           CASE WHEN i.state IN ('posted', 'partly_paid') AND i.due_date < day.today
                THEN day.today - i.due_date ELSE 0 END AS days_overdue
    FROM finance_invoice i
    JOIN orders_customer c ON c.id = i.customer_id
    JOIN orders_order o ON o.id = i.order_id
    JOIN inventory_shipment s ON s.id = i.shipment_id
    JOIN accounts_entity e ON e.id = i.entity_id
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE e.time_zone)::date AS today) AS day
    WHERE i.entity_id = ANY(%(entities)s) {narrowed}
    ORDER BY i.id DESC
    LIMIT %(limit)s
"""

# By number of the invoice or of its order, each by its own index.
NAMED = """
    AND i.id IN (
        SELECT id FROM finance_invoice WHERE number LIKE %(text)s
        UNION ALL
        SELECT f.id FROM orders_order o JOIN finance_invoice f ON f.order_id = o.id
        WHERE o.number LIKE %(text)s
    )
"""

HEAD = """
    SELECT i.id, i.number, i.state, i.currency, i.invoice_date, i.due_date, i.net, i.freight, i.tax,
           i.total, i.paid, i.total - i.paid AS open, i.created_at, i.posted_at, i.paid_at,
           c.code AS customer_code, c.name AS customer, c.address AS customer_address,
           c.city AS customer_city, c.region AS customer_region,
           c.postal_code AS customer_postal_code, c.country AS customer_country,
           c.tax_id AS customer_tax_id,
           o.id AS order_id, o.number AS order_number, o.customer_po, o.ship_to,
           s.number AS shipment_number, s.shipped_at, s.tracking_number,
           a.terms_days, e.id AS entity_id, e.code AS entity, e.name AS entity_name,
           e.country AS entity_country,
           CASE WHEN i.state IN ('posted', 'partly_paid')
                 AND i.due_date < (now() AT TIME ZONE e.time_zone)::date
                THEN (now() AT TIME ZONE e.time_zone)::date - i.due_date ELSE 0 END AS days_overdue
    FROM finance_invoice i
    JOIN orders_customer c ON c.id = i.customer_id
    JOIN orders_creditaccount a ON a.id = i.account_id
    JOIN orders_order o ON o.id = i.order_id
    JOIN inventory_shipment s ON s.id = i.shipment_id
    JOIN accounts_entity e ON e.id = i.entity_id
    WHERE i.entity_id = ANY(%(entities)s) AND {by}
"""

LINES = """
    SELECT o.position, p.code AS product_code, p.name AS product, p.base_uom AS uom, l.quantity,
           l.unit_price, l.discount, l.amount, o.kit_id
    FROM finance_invoiceline l
    JOIN orders_orderline o ON o.id = l.order_line_id
    JOIN inventory_product p ON p.id = l.product_id
    WHERE l.invoice_id = %(invoice)s
    ORDER BY o.position, l.id
"""

# A kit is invoiced as many times as its parts left together.
KITS = """
    SELECT k.id, min(o.position) AS position, p.code AS product_code, p.name AS product,
           p.base_uom AS uom, min(part.quantity / o.per_kit) AS quantity, k.unit_price, k.discount,
           sum(part.amount) AS amount
    FROM (SELECT order_line_id, sum(quantity) AS quantity, sum(amount) AS amount
          FROM finance_invoiceline WHERE invoice_id = %(invoice)s GROUP BY order_line_id) AS part
    JOIN orders_orderline o ON o.id = part.order_line_id
    JOIN orders_kitline k ON k.id = o.kit_id
    JOIN inventory_product p ON p.id = k.product_id
    GROUP BY k.id, p.id
    ORDER BY position
"""

PAID_BY = """
    SELECT p.number, p.reference, p.received_date, p.amount AS payment_amount, a.amount, a.at
    FROM finance_paymentallocation a JOIN finance_payment p ON p.id = a.payment_id
    WHERE a.invoice_id = %(invoice)s
    ORDER BY a.id
"""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One line of the invoice board; `number` is None until posted. Amounts in `currency`."""

    id: int
    number: str | None
    state: str
    currency: str
    invoice_date: date
    due_date: date
    total: Decimal
    paid: Decimal
    open: Decimal
    customer_code: str
    customer: str
    order_number: str
    shipment_number: str
    entity: str
    days_overdue: int


@dataclass(frozen=True, slots=True)
class InvoiceLineRow:
    """One line of an invoice, in base units and whole cents."""

    position: int
    product_code: str
    product: str
    uom: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    amount: Decimal
    kit_id: int | None = None


@dataclass(frozen=True, slots=True)
class InvoiceKit:
    """A kit on an invoice: what was asked for, at its price; `amount` is its components' sum."""

    id: int
    position: int
    product_code: str
    product: str
    uom: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One row as the customer reads it: a line, a kit, or a component of one (without a price)."""

    row: InvoiceLineRow | InvoiceKit
    is_component: bool


@dataclass(frozen=True, slots=True)
class PaidBy:
    """So much of one payment on the invoice."""

    number: str
    reference: str
    received_date: date
    payment_amount: Decimal
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One invoice with everything its page and its PDF print."""

    id: int
    number: str | None
    state: str
    currency: str
    invoice_date: date
    due_date: date
    net: Decimal
    freight: Decimal
    tax: Decimal
    total: Decimal
    paid: Decimal
    open: Decimal
    created_at: datetime
    posted_at: datetime | None
    paid_at: datetime | None
    customer_code: str
    customer: str
    customer_address: str
    customer_city: str
    customer_region: str
    customer_postal_code: str
    customer_country: str
    customer_tax_id: str
    order_id: int
    order_number: str
    customer_po: str
    ship_to: dict[str, Any]
    shipment_number: str
    shipped_at: datetime | None
    tracking_number: str
    terms_days: int
    entity_id: int
    entity: str
    entity_name: str
    entity_country: str
    days_overdue: int
    lines: Sequence[InvoiceLineRow]
    kits: Sequence[InvoiceKit]
    payments: Sequence[PaidBy]

    @property
    def printed(self) -> list[PrintedRow]:
        """The lines as the customer reads them: each kit with its price, its components beneath."""
        kits = {kit.id: kit for kit in self.kits}
        printed: list[PrintedRow] = []
        for line in self.lines:
            kit = kits.pop(line.kit_id, None) if line.kit_id else None
            if kit is not None:
                printed.append(PrintedRow(kit, is_component=False))
            printed.append(PrintedRow(line, is_component=line.kit_id is not None))
        return printed


def invoice_board(
    *,
    entity_ids: Collection[int],
    state: str = "",
    customer: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 100,
) -> list[InvoiceRow]:
    """Return invoices, newest first, `after` an id. Without a state the drafts are left out.

    `state` may be "overdue"; `customer` is a code; `text` begins a number. One query.
    """
    narrowed = [
        "AND i.state IN ('posted', 'partly_paid') AND i.due_date < day.today"
        if state == OVERDUE
        else "AND i.state = %(state)s"
        if state
        else "AND i.state <> 'draft'"
    ]
    if customer:
        narrowed.append("AND c.code = %(customer)s")
    if text:
        narrowed.append(NAMED)
    if after is not None:
        narrowed.append("AND i.id < %(after)s")
    found = records(
        BOARD.format(narrowed=" ".join(narrowed)),
        {
            "entities": sorted(entity_ids),
            "state": state,
            "customer": customer,
            "text": f"{text.upper().replace('%', '').replace('_', '')}%",
            "after": after,
            "limit": limit,
        },
    )
    return [InvoiceRow(**row) for row in found]


def invoice(*, number: str, entity_ids: Collection[int]) -> InvoicePage | None:
    """Return a posted invoice by its number, or None. Four queries."""
    return _page("i.number = %(key)s", number, entity_ids)


def invoice_by_id(*, invoice_id: int, entity_ids: Collection[int]) -> InvoicePage | None:
    """Return an invoice, posted or not, by its id, or None. Four queries."""
    return _page("i.id = %(key)s", invoice_id, entity_ids)


def invoices_of_order(*, order_id: int, entity_ids: Collection[int]) -> list[InvoiceRow]:
    """Return the invoices of an order, drafts too, oldest first."""
    statement = BOARD.format(narrowed="AND i.order_id = %(order)s")
    found = records(statement, {"entities": sorted(entity_ids), "order": order_id, "limit": 500})
    return [InvoiceRow(**row) for row in reversed(found)]


def find(*, entity_ids: Collection[int], text: str, limit: int = 5) -> list[InvoiceRow]:
    """Return posted invoices whose number, or whose order's, begins with `text`."""
    return invoice_board(entity_ids=entity_ids, text=text, limit=limit)


def waiting_count(*, entity_ids: Collection[int], user: object = None) -> int:
    """Return how many invoices are overdue."""
    statement = """
        SELECT count(*) FROM finance_invoice i
        WHERE i.entity_id = ANY(%s) AND i.state IN ('posted', 'partly_paid')
          AND i.due_date < current_date"""
    return int(rows(statement, [sorted(entity_ids)])[0][0])


def _page(by: str, key: str | int, entity_ids: Collection[int]) -> InvoicePage | None:
    found = records(HEAD.format(by=by), {"entities": sorted(entity_ids), "key": key})
    if not found:
        return None
    params = {"invoice": found[0]["id"]}
    return InvoicePage(
        **found[0] | {"ship_to": json.loads(found[0]["ship_to"])},
        lines=[InvoiceLineRow(**row) for row in records(LINES, params)],
        kits=[InvoiceKit(**row) for row in records(KITS, params)],
        payments=[PaidBy(**row) for row in records(PAID_BY, params)],
    )

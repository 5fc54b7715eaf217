"""Quotes: the list, one with its lines, and what was ordered from it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from erp.kernel.sql import records
from orders.models import Quote


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """One quote in the list; `ordered` is the share (0 to 1) of its quantities that was ordered."""

    id: int
    number: str
    state: str
    entity: str
    customer: str
    customer_code: str
    customer_po: str
    valid_until: date
    total: Decimal
    currency: str
    ordered: Decimal
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QuoteLineRow:
    """One line; quantities in the base unit `uom`, money in the quote's currency."""

    id: int
    position: int
    product: str
    name: str
    uom: str
    sold_uom: str
    sold_quantity: Decimal
    quantity: Decimal
    ordered: Decimal
    unit_price: Decimal
    price_source: str
    discount: Decimal
    amount: Decimal

    @property
    def left(self) -> Decimal:
        return self.quantity - self.ordered


@dataclass(frozen=True, slots=True)
class QuotePage:
    """One quote with all that its page and its PDF show. `thread` is its story in the audit."""

    id: int
    number: str
    root_id: int
    version: int
    state: str
    entity_id: int
    entity: str
    entity_name: str
    entity_country: str
    customer_id: int
    customer: str
    customer_code: str
    account_id: int
    customer_po: str
    currency: str
    valid_until: date
    requested_date: date | None
    ship_to: Mapping[str, str]
    note: str
    freight: Decimal
    subtotal: Decimal
    total: Decimal
    created_at: datetime
    created_by: str
    sent_at: datetime | None
    answered_at: datetime | None
    decline_reason: str
    lines: list[QuoteLineRow]
    orders: list[dict[str, Any]]
    versions: list[dict[str, Any]]

    @property
    def thread(self) -> str:
        return f"orders.quote:{self.root_id}"

    @property
    def may_be_ordered(self) -> bool:
        return self.state in {"sent", "accepted"}


BOARD = """
    SELECT q.id, q.number, q.state, e.code AS entity, c.name AS customer, c.code AS customer_code,
           q.customer_po, q.valid_until, q.total, q.currency,
           coalesce((SELECT round(sum(l.ordered) / sum(l.quantity), 4) FROM orders_quoteline l
                     WHERE l.quote_id = q.id), 0) AS ordered,
           q.created_at
    FROM orders_quote q
    JOIN orders_customer c ON c.id = q.customer_id
    JOIN accounts_entity e ON e.id = q.entity_id
    WHERE q.entity_id = ANY(%(entities)s) AND q.id < %(after)s
      AND CASE WHEN %(state)s = '' THEN q.state <> 'superseded' ELSE q.state = %(state)s END
      AND (%(text)s = '' OR q.number LIKE %(starts)s OR q.customer_po = %(text)s
           OR upper(c.name) LIKE %(starts)s OR upper(c.code) LIKE %(starts)s)
    ORDER BY q.id DESC LIMIT %(limit)s
"""

HEAD = """
    SELECT q.id, q.number, coalesce(q.root_id, q.id) AS root_id, q.version, q.state, q.entity_id,
           e.code AS entity, e.name AS entity_name, e.country AS entity_country, q.customer_id,
           c.name AS customer, c.code AS customer_code, q.account_id, q.customer_po, q.currency,
           q.valid_until, q.requested_date, q.ship_to, q.note, q.freight, q.subtotal, q.total,
           q.created_at,
           coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username, '')
               AS created_by,
           q.sent_at, q.answered_at, q.decline_reason
    FROM orders_quote q
    JOIN orders_customer c ON c.id = q.customer_id
    JOIN accounts_entity e ON e.id = q.entity_id
    LEFT JOIN accounts_user u ON u.id = q.created_by_id
    WHERE q.number = %(number)s AND q.entity_id = ANY(%(entities)s)
"""

LINES = """
    SELECT l.id, l.position, p.code AS product, p.name, p.base_uom AS uom, l.uom AS sold_uom,
           l.uom_quantity AS sold_quantity, l.quantity, l.ordered, l.unit_price, l.price_source,
           l.discount, l.amount
    FROM orders_quoteline l JOIN inventory_product p ON p.id = l.product_id
    WHERE l.quote_id = %(quote)s
    ORDER BY l.position
"""

ORDERS = """
    SELECT DISTINCT o.id, o.number, o.state, o.total, o.currency
    FROM orders_order o
    WHERE o.id IN (
        SELECT l.order_id FROM orders_orderline l JOIN orders_quoteline q ON q.id = l.quote_line_id
        WHERE q.quote_id = %(quote)s
        UNION
        SELECT k.order_id FROM orders_kitline k JOIN orders_quoteline q ON q.id = k.quote_line_id
        WHERE q.quote_id = %(quote)s
    )
    ORDER BY o.id
"""

VERSIONS = """
    SELECT number, state, total FROM orders_quote
    WHERE (id = %(root)s OR root_id = %(root)s) AND id <> %(quote)s ORDER BY version
"""
NEWEST = 2**63 - 1


def quote_board(
    *, entity_ids: Collection[int], state: str = "", text: str = "", after: str = "", limit: int
) -> tuple[list[QuoteRow], str]:
    """Return a page of quotes, the newest first, and the cursor of what follows (empty: no more).

    Without a state those are left out that a later version superseded.
    """
    text = " ".join(text.replace("\0", " ").split())[:80]
    plain = text.upper().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    params = {
        "entities": sorted(entity_ids),
        "state": state,
        "text": text,
        "starts": f"{plain}%",
        "after": int(after) if after.isdecimal() and len(after) < len(str(NEWEST)) else NEWEST,
        "limit": limit + 1,
    }
    found = [QuoteRow(**row) for row in records(BOARD, params)]
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else ""


def quote_page(*, number: str, entity_ids: Collection[int]) -> QuotePage | None:
    """Return the quote of that number if it is one of `entity_ids`'; four queries."""
    if "\0" in number:
        return None
    found = records(HEAD, {"number": number, "entities": sorted(entity_ids)})
    if not found:
        return None
    head = found[0] | {"ship_to": json.loads(found[0]["ship_to"])}
    asked = {"quote": head["id"], "root": head["root_id"]}
    return QuotePage(
        **head,
        lines=[QuoteLineRow(**row) for row in records(LINES, asked)],
        orders=records(ORDERS, asked),
        versions=records(VERSIONS, asked),
    )


def quote_list(*, entity_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Return the quotes of these entities as plain rows, for the API to narrow and page."""
    return (
        Quote.objects.filter(entity_id__in=entity_ids)
        .values(
            "id", "number", "version", "state", "customer_po", "currency", "total", "valid_until",
            "created_at", entity_code=F("entity__code"), customer_code=F("customer__code"),
        )
        .order_by("-id")
    )  # fmt: skip


def quotes_of_order(*, order_id: int) -> list[dict[str, Any]]:
    """Return the quotes from which an order took."""
    statement = """
        SELECT DISTINCT q.number, q.state, q.total, q.currency FROM orders_quote q
        JOIN orders_quoteline l ON l.quote_id = q.id
        WHERE l.id IN (
            SELECT quote_line_id FROM orders_orderline WHERE order_id = %(order)s
            UNION SELECT quote_line_id FROM orders_kitline WHERE order_id = %(order)s
        )
        ORDER BY q.number
    """
    return records(statement, {"order": order_id})

"""The papers of one order, whoever wrote them."""

from collections.abc import Collection
from typing import Any

from erp.governance.selectors import timeline
from erp.kernel.sql import rows
from orders.selectors._blankets import blankets_of_order
from orders.selectors._lists import shipments_of
from orders.selectors._quotes import quotes_of_order

ENTRIES_MAX = 1_000
INVOICED = "finance.post_invoice"


def documents_of(*, order_id: int, entity_ids: Collection[int]) -> list[dict[str, Any]]:
    """Return the quotes and blanket orders an order came from, its shipments and its invoices.

    Invoices are written above orders: what is known of them here is what finance wrote into the
    order's thread when it posted them.
    """
    entries = timeline(thread=f"orders.order:{order_id}", entity_ids=entity_ids, limit=ENTRIES_MAX)
    invoices = [
        {
            "kind": "invoice",
            "number": entry.after["number"],
            "state": entry.after["state"],
            "total": entry.after["total"],
            "currency": entry.after["currency"],
            "posted_at": entry.at,
        }
        for entry in reversed(entries)
        if entry.action == INVOICED and entry.after
    ]
    return [
        *({"kind": "quote", **each} for each in quotes_of_order(order_id=order_id)),
        *({"kind": "blanket_order", **each} for each in blankets_of_order(order_id=order_id)),
        *({"kind": "shipment", **each} for each in shipments_of(order_id=order_id)),
        *invoices,
    ]


def order_numbers(order_ids: Collection[int]) -> dict[int, str]:
    """Return what these orders are called; one that is gone is left out. One query."""
    found = rows("SELECT id, number FROM orders_order WHERE id = ANY(%s)", [list(order_ids)])
    return dict(found)

"""Measures how many days after the day they told suppliers come."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from erp.kernel.sql import rows
from inventory.services.promising import tell_paces

LATEST = 200  # deliveries of a supplier, of the last year

LATE = """
    SELECT o.supplier_id, late.days
    FROM (
        SELECT DISTINCT supplier_id FROM procurement_purchaseorder WHERE id = ANY(%(orders)s)
    ) AS o
    CROSS JOIN LATERAL (
        SELECT (r.received_at AT TIME ZONE n.time_zone)::date - l.expected_date AS days
        FROM procurement_purchaseorder p
        JOIN inventory_receipt r ON r.source_id = p.id AND r.source_kind = 'procurement.order'
        JOIN inventory_node n ON n.id = r.node_id
        JOIN inventory_receiptline c ON c.receipt_id = r.id
        JOIN procurement_purchaseorderline l ON l.id = c.source_line_id
        WHERE p.supplier_id = o.supplier_id
          AND r.received_at > %(now)s::timestamptz - interval '1 year'
        ORDER BY r.received_at DESC LIMIT %(latest)s
    ) AS late
"""


@transaction.atomic
def measure_paces(*, order_ids: Collection[int], now: datetime) -> int:
    """Measure again the suppliers of these orders, and tell inventory; return how many changed.

    Days are from the day last told for the line to the local day on which it came, over the last
    two hundred deliveries of a year. Two statements.
    """
    days: dict[int, list[int]] = {}
    asked = {"orders": sorted(set(order_ids)), "now": now, "latest": LATEST}
    for supplier_id, late in rows(LATE, asked):
        days.setdefault(supplier_id, []).append(late)
    return tell_paces(days_late=days, now=now)

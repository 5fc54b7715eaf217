"""Tells inventory what is on its way, in the commit that changes it."""

from erp.kernel.sql import rows
from inventory.services import ExpectedGoods, expect_goods
from procurement.models import PurchaseOrder

LINE = "procurement.line"
COMING = """
    SELECT l.id, o.entity_id, o.node_id, l.product_id,
           CASE WHEN o.state = ANY(%(incoming)s) THEN greatest(l.quantity - l.received, 0) ELSE 0
           END,
           l.expected_date, o.supplier_id, o.number
    FROM procurement_purchaseorderline l JOIN procurement_purchaseorder o ON o.id = l.order_id
    WHERE l.order_id = %(order)s AND l.demand_id IS NULL
    ORDER BY l.id
"""


def announce(order_id: int) -> None:
    """Note what of a purchase order is still to come, and when; nothing once it is over."""
    incoming = [str(state) for state in PurchaseOrder.INCOMING]
    names = (
        "source_id", "entity_id", "node_id", "product_id", "quantity", "expected_date",
        "supplier_id", "label",
    )  # fmt: skip
    goods = [
        ExpectedGoods(**dict(zip(names, row, strict=True)))
        for row in rows(COMING, {"order": order_id, "incoming": incoming})
    ]
    expect_goods(kind=LINE, goods=goods)

"""The chain of documents that a purchase order, or a supplier, belongs to."""

from collections.abc import Collection

from erp.governance.services import Act
from erp.kernel.sql import rows
from procurement.models import PurchaseOrder

SUPPLIERS = """
    SELECT s.id, s.code, s.name,
           ARRAY(SELECT 'procurement.order:' || o.id FROM procurement_purchaseorder o
                 WHERE o.supplier_id = s.id AND o.state NOT IN ('closed', 'cancelled')
                 ORDER BY o.id DESC LIMIT 1000)
    FROM procurement_supplier s WHERE s.code = ANY(%(codes)s) ORDER BY s.id
"""


def chain_of(order: PurchaseOrder) -> list[str]:
    """Return the stories behind a purchase order: its own, and its supplier's."""
    return [f"procurement.order:{order.pk}", f"procurement.supplier:{order.supplier_id}"]


def order_act(order: PurchaseOrder) -> Act:
    """Return what is about to be done to a purchase order, in its own currency."""
    return Act(
        entity_id=order.entity_id,
        kind="procurement.order",
        id=order.pk,
        label=order.number,
        threads=chain_of(order),
        amount=order.total,
        currency=order.currency,
    )


def supplier_acts(codes: Collection[str]) -> list[Act]:
    """Return the suppliers that are known, each with its open orders' stories. One query."""
    return [
        Act(
            entity_id=None,
            kind="procurement.supplier",
            id=pk,
            label=f"{code} {name}",
            threads=[f"procurement.supplier:{pk}", *threads],
        )
        for pk, code, name, threads in rows(SUPPLIERS, {"codes": list(codes)})
    ]

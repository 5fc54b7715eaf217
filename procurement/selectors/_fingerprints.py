"""What an approver agrees to, in short: another order has another fingerprint."""

import hashlib
from collections.abc import Collection, Mapping

from procurement.models import PurchaseOrder


def fingerprint_of(order: PurchaseOrder) -> str:
    """Return what an approver agrees to, in short: another order has another fingerprint."""
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    said = [order.supplier_id, order.node_id, order.currency, order.total.normalize()]
    parts = [
        "|".join(map(str, said)),
        *(
            "|".join(
                map(str, (each.product_id, each.quantity.normalize(), each.unit_price.normalize()))
            )
            for each in lines
        ),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def order_fingerprints(order_ids: Collection[int]) -> Mapping[int, str]:
    """Return what these orders are now; one that is not there is left out. Two queries."""
    found = PurchaseOrder.objects.filter(pk__in=order_ids).prefetch_related("lines")
    return {order.pk: fingerprint_of(order) for order in found}

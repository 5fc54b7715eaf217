"""Makes purchase orders that goods are expected of."""

from decimal import Decimal

from inventory.models import Product
from procurement.models import PurchaseOrder
from procurement.services import PurchaseLine, approve_order, send_order, submit_order, write_order
from tests.finance.factories import NOW, World
from tests.procurement.factories import make_person, make_supplier, serial


def sent_order(where: World, *lines: tuple[Product, str, str]) -> PurchaseOrder:
    """Write (product, quantity, price), have somebody else agree, and send it."""
    order = write_order(
        entity_id=where.entity.pk,
        supplier_id=make_supplier().pk,
        node_id=where.node.pk,
        lines=[
            PurchaseLine(p.pk, Decimal(quantity), Decimal(price)) for p, quantity, price in lines
        ],
        actor=None,
        now=NOW,
    )
    submit_order(order_id=order.pk, actor=None, now=NOW)
    if PurchaseOrder.objects.get(pk=order.pk).state == "pending":
        boss = make_person(
            f"boss{next(serial)}", where.entity, "procurement.approve_purchase_order"
        )
        approve_order(order_id=order.pk, actor=boss, now=NOW)
    return send_order(order_id=order.pk, actor=None, now=NOW)

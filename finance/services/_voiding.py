"""Taking back shipments that have not left."""

import json
from datetime import datetime

from django.db import transaction

from erp.accounts.models import User
from erp.kernel.sql import records
from inventory.services import PlannedShipment, ShipmentSource, plan_shipments
from inventory.services import void_shipment as void_stock
from orders.services import lock_orders

SOURCE = """
    SELECT o.id, o.number, o.entity_id, o.ship_to, s.carrier_id, o.promised_date
    FROM inventory_shipment s
    JOIN orders_order o ON o.id = s.source_id AND s.source_kind = 'orders.order'
    WHERE s.id = %s
"""


@transaction.atomic
def void_shipment(
    *, shipment_id: int, reason: str, actor: User | None, now: datetime
) -> list[PlannedShipment]:
    """Take a shipment back before it leaves, and plan its goods anew; return what was planned.

    Voiding again changes nothing. Locks the account and the order, then the shipment.

    Raises:
        Shipment.DoesNotExist: it is not there.
        ShipmentNotReady: it has left.
    """
    sources = records(SOURCE, [shipment_id])
    lock_orders(order_ids=[source["id"] for source in sources])
    demands = void_stock(shipment_id=shipment_id, reason=reason, actor=actor, now=now)
    wanted = [
        ShipmentSource(
            kind="orders.order",
            id=source["id"],
            number=source["number"],
            entity_id=source["entity_id"],
            ship_to=json.loads(source["ship_to"]),
            carrier_id=source["carrier_id"],
            promised_date=source["promised_date"],
            demand_kind="orders.line",
            demand_ids=sorted(demands),
        )
        for source in sources
        if demands
    ]
    return plan_shipments(orders=wanted, now=now) if wanted else []

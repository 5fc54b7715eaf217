"""Gives back what was kept."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.governance.services import record
from erp.kernel.sql import rows
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.events import ShipmentVoided
from inventory.models import Shipment
from inventory.services._standing import Standing, lock
from inventory.services._telling import received

REASON = "What it was for was released"

LIVE = """
    SELECT DISTINCT l.shipment_id
    FROM inventory_shipmentline l
    JOIN inventory_shipment sh ON sh.id = l.shipment_id
    WHERE l.demand_kind = %s AND l.demand_id = ANY(%s)
        AND sh.state IN ('planned', 'picked', 'packed')
"""

# What a picked or packed shipment holds stays reserved: it is off the shelf until that is voided.
RELEASE = """
    WITH stock AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id
        FROM inventory_stock s
        WHERE s.id IN (
            SELECT stock_id FROM inventory_reservation
            WHERE demand_kind = %(kind)s AND demand_id = ANY(%(demands)s) AND closed_at IS NULL
        )
        ORDER BY s.id
        FOR NO KEY UPDATE
    ), held AS MATERIALIZED (
        SELECT r.id, r.stock_id, r.demand_id, r.quantity
        FROM inventory_reservation r
        WHERE r.demand_kind = %(kind)s AND r.demand_id = ANY(%(demands)s) AND r.closed_at IS NULL
            AND r.stock_id IN (SELECT id FROM stock)
        ORDER BY r.id
        FOR NO KEY UPDATE
    ), off_the_shelf AS (
        SELECT l.demand_id, l.stock_id, sum(l.picked) AS quantity
        FROM inventory_shipmentline l
        JOIN inventory_shipment sh ON sh.id = l.shipment_id
        WHERE l.demand_kind = %(kind)s AND l.demand_id = ANY(%(demands)s)
            AND sh.state IN ('picked', 'packed')
        GROUP BY l.demand_id, l.stock_id
    ), free AS MATERIALIZED (
        SELECT held.id, held.stock_id, held.demand_id, held.quantity AS held,
            held.quantity - coalesce(off_the_shelf.quantity, 0) AS quantity
        FROM held
        LEFT JOIN off_the_shelf USING (stock_id, demand_id)
        WHERE held.quantity > coalesce(off_the_shelf.quantity, 0)
    ), closed AS (
        UPDATE inventory_reservation r
        SET quantity = CASE WHEN free.quantity = free.held THEN free.held
                ELSE free.held - free.quantity END,
            closed_at = CASE WHEN free.quantity = free.held THEN %(now)s::timestamptz END,
            closed_as = CASE WHEN free.quantity = free.held THEN 'released' ELSE '' END
        FROM free WHERE r.id = free.id
    ), balance AS (
        UPDATE inventory_stock s SET reserved = s.reserved - d.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM free GROUP BY stock_id) d
        WHERE s.id = d.stock_id
    ), dropped AS (
        DELETE FROM inventory_shipmentline l
        USING inventory_shipment sh
        WHERE sh.id = l.shipment_id AND sh.state = 'planned'
            AND l.demand_kind = %(kind)s AND l.demand_id = ANY(%(demands)s)
    )
    SELECT free.demand_id, free.quantity, stock.entity_id, stock.node_id, stock.product_id
    FROM free JOIN stock ON stock.id = free.stock_id
    ORDER BY free.id
"""

EMPTY = """
    SELECT sh.id FROM inventory_shipment sh
    WHERE sh.id = ANY(%s) AND sh.state = 'planned'
        AND NOT EXISTS (SELECT FROM inventory_shipmentline l WHERE l.shipment_id = sh.id)
"""


def void_empty(shipments: Sequence[Standing], reason: str, now: datetime) -> list[Standing]:
    """Void those of these locked shipments that are planned and hold no line any more."""
    empty = {row[0] for row in rows(EMPTY, [[s.id for s in shipments]])} if shipments else set()
    voided = [each for each in shipments if each.id in empty]
    move(Shipment, "void", [each.id for each in voided])
    record(
        changes=[each.change("void", reason=reason, state="void") for each in voided],
        actor=None,
        now=now,
    )
    return voided


@transaction.atomic
def release_reservations(
    *, demand_kind: str, demand_ids: Collection[int], now: datetime
) -> dict[int, Decimal]:
    """Give back what is kept for these demands; return how much, by demand.

    It also comes off planned shipments, and one with nothing left is voided. What was picked
    already stays: void that shipment first. Releasing again releases nothing. Locks shipments, then
    stock rows, each in id order.

    Publishes:
        ShipmentVoided
        StockReceived
    """
    if not demand_ids:
        return {}
    wanted = list(demand_ids)
    shipments = lock([row[0] for row in rows(LIVE, [demand_kind, wanted])])
    found = rows(RELEASE, {"kind": demand_kind, "demands": wanted, "now": now})
    voided = void_empty(shipments, REASON, now)
    given: dict[int, Decimal] = defaultdict(Decimal)
    freed: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for demand_id, quantity, *place in found:
        given[demand_id] += quantity
        freed[place[0], place[1], place[2]] += quantity
    publish_all(
        [
            *(ShipmentVoided(**each.facts(), reason=REASON) for each in voided),
            *received(freed),
        ]
    )
    return dict(given)

"""Lets what a supplier sent straight to a customer pass: it came and leaves in one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from django.db import transaction

from erp.accounts.models import Entity
from erp.governance.services import Change, record
from erp.kernel.sql import records, rows
from inventory.models import Node, Shipment
from inventory.services._planning import ShipmentSource
from inventory.services._shipping import Bought
from inventory.services.numbering._picking import SerialPick, pick_serials

if TYPE_CHECKING:
    from erp.accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedLine:
    """One line of a receipt that is all for one demand, and the pieces of it that have numbers."""

    receipt_line_id: int
    demand_id: int
    serials: Sequence[str] = ()


@transaction.atomic
def direct_node(*, entity_id: int) -> Node:
    """Return what passes for the place of an entity's goods on their way straight to customers.

    It is made where it lacks: never active, so that nothing else is ever kept or sought there.
    """
    found = Node.objects.filter(entity_id=entity_id, is_direct=True).first()
    if found is not None:
        return found
    entity = Entity.objects.get(pk=entity_id)
    made, _is_new = Node.objects.get_or_create(
        entity_id=entity_id,
        is_direct=True,
        defaults={
            "code": f"DROP-{entity.code}"[:20],
            "name": "Sent by the supplier",
            "country": entity.country,
            "time_zone": entity.time_zone,
            "is_active": False,
        },
    )
    return made


# The shelf of what came is empty but for it, and locked by whoever took it in.
THROUGH = """
    WITH came AS MATERIALIZED (
        SELECT line.id, line.product_id, line.quantity, line.value, s.id AS stock_id, p.demand_id,
            r.entity_id, r.node_id
        FROM unnest(%(receipt_lines)s::bigint[], %(demands)s::bigint[])
            AS p (receipt_line_id, demand_id)
        JOIN inventory_receiptline line ON line.id = p.receipt_line_id
        JOIN inventory_receipt r ON r.id = line.receipt_id
        JOIN inventory_stock s ON s.product_id = line.product_id AND s.node_id = r.node_id
            AND s.entity_id = r.entity_id AND s.status = line.status
            AND s.lot_id IS NOT DISTINCT FROM line.lot_id
    ), balance AS (
        UPDATE inventory_stock s SET reserved = s.reserved + d.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM came GROUP BY stock_id) d
        WHERE s.id = d.stock_id
    ), kept AS (
        INSERT INTO inventory_reservation
            (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
        SELECT stock_id, %(demand_kind)s, demand_id, quantity, %(now)s, '' FROM came
    ), shipment AS (
        INSERT INTO inventory_shipment (entity_id, node_id, source_kind, source_id, source_number,
            state, ship_to, planned_date, promised_date, created_at, picked_at, packed_at,
            tracking_number, cartons, weight, freight_cost, failure)
        SELECT DISTINCT came.entity_id, came.node_id, %(source_kind)s, %(source_id)s::bigint,
            %(source_number)s, %(state)s, %(ship_to)s::jsonb, %(today)s::date,
            %(promised)s::date, %(now)s::timestamptz, %(now)s::timestamptz, %(now)s::timestamptz,
            %(tracking)s, 0, 0, 0, ''
        FROM came
        RETURNING id, number, entity_id
    )
    INSERT INTO inventory_shipmentline AS l
        (shipment_id, demand_kind, demand_id, product_id, stock_id, quantity, picked, short_reason)
    SELECT shipment.id, %(demand_kind)s, came.demand_id, came.product_id, came.stock_id,
        came.quantity, came.quantity, ''
    FROM shipment, came ORDER BY came.id
    RETURNING l.id, l.shipment_id, l.demand_id, l.product_id,
        (SELECT number FROM shipment) AS number, (SELECT entity_id FROM shipment) AS entity_id
"""
WORTH = """
    SELECT line.id, line.value, layer.id AS layer_id
    FROM inventory_receiptline line
    LEFT JOIN inventory_costlayer layer
        ON layer.cause_kind = 'inventory.receiptline' AND layer.cause_id = line.id
        AND layer.product_id = line.product_id
    WHERE line.id = ANY(%(ids)s)
"""


@transaction.atomic
def pass_through(
    *,
    source: ShipmentSource,
    lines: Sequence[PassedLine],
    tracking: str,
    today: date,
    actor: "User | None",
    now: datetime,
) -> tuple[int, dict[int, Bought]]:
    """Keep what a supplier sent straight for whom it is, packed as it was; return its shipment.

    With what each of its lines cost: what was paid for it, not what lies on shelves. The caller has
    locked the documents and took the goods in at the entity's `direct_node`; it lets the shipment
    leave in the same commit, or the database refuses it. One line is for one demand.

    Raises:
        SerialsNeeded, BadSerial: the pieces are not those that came.
    """
    by_demand = {line.demand_id: line for line in lines}
    made = records(
        THROUGH,
        {
            "receipt_lines": [line.receipt_line_id for line in lines],
            "demands": [line.demand_id for line in lines],
            "demand_kind": source.demand_kind,
            "source_kind": source.kind,
            "source_id": source.id,
            "source_number": source.number,
            "ship_to": orjson.dumps(dict(source.ship_to)).decode(),
            "state": Shipment.State.PACKED,
            "today": today,
            "promised": source.promised_date,
            "tracking": tracking[:60],
            "now": now,
        },
    )
    shipment_id = int(made[0]["shipment_id"])
    pick_serials(
        [shipment_id],
        [
            SerialPick(line_id=row["id"], numbers=by_demand[row["demand_id"]].serials)
            for row in made
            if by_demand[row["demand_id"]].serials
        ],
        goes_to={},
        actor=actor,
        now=now,
    )
    record(changes=[_change(source, made[0])], actor=actor, now=now)
    return shipment_id, _bought(made, by_demand)


def _bought(
    made: Sequence[Mapping[str, Any]], by_demand: Mapping[int, PassedLine]
) -> dict[int, Bought]:
    ids = [line.receipt_line_id for line in by_demand.values()]
    worth: dict[int, tuple[Decimal, int | None]] = {
        row[0]: (row[1], row[2]) for row in rows(WORTH, {"ids": ids})
    }
    return {row["id"]: Bought(*worth[by_demand[row["demand_id"]].receipt_line_id]) for row in made}


def _change(source: ShipmentSource, made: Mapping[str, Any]) -> Change:
    return Change(
        entity_id=made["entity_id"],
        action="inventory.pass_through",
        subject_kind="inventory.shipment",
        subject_id=made["shipment_id"],
        thread=f"{source.kind}:{source.id}",
        after={"number": made["number"], "state": "packed", "by": "the supplier"},
    )

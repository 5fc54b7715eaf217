"""Lets shipments leave."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import transaction

from erp.governance.services import record
from erp.kernel.errors import DomainError
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from erp.kernel.states import sources_of, target_of
from erp.outbox.publishing import publish_all
from inventory.events import ShipmentShipped
from inventory.models import Shipment, StockMove
from inventory.rules import Draw, Layer, Pool, draw
from inventory.services._layering import layered
from inventory.services._posting import Movement, posting, posting_and
from inventory.services._standing import Standing, known, ready
from inventory.services.numbering._picking import ship_serials

if TYPE_CHECKING:
    from erp.accounts.models import User


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """What left for one demand line, in base units, and its cost in the entity's currency."""

    shipment_line_id: int
    shipment_id: int
    entity_id: int
    node_id: int
    demand_id: int
    product_id: int
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Bought:
    """What a shipment line costs that was bought for it alone: whole cents, and its own layer."""

    value: Decimal
    layer_id: int | None


BARRED = """
    SELECT p.code, l.code, l.block_reason
    FROM inventory_lot l JOIN inventory_product p ON p.id = l.product_id WHERE l.id = %s
"""


class LotStopped(DomainError):
    """What is to leave is of a lot that is blocked or was found expired."""

    code: ClassVar[str] = "lot_stopped"

    def __init__(self, product: str, lot: str, reason: str) -> None:
        why = f"is blocked: {reason}" if reason else "has expired"
        super().__init__(f"{product}: lot {lot} {why}. Void the shipment and pick another lot.")
        self.product, self.lot = product, lot


# Shipments are locked before the costs of what they hold, each in id order.
LOCK = Prepared("""
    WITH shipment AS MATERIALIZED (
        SELECT id, state, number, entity_id, node_id, source_kind, source_id
        FROM inventory_shipment WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
    ), line AS MATERIALIZED (
        SELECT l.id, l.shipment_id, shipment.entity_id, l.demand_id, l.product_id, l.stock_id,
            l.picked
        FROM inventory_shipmentline l
        JOIN shipment ON shipment.id = l.shipment_id
        WHERE shipment.state = ANY(%(sources)s) AND (l.picked > 0 OR l.picked IS NULL)
    ), cost AS MATERIALIZED (
        SELECT c.entity_id, c.product_id, c.quantity, c.value, c.method
        FROM inventory_productcost c
        WHERE (c.product_id, c.entity_id) IN (SELECT product_id, entity_id FROM line)
        ORDER BY c.id
        FOR NO KEY UPDATE
    )
    SELECT shipment.*, line.id, line.demand_id, line.product_id, line.stock_id, line.picked,
        cost.quantity, cost.value, cost.method
    FROM shipment
    LEFT JOIN line ON line.shipment_id = shipment.id
    LEFT JOIN cost ON cost.product_id = line.product_id AND cost.entity_id = line.entity_id
    ORDER BY line.id
""")

# A reservation of which only a part leaves is divided: the part is closed, the rest stays open.
SHIP = posting_and(
    """
    , left_for AS (
        SELECT demand_kind, demand_id, l.stock_id, sum(l.picked) AS quantity
        FROM inventory_shipmentline l
        WHERE l.id = ANY(%(lines)s)
        GROUP BY demand_kind, demand_id, l.stock_id
    ), served AS (
        UPDATE inventory_reservation r
        SET quantity = CASE
                WHEN r.quantity = d.quantity THEN r.quantity ELSE r.quantity - d.quantity END,
            closed_at = CASE WHEN r.quantity = d.quantity THEN %(now)s::timestamptz END,
            closed_as = CASE WHEN r.quantity = d.quantity THEN 'shipped' ELSE '' END
        FROM left_for d
        JOIN locked ON locked.id = d.stock_id
        WHERE r.stock_id = d.stock_id AND r.demand_id = d.demand_id
            AND r.demand_kind = d.demand_kind AND r.closed_at IS NULL
        RETURNING r.stock_id, r.demand_kind, r.demand_id, r.created_at, r.closed_at, d.quantity
    ), divided AS (
        INSERT INTO inventory_reservation (stock_id, demand_kind, demand_id, quantity, created_at,
            closed_at, closed_as)
        SELECT stock_id, demand_kind, demand_id, quantity, created_at, %(now)s, 'shipped'
        FROM served WHERE closed_at IS NULL
    ), priced AS (
        UPDATE inventory_shipmentline l SET cost = d.cost
        FROM unnest(%(lines)s::bigint[], %(costs)s::numeric[]) AS d (id, cost)
        WHERE l.id = d.id
    ), gone AS (
        UPDATE inventory_shipment s
        SET state = %(target)s, shipped_at = %(now)s, shipped_by_id = %(actor)s,
            tracking_number = CASE
                WHEN s.tracking_number = '' AND s.carrier_id IS NOT NULL
                THEN (SELECT c.code FROM inventory_carrier c WHERE c.id = s.carrier_id)
                    || lpad(s.id::text, 10, '0')
                ELSE s.tracking_number END
        WHERE s.id = ANY(%(shipments)s)
        RETURNING s.id
    )
    SELECT (SELECT sum(quantity) FROM served), (SELECT count(*) FROM gone),
        (SELECT min(lot_id) FROM locked WHERE is_barred), (SELECT bool_or(is_serial) FROM locked)
"""
)


@transaction.atomic
def ship_shipments(
    *,
    shipment_ids: Collection[int],
    actor: "User | None",
    now: datetime,
    bought: Mapping[int, Bought] | None = None,
) -> list[ShippedLine]:
    """Let packed shipments leave: stock, reservations, cost and the shipments change at once.

    Each line costs its share of the moving average, or what the oldest layers cost, in whole cents
    that sum to what the stock account loses; those that were `bought` for it (by line id) cost what
    was paid for them. Those that left before are passed over. Locks
    shipments, costs, then stock rows, each in id order. What is available does not change: it was
    reserved. Called by finance, which posts the ledger's side in the same commit.

    Raises:
        Shipment.DoesNotExist: one of them is not there.
        ShipmentNotReady: one of them is not packed.
        LotStopped: some of it is of a lot that is blocked or has expired.

    Publishes:
        ShipmentShipped
    """
    standing, found = _lock(shipment_ids)
    due = ready(standing, "ship")
    if not due:
        return []
    lines = _cost(found, bought or {})
    movements = [
        Movement(
            line.stock_id, -line.picked, -line.cost, line.id, released=line.picked, draws=line.draws
        )
        for line in lines
    ]
    params = posting(
        movements,
        kind=StockMove.Kind.SHIPMENT,
        cause_kind="inventory.shipmentline",
        actor=actor,
        now=now,
    ) | {
        "lines": [line.id for line in lines],
        "costs": [line.cost for line in lines],
        "target": target_of(Shipment, "ship"),
        "shipments": [each.id for each in due],
    }
    reserved, gone, barred, has_serials = rows(SHIP.of(params), params)[0]
    if barred:
        raise LotStopped(*rows(BARRED, [barred])[0])
    if (reserved, gone) != (sum(line.picked for line in lines), len(due)):
        raise RuntimeError("a shipment would leave without a reservation")  # undoes everything
    if has_serials:
        ship_serials([line.id for line in lines], actor=actor, now=now)
    record(changes=[each.change("ship", state="shipped") for each in due], actor=actor, now=now)
    publish_all([ShipmentShipped(**each.facts()) for each in due])
    by_id = {each.id: each for each in due}
    return [line.shipped(by_id[line.shipment_id]) for line in lines]


@dataclass(slots=True)
class _Line:
    id: int
    shipment_id: int
    entity_id: int
    demand_id: int
    product_id: int
    stock_id: int
    picked: Decimal
    pool: Pool
    cost: Decimal = Decimal(0)
    draws: Sequence[Draw] = ()

    def shipped(self, shipment: Standing) -> ShippedLine:
        return ShippedLine(
            self.id,
            self.shipment_id,
            self.entity_id,
            shipment.node_id,
            self.demand_id,
            self.product_id,
            self.picked,
            self.cost,
        )


def _lock(shipment_ids: Collection[int]) -> tuple[list[Standing], list[_Line]]:
    params = {"ids": list(shipment_ids), "sources": sources_of(Shipment, "ship")}
    found = rows(LOCK, params)
    if any(row[7] is not None and row[11] is None for row in found):
        found = rows(LOCK, params)  # it was picked while we waited for the lock, which we now hold
    standing = {row[0]: Standing(*row[:7]) for row in found}
    return known(list(standing.values()), shipment_ids), _lines(found)


def _lines(found: Sequence[tuple[Any, ...]]) -> list[_Line]:
    lines = [row for row in found if row[7] is not None]
    pools = layered(
        {(row[3], row[9]): Pool(row[12], row[13]) for row in lines},
        {(row[3], row[9]): row[14] for row in lines},
    )
    return [
        _Line(row[7], row[0], row[3], row[8], row[9], row[10], row[11], pools[row[3], row[9]])
        for row in lines
    ]


def _cost(lines: list[_Line], bought: Mapping[int, Bought]) -> list[_Line]:
    """Set each line's cost: those of one company's product come out of its pool in line order."""
    pools: dict[tuple[int, int], list[_Line]] = defaultdict(list)
    for line in lines:
        own = bought.get(line.id)
        if own is None:
            pools[line.entity_id, line.product_id].append(line)
            continue
        line.cost = own.value
        if own.layer_id is not None:
            layer = Layer(own.layer_id, line.picked, own.value)
            line.draws = [Draw(layer, line.picked, own.value)]
    for sharing in pools.values():
        issues = draw(sharing[0].pool, [line.picked for line in sharing])
        for line, issued in zip(sharing, issues, strict=True):
            line.cost, line.draws = issued.cost, issued.draws
    return lines

"""Plans shipments for what is reserved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import ShipmentPlanned
from inventory.models import Shipment
from inventory.rules import leaves_on
from inventory.selectors import calendars


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentSource:
    """The document whose reservations are to leave, and where they go. `kind` is `orders.order`.

    Without a carrier the cheapest active one that charges in the company's currency is taken.
    """

    kind: str
    id: int
    number: str
    entity_id: int
    ship_to: Mapping[str, Any]
    carrier_id: int | None
    promised_date: date | None
    demand_kind: str
    demand_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class PlannedShipment:
    """A shipment that now waits to be picked at its node."""

    id: int
    number: str
    source_id: int
    node_id: int


UNPLANNED = Prepared("""
    SELECT d.source, r.demand_id, r.stock_id, s.product_id, s.node_id,
        r.quantity - coalesce(planned.quantity, 0), n.time_zone, coalesce(w.cutoff, n.cutoff),
        n.handling_days, n.calendar_id
    FROM unnest(%(sources)s::int[], %(kinds)s::text[], %(demands)s::bigint[])
        AS d (source, kind, id)
    JOIN inventory_reservation r
        ON r.demand_id = d.id AND r.demand_kind = d.kind AND r.closed_at IS NULL
    JOIN inventory_stock s ON s.id = r.stock_id
    JOIN inventory_node n ON n.id = s.node_id
    LEFT JOIN inventory_calendar w ON w.id = n.calendar_id
    LEFT JOIN LATERAL (
        SELECT sum(coalesce(l.picked, l.quantity)) AS quantity
        FROM inventory_shipmentline l
        JOIN inventory_shipment sh ON sh.id = l.shipment_id
        WHERE l.demand_id = r.demand_id AND l.demand_kind = r.demand_kind
            AND l.stock_id = r.stock_id AND sh.state IN ('planned', 'picked', 'packed')
    ) planned ON true
    WHERE r.quantity > coalesce(planned.quantity, 0)
    ORDER BY d.source, s.node_id, r.demand_id, r.stock_id
""")

PLAN = Prepared("""
    WITH planned AS (
        INSERT INTO inventory_shipment (entity_id, node_id, source_kind, source_id, source_number,
            carrier_id, state, ship_to, planned_date, promised_date, created_at, tracking_number,
            cartons, weight, freight_cost, failure)
        SELECT p.entity_id, p.node_id, p.source_kind, p.source_id, p.source_number,
            coalesce(p.carrier_id, (
                SELECT c.id FROM inventory_carrier c
                JOIN accounts_entity e ON e.id = p.entity_id AND e.currency = c.currency
                WHERE c.is_active ORDER BY c.base_rate, c.rate_per_kg, c.id LIMIT 1
            )),
            %(state)s, p.ship_to, p.planned_date, p.promised_date, %(now)s, '', 0, 0, 0, ''
        FROM unnest(%(entities)s::bigint[], %(nodes)s::bigint[], %(kinds)s::text[],
            %(ids)s::bigint[], %(numbers)s::text[], %(carriers)s::bigint[], %(ship_tos)s::jsonb[],
            %(dates)s::date[], %(promises)s::date[]
        ) AS p (entity_id, node_id, source_kind, source_id, source_number, carrier_id, ship_to,
            planned_date, promised_date)
        RETURNING id, number, entity_id, node_id, source_kind, source_id, planned_date
    ), lines AS (
        INSERT INTO inventory_shipmentline
            (shipment_id, demand_kind, demand_id, product_id, stock_id, quantity, short_reason)
        SELECT planned.id, l.demand_kind, l.demand_id, l.product_id, l.stock_id, l.quantity, ''
        FROM unnest(%(line_kinds)s::text[], %(line_sources)s::bigint[], %(line_nodes)s::bigint[],
            %(demand_kinds)s::text[], %(demand_ids)s::bigint[], %(products)s::bigint[],
            %(stocks)s::bigint[], %(quantities)s::numeric[]
        ) WITH ORDINALITY AS l (source_kind, source_id, node_id, demand_kind, demand_id, product_id,
            stock_id, quantity, place)
        JOIN planned ON planned.source_id = l.source_id AND planned.source_kind = l.source_kind
            AND planned.node_id = l.node_id
        ORDER BY l.place
    )
    SELECT * FROM planned ORDER BY id
""")


class _Part(NamedTuple):
    source: int
    demand_id: int
    stock_id: int
    product_id: int
    node_id: int
    quantity: Decimal
    time_zone: str
    cutoff: time
    handling_days: int
    calendar_id: int | None


class _Planned(NamedTuple):
    id: int
    number: str
    entity_id: int
    node_id: int
    source_kind: str
    source_id: int
    planned_date: date


@transaction.atomic(savepoint=False)  # it refuses nothing: nobody goes on after it failed
def plan_shipments(*, orders: Sequence[ShipmentSource], now: datetime) -> list[PlannedShipment]:
    """Plan one shipment per source and node for what is reserved and on no live shipment yet.

    Four statements, however many sources. The caller holds the sources' locks; each source is named
    once. Nothing new reserved, nothing planned. A shipment is due by its node's calendar and
    cut-off.

    Publishes:
        ShipmentPlanned
    """
    parts = _unplanned(orders)
    if not parts:
        return []
    planned = _write(orders, parts, now)
    record(changes=[_change(each) for each in planned], actor=None, now=now)
    publish_all(
        [
            ShipmentPlanned(
                shipment_id=each.id,
                number=each.number,
                entity_id=each.entity_id,
                source_id=each.source_id,
            )
            for each in planned
        ]
    )
    return [PlannedShipment(each.id, each.number, each.source_id, each.node_id) for each in planned]


def _unplanned(orders: Sequence[ShipmentSource]) -> list[_Part]:
    wanted = [
        (place, source.demand_kind, demand_id)
        for place, source in enumerate(orders)
        for demand_id in source.demand_ids
    ]
    params = {
        "sources": [place for place, _, _ in wanted],
        "kinds": [kind for _, kind, _ in wanted],
        "demands": [demand_id for _, _, demand_id in wanted],
    }
    return [_Part(*row) for row in rows(UNPLANNED, params)] if wanted else []


def _write(
    orders: Sequence[ShipmentSource], parts: Sequence[_Part], now: datetime
) -> list[_Planned]:
    heads = list({(part.source, part.node_id): part for part in parts}.values())
    dates = {part.node_id: part for part in heads}
    weeks = calendars(ids=[part.calendar_id for part in heads], on=now.date())
    leaving = {
        node_id: leaves_on(
            now,
            zone=ZoneInfo(part.time_zone),
            cutoff=part.cutoff,
            handling_days=part.handling_days,
            calendar=weeks.get(part.calendar_id or 0),
        )
        for node_id, part in dates.items()
    }
    sources = [orders[head.source] for head in heads]
    params = {
        "state": Shipment.State.PLANNED,
        "now": now,
        "entities": [source.entity_id for source in sources],
        "nodes": [head.node_id for head in heads],
        "kinds": [source.kind for source in sources],
        "ids": [source.id for source in sources],
        "numbers": [source.number for source in sources],
        "carriers": [source.carrier_id for source in sources],
        "ship_tos": [orjson.dumps(dict(source.ship_to)).decode() for source in sources],
        "dates": [leaving[head.node_id] for head in heads],
        "promises": [source.promised_date for source in sources],
        "line_kinds": [orders[part.source].kind for part in parts],
        "line_sources": [orders[part.source].id for part in parts],
        "line_nodes": [part.node_id for part in parts],
        "demand_kinds": [orders[part.source].demand_kind for part in parts],
        "demand_ids": [part.demand_id for part in parts],
        "products": [part.product_id for part in parts],
        "stocks": [part.stock_id for part in parts],
        "quantities": [part.quantity for part in parts],
    }
    return [_Planned(*row) for row in rows(PLAN, params)]


def _change(planned: _Planned) -> Change:
    return Change(
        entity_id=planned.entity_id,
        action="inventory.plan",
        subject_kind="inventory.shipment",
        subject_id=planned.id,
        thread=f"{planned.source_kind}:{planned.source_id}",
        after={
            "number": planned.number,
            "state": "planned",
            "planned_date": planned.planned_date.isoformat(),
        },
    )

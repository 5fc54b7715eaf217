"""The shipments of one document."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.kernel.sql import records

OF_SOURCE = """
    SELECT s.id, s.number, s.state, n.code AS node, n.name AS node_name,
        coalesce(c.name, '') AS carrier, s.planned_date, s.promised_date, s.shipped_at,
        s.delivered_at, s.tracking_number, s.failure, count(l.id) AS lines,
        coalesce(sum(coalesce(l.picked, l.quantity)), 0) AS units
    FROM inventory_shipment s
    JOIN inventory_node n ON n.id = s.node_id
    LEFT JOIN inventory_carrier c ON c.id = s.carrier_id
    LEFT JOIN inventory_shipmentline l ON l.shipment_id = s.id
    WHERE s.source_kind = %(kind)s AND s.source_id = %(id)s AND s.entity_id = ANY(%(entities)s)
    GROUP BY s.id, n.id, c.id
    ORDER BY s.id
"""


@dataclass(frozen=True, slots=True)
class ShipmentOfSource:
    """One shipment of a document; units are base units, planned or picked."""

    id: int
    number: str
    state: str
    node: str
    node_name: str
    carrier: str
    planned_date: date
    promised_date: date | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    tracking_number: str
    failure: str
    lines: int
    units: Decimal


def shipments_of(
    *, source_kind: str, source_id: int, entity_ids: Collection[int]
) -> list[ShipmentOfSource]:
    """Return a document's shipments, the oldest first, the void ones too. One query."""
    params = {"kind": source_kind, "id": source_id, "entities": sorted(entity_ids)}
    return [ShipmentOfSource(**row) for row in records(OF_SOURCE, params)]

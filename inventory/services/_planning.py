"""Plans shipments for what is reserved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentSource:
    """The document whose reservations are to leave, and where they go. `kind` is `orders.order`."""

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

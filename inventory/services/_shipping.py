"""Lets shipments leave."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ShippedLine:
    """What left for one demand line: base units, and their cost in the entity's currency (cents)."""

    shipment_line_id: int
    shipment_id: int
    entity_id: int
    node_id: int
    demand_id: int
    product_id: int
    quantity: Decimal
    cost: Decimal

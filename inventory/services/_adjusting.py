"""Corrects balances."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class StockAdjustment:
    """A signed correction in base units. `unit_value` (entity's currency) prices what is found.

    Without it, and for what is lost, the moving average counts.
    """

    entity_id: int
    node_id: int
    product_id: int
    quantity: Decimal
    reason: str
    unit_value: Decimal | None = None
    status: str = "available"


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A posted correction and its signed value in the entity's currency, whole cents."""

    adjustment_id: int
    entity_id: int
    product_id: int
    value: Decimal

"""Everything that changes what goods cost. Late costs are posted: call finance for those."""

from inventory.services.costing._changing import UnknownMethod, change_costing
from inventory.services.costing._revaluing import (
    BadLateCost,
    LateCostDraft,
    SpreadCost,
    spread_late_costs,
)

__all__ = [
    "BadLateCost",
    "LateCostDraft",
    "SpreadCost",
    "UnknownMethod",
    "change_costing",
    "spread_late_costs",
]

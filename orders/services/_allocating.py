"""Has stock kept for released orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AllocatedOrders:
    """What one pass decided: the state of each order it took, and base units given by line."""

    run_id: int | None
    states: Mapping[int, str]
    given: Mapping[int, Decimal]

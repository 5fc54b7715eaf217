"""Confirms what was picked."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortPick:
    """A line of which less was found: `picked` base units, zero or more, for `reason`."""

    line_id: int
    picked: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A shipment that was picked; lines not named in `shorts` were picked in full."""

    shipment_id: int
    shorts: Sequence[ShortPick] = ()


@dataclass(frozen=True, slots=True)
class PickedShort:
    """What was missing of one demand line; it is reserved no longer."""

    shipment_line_id: int
    shipment_id: int
    demand_id: int
    node_id: int
    product_id: int
    missing: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class PickOutcome:
    """`picked_ids` were picked now; `voided_ids` had nothing left; neither names what was done before."""

    picked_ids: list[int]
    voided_ids: list[int]
    shorts: list[PickedShort]

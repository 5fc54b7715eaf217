"""Keeps stock for demand."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one demand line still wants, in base units. Lower `priority` goes first.

    Lines of one `group_id` (the order) share `ship_complete` (all of the group or nothing) and
    `no_split` (one node for the group): pass all lines of such a group that still want something.
    """

    kind: str
    id: int
    entity_id: int
    product_id: int
    quantity: Decimal
    node_id: int | None
    priority: int
    due: date
    group_id: int
    ship_complete: bool = False
    no_split: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """So much of one stock row, now kept for one demand."""

    demand_id: int
    stock_id: int
    node_id: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a run gave: by demand (zero where nothing could be given), and out of which rows."""

    run_id: int
    given: dict[int, Decimal]
    pieces: list[Piece]

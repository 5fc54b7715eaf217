"""Whom suppliers send goods to straight, as the apps above keep it: they register how they follow.

Filled while the apps load, read-only afterwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom a supplier is to send what one demand waits for, in base units.

    `waits` is what neither stock is kept for nor a supplier was told to send; `direct` is what one
    was told to send and has not sent. `document_id` is of the document that goods are shipped for
    (`orders.order`), `label` what people call it. `refusal` says why nothing of it can be sent
    straight to the customer; empty: it can.
    """

    demand_id: int
    document_kind: str
    document_id: int
    label: str
    entity_id: int
    product_id: int
    waits: Decimal
    direct: Decimal
    ship_to: Mapping[str, Any]
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectDemand:
    """How demands of one kind (`orders.line`) follow what suppliers send straight.

    `lock` locks the documents of demands, by id, and returns whom they are for: whoever changes
    what a supplier was told calls it first. `hold` notes by how much more (or less) of each a
    supplier was told to send. `promise` promises each by the day on which it leaves the supplier,
    called `label` and for a cause. All take keywords: `lock(demand_ids)`, `hold(changes)`,
    `promise(leaves, label, cause, now)`.
    """

    kind: str
    lock: Callable[..., Mapping[int, Addressee]]
    hold: Callable[..., None]
    promise: Callable[..., int]


_kinds: dict[str, DirectDemand] = {}


def register_direct(demand: DirectDemand) -> None:
    """Tell how one kind of demand follows what is sent straight. Telling it again replaces it."""
    _kinds[demand.kind] = demand


def direct_demand(kind: str) -> DirectDemand | None:
    """Return how a kind of demand follows what is sent straight; None where nobody told."""
    return _kinds.get(kind)

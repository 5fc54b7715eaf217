"""What can be shared out anew: stock that is free, and what lines hold and nobody picked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from erp.kernel.sql import rows
from inventory.rules import NEVER, Held, Policy, Sources, Strategy, Wants, as_steps
from inventory.services.protecting._applying import Freed, with_protection

STOCK = """
    SELECT s.id, s.entity_id, s.product_id, s.node_id,
        ((s.on_hand - s.reserved) * 1000)::bigint, s.expires_on
    FROM inventory_stock s
    JOIN inventory_node n ON n.id = s.node_id AND n.is_active
    WHERE s.entity_id = %(entity)s AND s.product_id = ANY(%(products)s)
        AND s.status = 'available' AND s.on_hand > 0 AND NOT s.is_barred
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
        AND (%(nodes)s::bigint[] IS NULL OR s.node_id = ANY(%(nodes)s::bigint[]))
    ORDER BY s.id
"""
LOCKED_STOCK = STOCK + " FOR NO KEY UPDATE OF s"

# What a picked or packed shipment holds is off the shelf: it is nobody's to give away.
HELD = """
    SELECT r.demand_id, r.stock_id, ((r.quantity - coalesce(gone.quantity, 0)) * 1000)::bigint
    FROM inventory_reservation r
    LEFT JOIN LATERAL (
        SELECT sum(l.picked) AS quantity
        FROM inventory_shipmentline l
        JOIN inventory_shipment sh ON sh.id = l.shipment_id
        WHERE l.demand_kind = r.demand_kind AND l.demand_id = r.demand_id
            AND l.stock_id = r.stock_id AND sh.state IN ('picked', 'packed')
    ) gone ON true
    WHERE r.demand_kind = %(kind)s AND r.demand_id = ANY(%(demands)s)
        AND r.stock_id = ANY(%(stocks)s) AND r.closed_at IS NULL
        AND r.quantity > coalesce(gone.quantity, 0)
    ORDER BY r.demand_id, r.stock_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """One line that takes part, with all that it may be given beyond what it holds: `wanting`.

    In base units. What it holds is read, never said. Lower `priority` goes first.
    """

    id: int
    product_id: int
    wanting: Decimal
    node_id: int | None
    priority: int
    due: date
    group_id: int
    strategy: Strategy
    label: str = ""
    segment_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Among whom and over what is shared: lines of one kind, one company's stock, some nodes.

    Without `nodes` all of them; what lines hold elsewhere stays as it is. `takes_kept`: what is
    protected for others binds nobody.
    """

    kind: str
    entity_id: int
    claimants: Sequence[Claimant]
    policy: Policy
    nodes: Collection[int] | None = None
    takes_kept: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """A field as the rule takes it."""

    wants: Wants
    supply: Sources
    held: Held
    strategy: np.typing.NDArray[np.int64]
    policy: Policy


def read(field: Field, now: datetime, *, is_locked: bool) -> Columns:
    """Return the field as columns; stock rows are locked in id order if asked for.

    Three queries, four where something is protected.
    """
    claimants = sorted(field.claimants, key=lambda each: each.id)
    supply = _stock(field, claimants, now, is_locked=is_locked)
    held = _held(field.kind, claimants, supply)
    own = np.zeros(len(claimants), np.int64)
    np.add.at(own, held.line, held.steps)
    columns = [
        (
            each.id, field.entity_id, each.product_id, as_steps(each.wanting), each.priority,
            each.due.toordinal(), each.group_id, each.node_id or 0,
        )
        for each in claimants
    ]  # fmt: skip
    table = np.array(columns, np.int64).reshape(-1, 8).T
    table[3] += own
    strategy = np.array([each.strategy for each in claimants], np.int64)
    segments = np.array([each.segment_id for each in claimants], np.int64)
    wants = replace(Wants(*table), segment=segments)
    policy = _policy(field, wants, supply, held, strategy, now)
    return Columns(wants, supply, held, strategy, policy)


def _policy(  # noqa: PLR0917
    field: Field, wants: Wants, supply: Sources, held: Held, strategy: Any, now: datetime
) -> Policy:
    """Return the weights with what is protected, as if who may lose had given back all."""
    back = strategy[held.line] > Strategy.GAIN
    freed = Freed(
        field.kind,
        wants.id[held.line[back]].tolist(),
        supply.id[held.supply[back]].tolist(),
        held.steps[back].tolist(),
    )
    keys = {(field.entity_id, product) for product in supply.product.tolist()}
    bound = with_protection(field.policy, keys, now.date(), freed)
    return replace(bound, protects=False) if field.takes_kept else bound


def _stock(
    field: Field, claimants: Sequence[Claimant], now: datetime, *, is_locked: bool
) -> Sources:
    params = {
        "entity": field.entity_id,
        "products": sorted({each.product_id for each in claimants}),
        "today": now.date(),
        "nodes": None if field.nodes is None else sorted(field.nodes),
    }
    found = rows(LOCKED_STOCK if is_locked else STOCK, params)
    columns = np.array([row[:5] for row in found], np.int64).reshape(-1, 5).T
    expires = [row[5].toordinal() if row[5] else NEVER for row in found]
    return replace(Sources(*columns), expires=np.array(expires, np.int64))


def _held(kind: str, claimants: Sequence[Claimant], supply: Sources) -> Held:
    place = {each.id: number for number, each in enumerate(claimants)}
    row = {stock: number for number, stock in enumerate(supply.id.tolist())}
    found = rows(HELD, {"kind": kind, "demands": list(place), "stocks": list(row)})
    pieces = [(place[demand], row[stock], steps) for demand, stock, steps in found]
    return Held(*np.array(pieces, np.int64).reshape(-1, 3).T)

"""Keeps stock for demand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

import orjson
from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.rules import (
    Gap,
    Plan,
    Policy,
    Supply,
    Verdict,
    Want,
    as_steps,
    from_steps,
    plan,
)
from inventory.services._telling import fallen

FLIP_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one demand line still wants, in base units. Lower `priority` goes first.

    Lines of one `group_id` (the order) share `ship_complete` (all of the group or nothing) and
    `no_split` (one node for the group): pass all lines of such a group that still want something.
    `label` is what people call the demand (the order's number): the receipt shows it.
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
    label: str = ""


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


# Rows without anything left are read but not locked, lots that are used up not even read. What a
# row holds is taken from the locked version, which is the newest even if the statement had to wait
# for it. Nothing is taken of what expired or is blocked.
LOCK = Prepared("""
    WITH wanted AS (
        SELECT DISTINCT entity_id, product_id
        FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS w (entity_id, product_id)
    ), locked AS MATERIALIZED (
        SELECT s.id, ((s.on_hand - s.reserved) * 1000)::bigint AS steps, s.expires_on
        FROM inventory_stock s
        JOIN wanted w ON w.product_id = s.product_id AND w.entity_id = s.entity_id
        WHERE s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
            AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
        ORDER BY s.id
        FOR UPDATE OF s
    )
    SELECT w.entity_id, w.product_id, p.code, s.id, s.node_id, n.code, n.is_active,
        coalesce(locked.steps, 0), locked.expires_on
    FROM wanted w
    JOIN inventory_product p ON p.id = w.product_id
    LEFT JOIN inventory_stock s ON s.product_id = w.product_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND (s.lot_id IS NULL OR s.on_hand > 0)
    LEFT JOIN inventory_node n ON n.id = s.node_id
    LEFT JOIN locked ON locked.id = s.id
""")

RESERVE = Prepared("""
    WITH piece AS (
        SELECT demand_id, stock_id, steps * 0.001 AS quantity
        FROM unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(steps)s::bigint[])
            AS piece (demand_id, stock_id, steps)
    ), balance AS (
        UPDATE inventory_stock s SET reserved = s.reserved + taken.quantity
        FROM (SELECT stock_id, sum(quantity) AS quantity FROM piece GROUP BY stock_id) taken
        WHERE s.id = taken.stock_id
    ), kept AS (
        INSERT INTO inventory_reservation AS r
            (stock_id, demand_kind, demand_id, quantity, created_at, closed_as)
        SELECT stock_id, %(kind)s, demand_id, quantity, %(now)s, '' FROM piece
        ON CONFLICT (demand_id, demand_kind, stock_id) WHERE closed_at IS NULL
            DO UPDATE SET quantity = r.quantity + excluded.quantity
    ), run AS (
        INSERT INTO inventory_allocationrun
            (at, cause, policy_version, demands, asked, given, milliseconds)
        VALUES (%(now)s, %(cause)s, %(policy_version)s, cardinality(%(lines)s::bigint[]),
            %(asked)s * 0.001, %(given)s * 0.001, %(milliseconds)s)
        RETURNING id
    ), decided AS (
        INSERT INTO inventory_allocationdecision
            (run_id, demand_kind, demand_id, demand_label, entity_id, product_id, asked, given,
            outcome, candidates, flip)
        SELECT run.id, %(kind)s, line, label, entity, product, asked * 0.001, given * 0.001,
            CASE WHEN given = asked THEN 'full' WHEN given > 0 THEN 'partial' ELSE 'none' END,
            candidates, flip
        FROM run, unnest(
            %(lines)s::bigint[], %(labels)s::text[], %(line_entities)s::bigint[],
            %(line_products)s::bigint[], %(line_asked)s::bigint[], %(line_given)s::bigint[],
            %(candidates)s::jsonb[], %(flips)s::text[]
        ) AS verdict (line, label, entity, product, asked, given, candidates, flip)
    )
    SELECT id FROM run
""")


@transaction.atomic(savepoint=False)  # it refuses nothing: nobody goes on after it failed
def allocate(
    *,
    demands: Sequence[Demand],
    cause: str,
    policy_version: str,
    now: datetime,
    policy: Policy | None = None,
    only_nodes: Mapping[int, Sequence[int]] | None = None,
) -> Allocation:
    """Keep available stock for `demands`, the first in rank first, and write each one's receipt.

    Gives what there is: a shortage is no refusal. Three statements, however many demands. Locks the
    stock rows of the wanted products in id order. Not repeatable by itself: the caller locks its
    documents and asks only for what still waits.

    Args:
        demands: of one kind, each id once, quantities above zero.
        cause: what set the run off, in a few words.
        only_nodes: demand id -> the nodes it may be served from; not named means any.

    Publishes:
        StockFell
    """
    if not demands:
        return Allocation(0, {}, [])
    began = perf_counter()
    wants = wants_of_demands(demands, only_nodes or {})
    supplies, names = _lock(demands, now.date())
    planned = plan(wants, supplies, policy or Policy())
    run_id = _write(
        planned,
        names,
        {demand.id: demand.label for demand in demands},
        {
            "kind": demands[0].kind,
            "cause": cause,
            "policy_version": policy_version,
            "now": now,
            "milliseconds": round((perf_counter() - began) * 1000),
        },
    )
    owner = {supply.id: (supply.owner, supply.product) for supply in supplies}
    publish_all(fallen((owner[t.supply][0], t.node, owner[t.supply][1]) for t in planned.takes))
    return Allocation(
        run_id,
        {verdict.want.id: from_steps(verdict.given) for verdict in planned.verdicts},
        [Piece(t.want, t.supply, t.node, from_steps(t.steps)) for t in planned.takes],
    )


def wants_of_demands(
    demands: Sequence[Demand], only_nodes: Mapping[int, Sequence[int]]
) -> list[Want]:
    """Return what the plan is made of.

    Raises:
        ValueError: a demand is named twice, or wants nothing.
    """
    if len({demand.id for demand in demands}) < len(demands) or len({d.kind for d in demands}) > 1:
        raise ValueError("each demand is named once, and all are of one kind")
    wants = [
        Want(
            id=d.id,
            owner=d.entity_id,
            product=d.product_id,
            steps=as_steps(d.quantity),
            rank=(d.priority, d.due.toordinal(), d.id),
            group=d.group_id,
            node=d.node_id,
            ship_complete=d.ship_complete,
            no_split=d.no_split,
            only=frozenset(only_nodes[d.id]) if d.id in only_nodes else None,
        )
        for d in demands
    ]
    if any(want.steps <= 0 for want in wants):
        raise ValueError("a demand wants more than nothing")
    return wants


@dataclass(frozen=True, slots=True)
class _Names:
    products: dict[int, str]
    nodes: dict[int, str]


def _lock(demands: Sequence[Demand], today: date) -> tuple[list[Supply], _Names]:
    """Lock what may be taken; return it, with the codes that receipts are written in."""
    keys = {(demand.entity_id, demand.product_id) for demand in demands}
    params = {"entities": [k[0] for k in keys], "products": [k[1] for k in keys], "today": today}
    found = rows(LOCK, params)
    names = _Names({row[1]: row[2] for row in found}, {row[4]: row[5] for row in found if row[3]})
    unseen = {demand.node_id for demand in demands} - {None, *names.nodes}
    if unseen:
        listed = rows("SELECT id, code FROM inventory_node WHERE id = ANY(%s)", [list(unseen)])
        names.nodes.update(listed)
    return [
        Supply(
            stock_id,
            entity_id,
            product_id,
            node_id,
            steps,
            is_open,
            expires.toordinal() if expires else None,
        )
        for entity_id, product_id, _, stock_id, node_id, _, is_open, steps, expires in found
        if stock_id
    ], names


def _write(
    planned: Plan, names: _Names, labels: Mapping[int, str], about: Mapping[str, Any]
) -> int:
    takes, verdicts = planned.takes, planned.verdicts
    params = {
        **about,
        "demands": [take.want for take in takes],
        "stocks": [take.supply for take in takes],
        "steps": [take.steps for take in takes],
        "asked": sum(verdict.want.steps for verdict in verdicts),
        "given": sum(verdict.given for verdict in verdicts),
        "lines": [verdict.want.id for verdict in verdicts],
        "labels": [labels[verdict.want.id] for verdict in verdicts],
        "line_entities": [verdict.want.owner for verdict in verdicts],
        "line_products": [verdict.want.product for verdict in verdicts],
        "line_asked": [verdict.want.steps for verdict in verdicts],
        "line_given": [verdict.given for verdict in verdicts],
        "candidates": [_candidates(verdict, names) for verdict in verdicts],
        "flips": [_flip(verdict.flip, names) for verdict in verdicts],
    }
    return int(rows(RESERVE, params)[0][0])


def _candidates(verdict: Verdict, names: _Names) -> str:
    return orjson.dumps(
        [
            {
                "node": names.nodes[candidate.node],
                "available": _plain(candidate.available),
                "taken": _plain(candidate.taken),
                "rejected": candidate.rejected or "",
            }
            for candidate in verdict.candidates
        ]
    ).decode()


def _flip(gaps: Sequence[Gap], names: _Names) -> str:
    """Return the gaps as a sentence: "3 more of P-1 at DC-EAST and 1 more of P-2"."""
    parts = [
        f"{_plain(gap.steps)} more of {names.products[gap.product]}"
        + (f" at {names.nodes[gap.node]}" if gap.node in names.nodes else "")
        for gap in gaps
    ]
    text = " and ".join(parts)
    if len(text) <= FLIP_LENGTH:
        return text
    return f"{parts[0]} and {len(parts) - 1} other shortages"


def _plain(steps: int) -> str:
    return f"{from_steps(steps).normalize():f}"

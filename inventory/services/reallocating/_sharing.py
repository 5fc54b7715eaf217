"""Shares out anew what lines hold and what is free: rehearsed without a trace, and done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from time import perf_counter
from typing import Any

import numpy as np
import orjson
from django.db import transaction

from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import ShipmentVoided
from inventory.rules import Reallocation, Strategy, certify, from_steps, reallocate
from inventory.rules.allocation.protecting import reach
from inventory.services._allocating import Piece, PlanBroken
from inventory.services._releasing import void_empty
from inventory.services._standing import lock
from inventory.services._telling import fallen
from inventory.services.protecting._applying import note_segments
from inventory.services.reallocating._moving import move_pieces
from inventory.services.reallocating._reading import Columns, Field, read

REASON = "What it was for was given to others"

LIVE = """
    SELECT DISTINCT l.shipment_id
    FROM inventory_shipmentline l
    JOIN inventory_shipment sh ON sh.id = l.shipment_id
    WHERE l.demand_kind = %(kind)s AND l.demand_id = ANY(%(demands)s)
        AND sh.state IN ('planned', 'picked', 'packed')
"""
RUN = """
    INSERT INTO inventory_allocationrun
        (at, cause, policy_version, demands, asked, given, milliseconds, certificate)
    VALUES (%(now)s, %(cause)s, %(policy_version)s, %(demands)s, %(asked)s * 0.001,
        %(given)s * 0.001, %(milliseconds)s, %(certificate)s::jsonb)
    RETURNING id
"""
DECISIONS = """
    INSERT INTO inventory_allocationdecision
        (run_id, demand_kind, demand_id, demand_label, entity_id, product_id, asked, given,
        outcome, candidates, flip)
    SELECT %(run)s, %(kind)s, d.id, d.label, %(entity)s, d.product, d.asked * 0.001,
        d.given * 0.001,
        CASE WHEN d.given >= d.asked THEN 'full' WHEN d.given > 0 THEN 'partial' ELSE 'none' END,
        d.candidates, ''
    FROM unnest(%(lines)s::bigint[], %(labels)s::text[], %(products)s::bigint[],
        %(asked)s::bigint[], %(given)s::bigint[], %(candidates)s::jsonb[]
    ) AS d (id, label, product, asked, given, candidates)
    ORDER BY d.id
"""
NODES = "SELECT id, code FROM inventory_node WHERE id = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Held:
    """What one line holds before and after, in base units, of what may be moved.

    `is_moved`: it holds as much as before or more or less of it, but not all where it did.
    """

    id: int
    before: Decimal
    after: Decimal
    is_moved: bool


@dataclass(frozen=True, slots=True)
class Shared:
    """How a field would be, or was, shared out: every line by id, and what each was given anew.

    `run_id` is the run that was kept; none for a rehearsal. `gained` are the pieces that lines hold
    more than before, `unmet` the lines that had to get everything and do not, `protected` those
    for whose segment something of their product is kept. `beyond` is how much lines that may take
    what is kept for others would take of it, in base units.
    """

    lines: Mapping[int, Held]
    gained: Sequence[Piece]
    unmet: Collection[int]
    protected: Collection[int] = ()
    beyond: Decimal = Decimal(0)
    run_id: int | None = None

    @property
    def changed(self) -> list[Held]:
        """The lines that gain or lose, or hold theirs somewhere else."""
        return [each for each in self.lines.values() if each.is_moved]

    def differing(self, expected: Mapping[int, tuple[Decimal, Decimal]]) -> list[int]:
        """Return the lines, in order, that come out otherwise than expected."""
        found = {
            each.id: (each.before, each.after)
            for each in self.lines.values()
            if each.before != each.after
        }
        either = found.keys() | expected.keys()
        return sorted(line for line in either if found.get(line) != expected.get(line))


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def rehearse_reallocation(*, field: Field, now: datetime) -> Shared:
    """Say who would gain and who would lose, and keep nothing. Nothing is locked.

    Three queries, four where something is protected.

    Raises:
        PlanBroken: the verifier found fault with the plan.
    """
    columns = read(field, now, is_locked=False)
    return _shared(columns, _made(columns)[0])


@transaction.atomic
def commit_reallocation(
    *,
    field: Field,
    expected: Mapping[int, tuple[Decimal, Decimal]],
    cause: str,
    policy_version: str,
    now: datetime,
) -> Shared:
    """Share out anew under lock, if it comes out as was `expected`; else change nothing.

    `expected` is before and after by line, of every line that gains or loses: compare it with the
    answer's `lines` to see what moved (`run_id` is None then). What lines lose comes off planned
    shipments, and one with nothing left is voided; what they gain is kept. The caller holds the
    locks of the lines' documents, and plans the shipments of who gained. Locks shipments, then the
    stock rows of the products, in id order.

    Raises:
        PlanBroken: the verifier found fault with the plan; nothing is kept.

    Publishes:
        ShipmentVoided
        StockFell
    """
    began = perf_counter()
    demands = [each.id for each in field.claimants]
    shipments = lock([row[0] for row in rows(LIVE, {"kind": field.kind, "demands": demands})])
    columns = read(field, now, is_locked=True)
    made, certificate = _made(columns)
    shared = _shared(columns, made)
    if shared.differing(expected):
        return shared
    deltas = _deltas(columns, made)
    move_pieces(field.kind, deltas, now)
    for part in made.parts:
        note_segments(part.made, field.kind)
    voided = void_empty(shipments, REASON, now)
    about = {
        "now": now,
        "cause": cause,
        "policy_version": policy_version,
        "milliseconds": round((perf_counter() - began) * 1000),
    }
    run_id = _keep(field, columns, made, certificate, about)
    supply = columns.supply
    grown = {row for (_, row), steps in deltas.items() if steps > 0}
    places = [
        (int(supply.owner[row]), int(supply.node[row]), int(supply.product[row]))
        for row in (np.flatnonzero(np.isin(supply.id, list(grown))).tolist() if grown else [])
    ]
    publish_all([*(ShipmentVoided(**each.facts(), reason=REASON) for each in voided)])
    publish_all(fallen(places))
    return replace(shared, run_id=run_id)


def _made(columns: Columns) -> tuple[Reallocation, dict[str, Any]]:
    """Return the plan with the certificate of all its parts."""
    made = reallocate(columns.wants, columns.held, columns.supply, columns.strategy, columns.policy)
    parts = [certify(part.wants, part.supply, part.made) for part in made.parts]
    faults = [part["faults"] for part in parts if not part["holds"]]
    if faults:
        raise PlanBroken(faults)
    return made, {
        "holds": True,
        "faults": {},
        "excused": sum(part["excused"] for part in parts),
        "classes": [row for part in parts for row in part["classes"]],
    }


def _shared(columns: Columns, made: Reallocation) -> Shared:
    ids = columns.wants.id.tolist()
    deltas = _deltas(columns, made)
    moved = {line for line, _ in deltas}
    lines = {
        line: Held(line, from_steps(before), from_steps(after), line in moved)
        for line, before, after in zip(ids, made.before.tolist(), made.after.tolist(), strict=True)
    }
    nodes = dict(zip(columns.supply.id.tolist(), columns.supply.node.tolist(), strict=True))
    gained = [
        Piece(line, stock, nodes[stock], from_steps(steps))
        for (line, stock), steps in sorted(deltas.items())
        if steps > 0
    ]
    unmet = [ids[place] for place in made.unmet.tolist()]
    return Shared(lines, gained, unmet, _protected(columns), _beyond(columns, made))


def _beyond(columns: Columns, made: Reallocation) -> Decimal:
    """Return how much less lines that must get all would get of what is not kept for others."""
    if columns.policy.protects or not columns.policy.protections:
        return Decimal(0)
    bound = replace(columns, policy=replace(columns.policy, protects=True))
    within, wins = _made(bound)[0].after, columns.strategy == Strategy.WIN
    return from_steps(int(np.maximum(made.after - within, 0)[wins].sum()))


def _protected(columns: Columns) -> list[int]:
    """Return the lines for whose segment something of their product is kept."""
    policy, wants = columns.policy, columns.wants
    kept = {(each.segment, each.product) for each in policy.protections if each.floor}
    if not kept:
        return []
    bounds = {
        segment: reach(policy.segments, segment)[1] for segment in set(wants.segment.tolist())
    }
    listed = zip(wants.id.tolist(), wants.segment.tolist(), wants.product.tolist(), strict=True)
    return [
        line
        for line, segment, product in listed
        if segment and any((each, product) in kept for each in bounds[segment])
    ]


def _deltas(columns: Columns, made: Reallocation) -> dict[tuple[int, int], int]:
    """Return by line and stock row how many steps it holds more of it; none that stays."""
    found: dict[tuple[int, int], int] = {}
    for held, sign in ((made.held, 1), (columns.held, -1)):
        lines, stocks = columns.wants.id[held.line], columns.supply.id[held.supply]
        listed = zip(lines.tolist(), stocks.tolist(), held.steps.tolist(), strict=True)
        for line, stock, steps in listed:
            found[line, stock] = found.get((line, stock), 0) + sign * steps
    return {pair: steps for pair, steps in found.items() if steps}


def _keep(
    field: Field,
    columns: Columns,
    made: Reallocation,
    certificate: Mapping[str, Any],
    about: Mapping[str, Any],
) -> int:
    """Write the run, and the receipt of each line that gains or loses; return the run's id."""
    wants, changed = columns.wants, np.flatnonzero(made.gained != 0)
    params = {
        **about,
        "demands": len(wants),
        "asked": int(wants.steps.sum()),
        "given": int(made.after.sum()),
        "certificate": orjson.dumps(certificate).decode(),
    }
    run_id = int(rows(RUN, params)[0][0])
    if not len(changed):
        return run_id
    names = dict(rows(NODES, [sorted(set(columns.supply.node.tolist()))]))
    labels = {each.id: each.label for each in field.claimants}
    had: dict[tuple[int, str], int] = {}
    for pieces, sign in ((columns.held, False), (made.held, True)):
        for line, row, steps in zip(*map(np.ndarray.tolist, _of(pieces)), strict=True):
            key = line, names[int(columns.supply.node[row])]
            had[key] = had.get(key, 0) + (steps if sign else 0)
    candidates: dict[int, list[list[Any]]] = {}
    for (line, node), steps in sorted(had.items()):
        candidates.setdefault(line, []).append([node, steps, steps])
    chosen = changed.tolist()
    ids = wants.id[changed].tolist()
    rows(
        DECISIONS + " RETURNING id",
        {
            "run": run_id,
            "kind": field.kind,
            "entity": field.entity_id,
            "lines": ids,
            "labels": [labels[line] for line in ids],
            "products": wants.product[changed].tolist(),
            "asked": wants.steps[changed].tolist(),
            "given": made.after[changed].tolist(),
            "candidates": [orjson.dumps(candidates.get(n, [])).decode() for n in chosen],
        },
    )
    return run_id


def _of(pieces: Any) -> tuple[Any, Any, Any]:
    return pieces.line, pieces.supply, pieces.steps

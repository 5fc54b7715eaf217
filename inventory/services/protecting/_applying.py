"""What is kept for whom, as a plan takes it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows, run
from inventory.rules import NEVER, Plan, Policy, Protection, Segment, as_steps
from inventory.rules.allocation.columns import Ints

# What a segment below was given counts for those above it; what was freed again for none.
HELD = Prepared("""
    WITH RECURSIVE below AS (
        SELECT id AS top, id FROM inventory_segment
        UNION ALL
        SELECT b.top, s.id FROM below b JOIN inventory_segment s ON s.parent_id = b.id
    )
    SELECT p.segment_id, p.entity_id, p.product_id, coalesce(p.node_id, 0), p.floor, p.cap,
        coalesce(given.quantity, 0)
    FROM inventory_protection p
    JOIN unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS w (entity_id, product_id)
        ON w.entity_id = p.entity_id AND w.product_id = p.product_id
    LEFT JOIN LATERAL (
        SELECT sum(r.quantity - coalesce(back.steps, 0) * 0.001) AS quantity
        FROM below b
        JOIN inventory_segmentdemand d ON d.segment_id = b.id AND d.product_id = p.product_id
        JOIN inventory_reservation r ON r.demand_id = d.demand_id
            AND r.demand_kind = d.demand_kind AND r.closed_as <> 'released'
            AND r.created_at >= p.first_day AND r.created_at < p.last_day + 1
        JOIN inventory_stock s ON s.id = r.stock_id AND s.entity_id = p.entity_id
            AND s.product_id = p.product_id AND (p.node_id IS NULL OR s.node_id = p.node_id)
        LEFT JOIN unnest(%(demands)s::bigint[], %(stocks)s::bigint[], %(steps)s::bigint[])
            AS back (demand_id, stock_id, steps)
            ON back.demand_id = r.demand_id AND back.stock_id = r.stock_id
            AND r.demand_kind = %(kind)s::text AND r.closed_at IS NULL
        WHERE b.top = p.segment_id
    ) AS given ON true
    WHERE %(today)s::date BETWEEN p.first_day AND p.last_day
    ORDER BY p.id
""")
TREE = "SELECT id, coalesce(parent_id, 0), rank, lends FROM inventory_segment ORDER BY id"
NOTE = Prepared("""
    INSERT INTO inventory_segmentdemand AS d (demand_kind, demand_id, product_id, segment_id)
    SELECT %(kind)s, line, product, segment
    FROM unnest(%(lines)s::bigint[], %(products)s::bigint[], %(segments)s::bigint[])
        AS given (line, product, segment)
    ORDER BY line
    ON CONFLICT (demand_id, demand_kind) DO UPDATE SET segment_id = excluded.segment_id
        WHERE d.segment_id <> excluded.segment_id
""")


class Freed(NamedTuple):
    """Reserved pieces that are shared out again: by demand and stock row, in thousandths."""

    kind: str = ""
    demands: Sequence[int] = ()
    stocks: Sequence[int] = ()
    steps: Sequence[int] = ()


NOTHING = Freed()


def with_protection(
    policy: Policy, keys: Iterable[tuple[int, int]], today: date, freed: Freed = NOTHING
) -> Policy:
    """Return the policy with what is kept of these (owner, product) today. One query, else two.

    What was given in the period is taken off, but for what is `freed`. Whoever is to give it out
    reads it under the locks of the product's stock: all who could use it up wait there.
    """
    pairs = list(keys)
    if not policy.protects or not pairs:
        return policy
    entities, products = (list(each) for each in zip(*pairs, strict=True))
    asked = {"entities": entities, "products": products, "today": today} | {
        name: value if name == "kind" else list(value) for name, value in freed._asdict().items()
    }
    found = rows(HELD, asked)
    if not found:
        return policy
    protections = [
        Protection(
            segment, owner, product, node,
            max(as_steps(floor - given), 0),
            NEVER if cap is None else max(as_steps(cap - given), 0),
        )
        for segment, owner, product, node, floor, cap, given in found
    ]  # fmt: skip
    segments = [Segment(*row) for row in rows(TREE, {})]
    return replace(policy, segments=segments, protections=protections)


def note_segments(made: Plan, kind: str) -> None:
    """Keep for which segment each line got something that is protected. One statement."""
    kept = {(each.owner, each.product) for each in made.policy.protections}
    if not kept:
        return
    wants, lines = made.demand, made.line[made.given > 0]
    owners, products = wants.owner[lines].tolist(), wants.product[lines].tolist()
    protected: Ints = np.array([key in kept for key in zip(owners, products, strict=True)], bool)
    lines = lines[protected & (wants.segment[lines] != 0)]
    if len(lines):
        run(
            NOTE,
            {
                "kind": kind,
                "lines": wants.id[lines].tolist(),
                "products": wants.product[lines].tolist(),
                "segments": wants.segment[lines].tolist(),
            },
        )

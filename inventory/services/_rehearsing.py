"""What the allocation layer would decide now, without keeping anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import NEVER, Policy, Sources, from_steps, plan
from inventory.services._allocating import Demand, wants_of_demands

FREE = Prepared("""
    SELECT w.entity_id, w.product_id, s.id, s.node_id, n.is_active,
           ((s.on_hand - s.reserved) * 1000)::bigint, s.expires_on
    FROM (SELECT DISTINCT entity_id, product_id
          FROM unnest(%(entities)s::bigint[], %(products)s::bigint[])
              AS w (entity_id, product_id)) AS w
    JOIN inventory_stock s ON s.product_id = w.product_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
    JOIN inventory_node n ON n.id = s.node_id
""")


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What one demand would get: `nodes` by how much each would give, `missing` what nobody has.

    `rejected` says of the other nodes why they would give nothing. Quantities are in base units.
    """

    demand_id: int
    nodes: Mapping[int, Decimal]
    rejected: Mapping[int, str]
    missing: Decimal


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def rehearse_allocation(
    *, demands: Sequence[Demand], policy: Policy | None = None
) -> list[Rehearsed]:
    """Decide about `demands` as `allocate` would, the first in rank first, and keep nothing.

    Answers in the order of `demands`. One query, nothing is locked: by the time stock is kept it
    may be gone.
    """
    if not demands:
        return []
    keys = {(demand.entity_id, demand.product_id) for demand in demands}
    found = rows(FREE, {"entities": [k[0] for k in keys], "products": [k[1] for k in keys]})
    columns = np.array([(r[2], r[0], r[1], r[3], r[5], r[4]) for r in found], np.int64)
    expires = [r[6].toordinal() if r[6] else NEVER for r in found]
    sources = replace(Sources(*columns.reshape(-1, 6).T), expires=np.array(expires, np.int64))
    planned = plan(wants_of_demands(demands, {}), sources, policy or Policy())
    taken: dict[int, dict[int, int]] = {}
    for take in planned.takes():
        nodes = taken.setdefault(take.want, {})
        nodes[take.node] = nodes.get(take.node, 0) + take.steps
    verdicts = {verdict.want: verdict for verdict in planned.verdicts()}
    answers = []
    for demand in demands:
        verdict, nodes = verdicts[demand.id], taken.get(demand.id, {})
        answers.append(
            Rehearsed(
                demand_id=demand.id,
                nodes={node: from_steps(steps) for node, steps in nodes.items()},
                rejected={
                    c.node: str(c.rejected)
                    for c in verdict.candidates
                    if c.rejected and c.node not in nodes
                },
                missing=from_steps(verdict.asked - verdict.given),
            )
        )
    return answers

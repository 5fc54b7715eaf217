"""What the allocation layer would decide now, without keeping anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import Policy, Supply, from_steps, plan
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
    supplies = [
        Supply(
            stock_id,
            entity_id,
            product_id,
            node_id,
            steps,
            is_open,
            expires.toordinal() if expires else None,
        )
        for entity_id, product_id, stock_id, node_id, is_open, steps, expires in found
    ]
    planned = plan(wants_of_demands(demands, {}), supplies, policy or Policy())
    taken: dict[int, dict[int, int]] = {}
    for take in planned.takes:
        nodes = taken.setdefault(take.want, {})
        nodes[take.node] = nodes.get(take.node, 0) + take.steps
    verdicts = {verdict.want.id: verdict for verdict in planned.verdicts}
    answers = []
    for demand in demands:
        verdict, nodes = verdicts[demand.id], taken.get(demand.id, {})
        answers.append(
            Rehearsed(
                demand_id=demand.id,
                nodes={node: from_steps(steps) for node, steps in nodes.items()},
                rejected={c.node: str(c.rejected) for c in verdict.candidates if c.rejected},
                missing=from_steps(verdict.want.steps - verdict.given),
            )
        )
    return answers

"""What a plan could not give, as lines of their own: what is looked for elsewhere."""

from dataclasses import dataclass, replace

import numpy as np

from inventory.rules import Plan, Policy, Rule, Wants
from inventory.rules.allocation.protecting import less

BOUND = int(Rule.NO_SPLIT | Rule.NODES_MAX)
KEPT = int(Rule.ONLY_NODES | Rule.FRESH)


@dataclass(frozen=True, slots=True)
class Lacks:
    """What lines lack, in the order of serving (`priority` is their turn), by which policy.

    What is kept for segments is less what they were given. `node` is where more would help first. A
    line that leaves from one node, or from few, may only get it there.
    """

    wants: Wants
    policy: Policy

    def __len__(self) -> int:
        return len(self.wants)


def lacks_of(made: Plan) -> Lacks | None:
    """Return what a plan lacks; None where it lacks nothing."""
    short = np.flatnonzero(made.lack > 0)
    if not len(short):
        return None
    lines = made.demand.at(made.line[short])
    rules = lines.rules & ~made.dropped[short]
    node = made.lack_node[short]
    only = np.where((rules & int(Rule.ONLY_NODES)) != 0, lines.only, -1)
    sets = list(lines.sets)
    for at in np.unique(node[((rules & BOUND) != 0) & (node > 0)]).tolist():
        only = np.where(((rules & BOUND) != 0) & (node == at), len(sets), only)
        sets.append(frozenset({at}))
    fresh = np.where((rules & int(Rule.FRESH)) != 0, lines.fresh_until, 0)
    wants = replace(
        lines,
        steps=made.lack[short],
        priority=np.arange(len(short)),
        node=node,
        rules=rules & KEPT,
        only=only,
        nodes_max=np.zeros(len(short), np.int64),
        soft=np.zeros(len(short), np.int64),
        fresh_until=fresh,
        sets=sets,
    )
    return Lacks(wants, less(made.policy, made))

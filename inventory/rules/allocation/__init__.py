"""The allocation decision: who gets how much, from where, and why not more.

Lines are served in the order of their rank, each from the best candidate for it, until it has all
it wants or nothing that it may take is left. Nothing here knows a clock or a database; quantities
are whole thousandths; the order in which lines and supplies are given never matters. One line and
half a million go the same way: columns, in waves of lines that touch nothing in common.
"""

from dataclasses import replace

import numpy as np

from inventory.rules.allocation.columns import (
    ANY,
    NEVER,
    REASONS,
    Affiliation,
    Consent,
    Criterion,
    Lane,
    Mode,
    Policy,
    Protection,
    Rejection,
    Rule,
    Segment,
    Source,
    Sources,
    Substitution,
    Want,
    Wants,
)
from inventory.rules.allocation.menus import Menus, menus_of
from inventory.rules.allocation.plans import Candidate, Gap, Plan, Take, Verdict
from inventory.rules.allocation.protecting import Pots
from inventory.rules.allocation.serving import Serving
from inventory.rules.allocation.sharing import fair, share_out
from inventory.rules.allocation.waves import ranked, turns_of
from inventory.rules.allocation.weighing import policy_of
from inventory.rules.allocation.wording import explain

__all__ = [
    "ANY",
    "NEVER",
    "REASONS",
    "Affiliation",
    "Candidate",
    "Consent",
    "Criterion",
    "Gap",
    "Lane",
    "Mode",
    "Plan",
    "Policy",
    "Protection",
    "Rejection",
    "Rule",
    "Segment",
    "Source",
    "Sources",
    "Substitution",
    "Take",
    "Verdict",
    "Want",
    "Wants",
    "explain",
    "fair",
    "plan",
    "policy_of",
    "ranked",
]

BUILT_IN = Policy()


def plan(demand: Wants, supply: Sources, policy: Policy = BUILT_IN) -> Plan:
    """Share out `supply` among `demand`. Each line's id stands once."""
    demand = _spelled_out(demand, policy)
    menus = _bounded(menus_of(demand, supply, policy), demand, policy)
    turns = turns_of(demand, policy)
    protects = policy.protects and policy.protections
    pots = Pots(supply, policy) if protects else None
    serving = Serving(
        demand=demand, supply=supply, menus=menus, turns=turns, policy=policy, pots=pots
    )
    if policy.fair_share and len(demand):
        share_out(serving)
    else:
        serving.serve()
    return Plan(
        demand=demand,
        supply=supply,
        policy=policy,
        menus=menus,
        turns=turns,
        given=serving.given,
        lack=serving.lack,
        lack_node=serving.lack_node,
        at=serving.at,
        seen=serving.seen,
        taken=serving.taken,
        reason=serving.reasons(),
        dropped=serving.dropped,
    )


def _spelled_out(demand: Wants, policy: Policy) -> Wants:
    """Return the demand with its rules saying what its columns say."""
    named = np.where(demand.only >= 0, int(Rule.ONLY_NODES), 0)
    fresh = np.where(demand.fresh_until > 0, int(Rule.FRESH), 0)
    few = np.where(demand.nodes_max > 0, int(Rule.NODES_MAX), 0)
    partial = 0 if policy.allows_partial else int(Rule.LINE_COMPLETE)
    return replace(demand, rules=demand.rules | named | fresh | few | partial)


def _bounded(menus: Menus, demand: Wants, policy: Policy) -> Menus:
    """Return menus that also touch the nodes whose hands may not be enough."""
    known = set(menus.nodes.tolist())
    tight = {node for node, lines in policy.capacity if lines < len(demand) and node in known}
    if not tight:
        return menus
    base = len(menus.start) if menus.touched is None else _most(menus.touched) + 1
    touched = []
    for menu, (start, count) in enumerate(zip(menus.start, menus.count, strict=True)):
        used = (menu,) if menus.touched is None else menus.touched[menu]
        nodes = set(menus.node[start : start + count].tolist())
        own = {base + node for node in nodes if int(menus.nodes[node]) in tight}
        touched.append((*used, *sorted(own)))
    return replace(menus, touched=touched)


def _most(touched: list[tuple[int, ...]]) -> int:
    return max((resource for each in touched for resource in each), default=-1)

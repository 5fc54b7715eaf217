"""What the allocation layer would decide now, without keeping anything."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.db import transaction

from erp.governance.services import Question, decide
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import NEVER, Policy, Rule, Sources, Wants, plan, policy_of
from inventory.rules.allocation import ANY
from inventory.services._handling import hands
from inventory.services.protecting._applying import with_protection

CAUSE = "Rehearsal"

FREE = Prepared("""
    SELECT s.id, w.entity_id, w.product_id, s.node_id,
           ((s.on_hand - s.reserved) * 1000)::bigint, n.is_active,
           s.expires_on, n.lines_per_day IS NOT NULL,
           (SELECT EXISTS (SELECT FROM inventory_protection))
    FROM unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS w (entity_id, product_id)
    JOIN inventory_stock s ON s.product_id = w.product_id AND s.entity_id = w.entity_id
        AND s.status = 'available' AND s.on_hand > s.reserved AND NOT s.is_barred
        AND (s.expires_on IS NULL OR s.expires_on >= %(today)s)
    JOIN inventory_node n ON n.id = s.node_id
""")


class Wish(NamedTuple):
    """One line that waits: `steps` of a product, from `node` if it can be (None is any).

    Out of lots that keep to the day of the ordinal `fresh_until` (0: any).
    """

    id: int
    product: int
    node: int | None
    steps: int
    fresh_until: int = 0


class Basket(NamedTuple):
    """The lines of one order that wait, each wanting more than nothing.

    They leave from at most `nodes_max` nodes (0: any), of `only` (None: any); `soft` is dropped
    where it cannot be. What is kept for `segment` is for it (0: none).
    """

    owner: int
    wishes: Sequence[Wish]
    ship_complete: bool = False
    no_split: bool = False
    nodes_max: int = 0
    only: frozenset[int] | None = None
    soft: Rule = Rule.NONE
    segment: int = 0


class Served(NamedTuple):
    """How many lines each node would serve, and what would be missing, in steps by line."""

    nodes: Mapping[int, int]
    missing: Mapping[int, int]


@transaction.atomic(savepoint=False)  # it writes nothing and refuses nothing
def rehearse_allocation(
    *, baskets: Sequence[Basket], now: datetime, policy: Policy | None = None
) -> list[Served]:
    """Decide about whole orders as `allocate` would, the first in turn first, and keep nothing.

    Each company's baskets are decided by its own `inventory.allocation`, unless `policy` is given.
    Answers in the order of `baskets`, in thousandths of base units. One query for each company and
    one reading of the policy; nothing is locked: by the time stock is kept it may be gone.
    """
    turns: dict[int, list[int]] = {}
    for turn, basket in enumerate(baskets):
        if basket.wishes:
            turns.setdefault(basket.owner, []).append(turn)
    policies = _policies(turns, baskets, now) if policy is None else dict.fromkeys(turns, policy)
    answers = [Served({}, {}) for _ in baskets]
    for owner, mine in turns.items():
        served = _served([baskets[turn] for turn in mine], policies[owner], now)
        for turn, each in zip(mine, served, strict=True):
            answers[turn] = each
    return answers


def _policies(
    turns: Mapping[int, Sequence[int]], baskets: Sequence[Basket], now: datetime
) -> dict[int, Policy]:
    """Return by company how it allocates now."""
    questions = [
        Question(
            owner,
            "inventory.run",
            0,
            {"cause": CAUSE, "demands": sum(len(baskets[turn].wishes) for turn in mine)},
        )
        for owner, mine in turns.items()
    ]
    decisions = decide(policy="inventory.allocation", questions=questions, now=now, keep=False)
    today = now.date().toordinal()
    return {
        owner: policy_of(decision.outcome, today=today)
        for owner, decision in zip(turns, decisions, strict=True)
    }


def _served(baskets: Sequence[Basket], policy: Policy, now: datetime) -> list[Served]:
    """Decide about one company's baskets, each of which wants something."""
    wants = _wants(baskets)
    keys = {(basket.owner, wish.product) for basket in baskets for wish in basket.wishes}
    entities, products = zip(*keys, strict=True)
    found = rows(
        FREE, {"entities": list(entities), "products": list(products), "today": now.date()}
    )
    columns = np.array([row[:6] for row in found], np.int64).reshape(-1, 6)
    expires = [row[6].toordinal() if row[6] else NEVER for row in found]
    sources = replace(Sources(*columns.T), expires=np.array(expires, np.int64))
    if any(row[7] for row in found):
        policy = replace(policy, capacity=hands(now, is_locked=False))
    if any(row[8] for row in found):
        policy = with_protection(policy, keys, now.date())
    planned = plan(wants, sources, policy)
    nodes: list[dict[int, int]] = [{} for _ in baskets]
    missing: list[dict[int, int]] = [{} for _ in baskets]
    lines = planned.line
    turns = (wants.group[lines] - 1).tolist()
    takers, places = planned.taker.tolist(), sources.node[planned.taken_from].tolist()
    for place, node in dict.fromkeys(zip(takers, places, strict=True)):
        served = nodes[turns[place]]
        served[node] = served.get(node, 0) + 1
    lacks = wants.steps[lines] - planned.given
    for place in np.flatnonzero(lacks > 0).tolist():
        missing[turns[place]][int(wants.id[lines[place]])] = int(lacks[place])
    return [Served(*each) for each in zip(nodes, missing, strict=True)]


def _wants(baskets: Sequence[Basket]) -> Wants:
    """Return the lines of all baskets as the plan takes them: earlier baskets go first."""
    sets = list(dict.fromkeys(each.only for each in baskets if each.only is not None))
    places = {nodes: place for place, nodes in enumerate(sets)}
    columns = [
        (
            wish.id, basket.owner, wish.product, wish.steps, turn, 0, turn, wish.node or 0,
            basket.ship_complete * Rule.SHIP_COMPLETE + basket.no_split * Rule.NO_SPLIT,
            ANY if basket.only is None else places[basket.only],
            basket.nodes_max, basket.soft, basket.segment, wish.fresh_until,
        )
        for turn, basket in enumerate(baskets, start=1)
        for wish in basket.wishes
    ]  # fmt: skip
    found = np.array(columns, np.int64).reshape(-1, 14).T
    return replace(Wants(*found[:13]), sets=sets, fresh_until=found[13])

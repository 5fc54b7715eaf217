"""Finds how what companies own is valued, and the layers of what is valued by them."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from erp.governance.services import Question, ask_policy
from erp.kernel.sql import rows, run
from inventory.rules import Layer, Pool

POLICY = "inventory.costing"
FIFO = "fifo"

Owned = tuple[int, int]  # entity, product

# Whoever calls holds the cost's lock, and nobody changes layers without it.
LAYERS = """
    SELECT l.entity_id, l.product_id, l.id, l.quantity_left, l.value_left
    FROM inventory_costlayer l
    JOIN unnest(%(entities)s::bigint[], %(products)s::bigint[]) AS k (entity_id, product_id)
        ON k.product_id = l.product_id AND k.entity_id = l.entity_id
    WHERE l.quantity_left > 0
    ORDER BY l.id
"""

CHOOSE = """
    UPDATE inventory_productcost c SET method = k.method
    FROM unnest(%(entities)s::bigint[], %(products)s::bigint[], %(methods)s::text[])
        AS k (entity_id, product_id, method)
    WHERE c.product_id = k.product_id AND c.entity_id = k.entity_id AND c.method = ''
"""


def layered(pools: Mapping[Owned, Pool], methods: Mapping[Owned, str]) -> dict[Owned, Pool]:
    """Return the pools, with their layers where that is how they are valued. At most one query."""
    wanted = sorted(key for key in pools if methods.get(key) == FIFO)
    if not wanted:
        return dict(pools)
    params = {"entities": [key[0] for key in wanted], "products": [key[1] for key in wanted]}
    found: dict[Owned, list[Layer]] = defaultdict(list)
    for entity_id, product_id, layer_id, quantity, value in rows(LAYERS, params):
        found[entity_id, product_id].append(Layer(layer_id, quantity, value))
    return {
        key: replace(pool, layers=tuple(found[key])) if methods.get(key) == FIFO else pool
        for key, pool in pools.items()
    }


def decided(about: Mapping[Owned, tuple[str, str]], *, now: datetime) -> dict[Owned, str]:
    """Return how what was never decided before is valued, by the policy: once, for good.

    `about` says a company's code and a product's category; each two are asked for once.
    """
    if not about:
        return {}
    asked = sorted({(key[0], *said) for key, said in about.items()})
    questions = [
        Question(entity_id, "accounts.entity", entity_id, {"entity": code, "category": category})
        for entity_id, code, category in asked
    ]
    answers = ask_policy(policy=POLICY, questions=questions, now=now)
    said = {
        key: str(answer.decision.outcome["method"])
        for key, answer in zip(asked, answers, strict=True)
    }
    chosen = {key: said[key[0], *about[key]] for key in sorted(about)}
    params = {
        "entities": [key[0] for key in chosen],
        "products": [key[1] for key in chosen],
        "methods": list(chosen.values()),
    }
    run(CHOOSE, params)
    return chosen

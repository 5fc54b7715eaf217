"""Reads the weights of a plan from what the policy `inventory.allocation` decides."""

from collections.abc import Mapping
from typing import Any

from inventory.rules.allocation.columns import NODES_BY, Criterion, Policy

WORDS = {
    "requested": Criterion.NAMED,
    "whole_line": Criterion.WHOLE_LINE,
    "whole_group": Criterion.WHOLE_ORDER,
    "most_available": Criterion.MOST,
    "score": Criterion.SCORE,
}


def policy_of(outcome: Mapping[str, Any], *, today: int = 0) -> Policy:
    """Return the weights: what is not said is built in, an unknown word is passed over.

    Amounts are minor units. A negative `wait_days` is no bound.
    """
    said = [WORDS[word] for word in _words(outcome, "node_preference") if word in WORDS]
    wait = int(outcome.get("wait_days", -1))
    return Policy(
        nodes_by=tuple(said) or NODES_BY,
        day_first=_words(outcome, "order_by")[:1] == ["due"],
        allows_partial=bool(outcome.get("allow_partial", True)),
        fair_share=bool(outcome.get("fair_share", False)),
        protects=bool(outcome.get("protects", True)),
        split_cost=int(outcome.get("split_cost", 0)),
        split_minimum=int(outcome.get("split_minimum", 0)),
        expedite_cost=int(outcome.get("expedite_cost", 0)),
        expedite_days=int(outcome.get("expedite_days", 0)),
        wait_days=wait if wait >= 0 else None,
        today=today,
    )


def _words(outcome: Mapping[str, Any], name: str) -> list[str]:
    return [word.strip() for word in str(outcome.get(name, "")).split(",") if word.strip()]

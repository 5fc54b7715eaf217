"""What was found out about an order before its release."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from erp.kernel.sql import records


@dataclass(frozen=True, slots=True)
class ClassFact:
    """One finding of an order's class, with what the policy was asked."""

    version: int
    class_code: str
    priority: int
    policy_version: str
    inputs: Mapping[str, Any]
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanFact:
    """Where an order could come from when it was last checked, and what could be instead."""

    at: datetime
    is_feasible: bool
    requested_date: date
    possible_date: date | None
    nodes: Sequence[Mapping[str, Any]]
    proposal: Mapping[str, Any]


CLASSES = """
    SELECT version, class_code, priority, policy_version, inputs, cause, at
    FROM orders_orderclass WHERE order_id = %(order)s ORDER BY version DESC LIMIT 20
"""
PLAN = """
    SELECT at, is_feasible, requested_date, possible_date, nodes, proposal
    FROM orders_sourcingplan WHERE order_id = %(order)s ORDER BY id DESC LIMIT 1
"""


def classes_of(*, order_id: int) -> list[ClassFact]:
    """Return how an order was classed, the last finding first; at most twenty. One query."""
    found = records(CLASSES, {"order": order_id})
    return [ClassFact(**row | {"inputs": _json(row["inputs"])}) for row in found]


def plan_of(*, order_id: int) -> PlanFact | None:
    """Return where an order could come from when it was last checked. One query.

    Days in the proposal's split are days, not text.
    """
    found = records(PLAN, {"order": order_id})
    if not found:
        return None
    read = {name: _json(found[0][name]) for name in ("nodes", "proposal")}
    for part in read["proposal"].get("split", ()):
        for name in ("date", "by_90"):
            part[name] = date.fromisoformat(part[name]) if part.get(name) else None
    return PlanFact(**found[0] | read)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value

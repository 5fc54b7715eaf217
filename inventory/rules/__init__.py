"""Inventory's decisions as plain functions: who gets what, what it costs, when it leaves."""

from inventory.rules.allocation import (
    Candidate,
    Criterion,
    Gap,
    Plan,
    Policy,
    Rejection,
    Supply,
    Take,
    Verdict,
    Want,
    plan,
)
from inventory.rules.costing import Pool, carriage, issue, valued
from inventory.rules.labels import check_digit, sscc
from inventory.rules.leaving import leaves_on
from inventory.rules.steps import as_steps, countable, from_steps

__all__ = [
    "Candidate",
    "Criterion",
    "Gap",
    "Plan",
    "Policy",
    "Pool",
    "Rejection",
    "Supply",
    "Take",
    "Verdict",
    "Want",
    "as_steps",
    "carriage",
    "check_digit",
    "countable",
    "from_steps",
    "issue",
    "leaves_on",
    "plan",
    "sscc",
    "valued",
]

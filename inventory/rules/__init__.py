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
from inventory.rules.classing import Aged, abc_classes, aged, excess_of, xyz_class
from inventory.rules.costing import Pool, carriage, issue, moved_on, valued
from inventory.rules.labels import check_digit, sscc
from inventory.rules.leaving import leaves_on
from inventory.rules.steps import as_steps, countable, from_steps
from inventory.rules.transfers import (
    Limits,
    Place,
    Suggested,
    arrives_on,
    sold_at,
    suggest_transfers,
)

__all__ = [
    "Aged",
    "Candidate",
    "Criterion",
    "Gap",
    "Limits",
    "Place",
    "Plan",
    "Policy",
    "Pool",
    "Rejection",
    "Suggested",
    "Supply",
    "Take",
    "Verdict",
    "Want",
    "abc_classes",
    "aged",
    "arrives_on",
    "as_steps",
    "carriage",
    "check_digit",
    "countable",
    "excess_of",
    "from_steps",
    "issue",
    "leaves_on",
    "moved_on",
    "plan",
    "sold_at",
    "sscc",
    "suggest_transfers",
    "valued",
    "xyz_class",
]

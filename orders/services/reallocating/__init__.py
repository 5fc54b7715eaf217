"""Shares out anew what orders hold, and takes stock for one of them: simulated, agreed, done."""

from orders.services.reallocating._agreeing import (
    approve_reallocation,
    commit_run,
    discard_run,
    follow_reallocation_approval,
    propose_override,
    reject_reallocation,
)
from orders.services.reallocating._refusing import (
    BadReallocation,
    NotDecided,
    NotEnoughToTake,
    Overtaken,
)
from orders.services.reallocating._simulating import (
    foresee_override,
    propose_reallocation,
    simulate_queued,
)

__all__ = [
    "BadReallocation",
    "NotDecided",
    "NotEnoughToTake",
    "Overtaken",
    "approve_reallocation",
    "commit_run",
    "discard_run",
    "follow_reallocation_approval",
    "foresee_override",
    "propose_override",
    "propose_reallocation",
    "reject_reallocation",
    "simulate_queued",
]

"""Asks the policies about orders: their class, and every check before they are released.

The accounts and orders are locked by the caller (`lock_orders`). A check is set-based: it gets all
orders of the batch and answers with the holds they need and the decisions to keep. Every check
runs, whatever the others say. Credit is not among `CHECKS`: it runs last, in turn, and must know
which orders the others stopped.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from erp.governance.services import Answer
from orders.models import Hold
from orders.services._checking._case import Case, Finding, Stop, cases_of
from orders.services._checking._classifying import classify
from orders.services._checking._completeness import check_completeness
from orders.services._checking._compliance import check_compliance, check_compliance_again
from orders.services._checking._credit import check_credit, credit_stops

Check = Callable[[Sequence[Case], datetime], Finding]

CHECKS: Mapping[str, Check] = {
    Hold.Kind.COMPLETENESS.value: check_completeness,
    Hold.Kind.COMPLIANCE.value: check_compliance,
}


def run_checks(
    cases: Sequence[Case], now: datetime, *, kinds: Collection[str] | None = None
) -> Finding:
    """Run every check but credit, or those of `kinds`, on all orders; nothing is kept yet."""
    stops: list[Stop] = []
    answers: list[Answer] = []
    for kind, check in CHECKS.items():
        if cases and (kinds is None or kind in kinds):
            finding = check(cases, now)
            stops += finding.stops
            answers += finding.answers
    return Finding(stops, answers)


__all__ = [
    "CHECKS",
    "Case",
    "Check",
    "Finding",
    "Stop",
    "cases_of",
    "check_compliance_again",
    "check_credit",
    "classify",
    "credit_stops",
    "run_checks",
]

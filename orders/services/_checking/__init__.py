"""Asks the policies about orders: their class, and every check before they are released.

The accounts and orders are locked by the caller (`lock_orders`). A check is set-based: it gets all
orders of the batch and answers with the holds they need and the decisions to keep. Every check
runs, whatever the others say. Credit is not among `CHECKS`: it runs last, in turn, and must know
which orders the others stopped. `PLANNED` checks also get the dry run of allocation, made once.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from erp.governance.services import Answer
from orders.models import Hold
from orders.services._checking._case import Case, Finding, Stop, cases_of
from orders.services._checking._classifying import classify
from orders.services._checking._completeness import check_completeness
from orders.services._checking._compliance import check_compliance, check_compliance_again
from orders.services._checking._credit import POLICY as CREDIT_POLICY
from orders.services._checking._credit import check_credit, credit_inputs, credit_stops
from orders.services._checking._duplicate import check_duplicate
from orders.services._checking._margin import check_margin
from orders.services._checking._planning import Plan, plan_orders
from orders.services._checking._price import check_price
from orders.services._checking._promise import check_promise

Check = Callable[[Sequence[Case], datetime], Finding]
PlannedCheck = Callable[[Sequence[Case], Mapping[int, Plan], datetime], Finding]

CHECKS: Mapping[str, Check] = {
    Hold.Kind.COMPLETENESS.value: check_completeness,
    Hold.Kind.COMPLIANCE.value: check_compliance,
    Hold.Kind.PRICE.value: check_price,
    Hold.Kind.DUPLICATE.value: check_duplicate,
}
PLANNED: Mapping[str, PlannedCheck] = {
    Hold.Kind.MARGIN.value: check_margin,
    Hold.Kind.PROMISE.value: check_promise,
}
KINDS = frozenset({*CHECKS, *PLANNED, Hold.Kind.CREDIT.value})


def run_checks(cases: Sequence[Case], now: datetime, *, kinds: Collection[str] = KINDS) -> Finding:
    """Run every check of `kinds` but credit on all orders; nothing is kept yet.

    Earlier orders take their part of the stock before later ones.
    """
    stops: list[Stop] = []
    answers: list[Answer] = []
    plans: Mapping[int, Plan] = {}
    if cases and any(kind in PLANNED for kind in kinds):
        plans = plan_orders(cases, now)
    found = [check(cases, now) for kind, check in CHECKS.items() if cases and kind in kinds]
    found += [
        check(cases, plans, now) for kind, check in PLANNED.items() if cases and kind in kinds
    ]
    ruled: set[int] = set()
    for finding in found:
        stops += finding.stops
        answers += finding.answers
        ruled |= {*finding.ruled}
    return Finding(stops, answers, plans, ruled)


__all__ = [
    "CHECKS",
    "CREDIT_POLICY",
    "KINDS",
    "PLANNED",
    "Case",
    "Check",
    "Finding",
    "Plan",
    "PlannedCheck",
    "Stop",
    "cases_of",
    "check_compliance",
    "check_compliance_again",
    "check_credit",
    "classify",
    "credit_inputs",
    "credit_stops",
    "run_checks",
]

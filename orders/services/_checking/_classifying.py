"""How urgent an order is."""

from collections.abc import Sequence

from erp.governance.services import Answer
from orders.services._checking._case import Case, ask


def classify(cases: Sequence[Case]) -> Sequence[Answer]:
    """Ask for each order's class and priority; nothing is kept yet."""
    facts = [
        {
            "tier": case.tier,
            "channel": case.channel,
            "penalty_rate": case.penalty_rate,
            "total": case.total,
            "days_to_request": (case.requested_date - case.today).days,
        }
        for case in cases
    ]
    return ask("orders.classify", cases, facts)

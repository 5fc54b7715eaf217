"""Whether an order can be met as requested, and what could be instead."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from orders.models import Hold
from orders.services._checking._case import Case, Finding, ask_each
from orders.services._checking._planning import Plan


def check_promise(cases: Sequence[Case], plans: Mapping[int, Plan], now: datetime) -> Finding:
    """Ask of each order if what can be done is near enough to what was requested."""
    facts = []
    for case in cases:
        plan = plans[case.id]
        possible = None if plan.unsourced_lines else plan.possible_date
        facts.append(
            {
                "days_late": max(0, (possible - case.requested_date).days) if possible else None,
                "short_lines": plan.short_lines,
                "unsourced_lines": plan.unsourced_lines,
                "shipments": plan.shipments,
                "days_to_request": (case.requested_date - case.today).days,
                "ship_complete": case.ship_complete,
                "tier": case.tier,
                "channel": case.channel,
            }
        )
    return ask_each("orders.release.promise", Hold.Kind.PROMISE.value, cases, facts)

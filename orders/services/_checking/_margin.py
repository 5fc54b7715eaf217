"""Whether an order earns enough on what its goods cost until they are with the customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import Question, decide
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from inventory.rules import carriage
from orders.models import Hold
from orders.rules import Landed, margin
from orders.services._checking._case import Case, Finding, ask_each
from orders.services._checking._planning import Carrier, Plan

ZERO = Decimal(0)
FLOOR = "orders.margin.floor"

WORTH = Prepared("""
    SELECT l.order_id, p.category, sum(l.amount),
           sum(l.amount) FILTER (WHERE c.quantity > 0),
           sum(l.quantity * c.value / c.quantity) FILTER (WHERE c.quantity > 0),
           sum(l.quantity * p.weight), count(*) FILTER (WHERE c.quantity IS NULL OR c.quantity = 0)
    FROM orders_orderline l
    JOIN orders_order o ON o.id = l.order_id
    JOIN inventory_product p ON p.id = l.product_id
    LEFT JOIN inventory_productcost c ON c.product_id = p.id AND c.entity_id = o.entity_id
    WHERE l.order_id = ANY(%(ids)s) AND l.quantity > l.cancelled
    GROUP BY l.order_id, p.category
""")


@dataclass(frozen=True, slots=True)
class _Worth:
    """What the lines of one order in one category bring and cost, in the entity's currency.

    `costed` is the part of `revenue` whose cost is known. `weight` is kilograms.
    """

    category: str
    revenue: Decimal
    costed: Decimal
    cost: Decimal
    weight: Decimal
    uncosted: int


@dataclass(frozen=True, slots=True)
class _Result:
    found: Decimal | None = None
    worst_gap: Decimal | None = None
    category: str | None = None
    uncosted: int = 0


def check_margin(cases: Sequence[Case], plans: Mapping[int, Plan], now: datetime) -> Finding:
    """Ask of each order if it earns its floor on landed cost.

    Floors are the policy's, by category and tier. Two queries. Orders in another currency than
    their entity's, and lines whose product has no cost yet, have no margin that anybody knows.
    """
    worth: dict[int, list[_Worth]] = {}
    for order_id, *rest in rows(WORTH, {"ids": [case.id for case in cases]}):
        category, revenue, costed, cost, weight, uncosted = rest
        worth.setdefault(order_id, []).append(
            _Worth(category, revenue, costed or ZERO, cost or ZERO, weight, uncosted)
        )
    floors = _floors(cases, worth, now)
    facts: list[dict[str, Any]] = []
    for case in cases:
        result = _result(case, worth.get(case.id, []), plans[case.id], floors)
        facts.append(
            {
                "margin": result.found,
                "worst_gap": result.worst_gap,
                "category": result.category or None,
                "uncosted": result.uncosted,
                "other_currency": case.currency != case.entity_currency,
                "total": case.total,
                "tier": case.tier,
                "channel": case.channel,
            }
        )
    return ask_each("orders.release.margin", Hold.Kind.MARGIN.value, cases, facts)


def _result(
    case: Case,
    parts: Sequence[_Worth],
    plan: Plan,
    floors: Mapping[tuple[int, str, str], Decimal],
) -> _Result:
    """Share freight and surcharges out by weight, and compare each category with its floor."""
    uncosted = sum(part.uncosted for part in parts)
    known = [part for part in parts if part.costed > 0]
    if not known or case.currency != case.entity_currency:
        return _Result(uncosted=uncosted)
    extra = _carriage(case, plan, sum((part.weight for part in parts), ZERO))
    weights = sum((part.weight for part in parts), ZERO)
    revenues = sum((part.revenue for part in parts), ZERO)
    worst: tuple[Decimal, str] | None = None
    earned, landed = ZERO, ZERO
    for part in known:
        by_worth = part.costed / part.revenue
        part_of = (part.weight / weights if weights else part.revenue / revenues) * by_worth
        revenue = part.costed + case.freight * part.costed / revenues
        cost = part.cost + extra * part_of
        earned, landed = earned + revenue, landed + cost
        found = margin(revenue, Landed(cost))
        if found is not None:
            gap = found - floors[case.entity_id, case.tier, part.category]
            worst = min(worst, (gap, part.category)) if worst else (gap, part.category)
    return _Result(
        margin(earned, Landed(landed)),
        worst[0] if worst else None,
        worst[1] if worst else None,
        uncosted,
    )


def _carriage(case: Case, plan: Plan, weight: Decimal) -> Decimal:
    """Return what carriage, further shipments and haste cost; zero where nobody knows a rate."""
    usual = plan.carrier
    if usual is None or usual.currency != case.entity_currency:
        return ZERO
    freight = carriage(weight, base=usual.base_rate, per_kg=usual.rate_per_kg)
    split = usual.base_rate * max(0, plan.shipments - 1)
    return freight + split + _expedite(case, plan, usual, weight, freight)


def _expedite(case: Case, plan: Plan, usual: Carrier, weight: Decimal, freight: Decimal) -> Decimal:
    """Return what the fastest carrier costs more, where a future day needs it and it would do."""
    days = (case.requested_date - case.today).days
    if days <= 0 or days > usual.transit_days or plan.is_feasible:
        return ZERO
    faster = [
        each
        for each in plan.carriers
        if each.is_active
        and each.currency == usual.currency
        and each.transit_days < usual.transit_days
    ]
    if not faster:
        return ZERO
    fastest = min(faster, key=lambda each: (each.transit_days, each.base_rate, each.id))
    cost = carriage(weight, base=fastest.base_rate, per_kg=fastest.rate_per_kg)
    return max(ZERO, cost - freight)


def _floors(
    cases: Sequence[Case], worth: Mapping[int, Sequence[_Worth]], now: datetime
) -> dict[tuple[int, str, str], Decimal]:
    """Return the floor of each entity, tier and category that occurs. Nothing is kept of it."""
    keys = sorted({
        (case.entity_id, case.tier, part.category)
        for case in cases
        for part in worth.get(case.id, ())
    })  # fmt: skip
    if not keys:
        return {}
    questions = [
        Question(entity_id, "orders.order", 0, {"tier": tier, "category": category or None})
        for entity_id, tier, category in keys
    ]
    found = decide(policy=FLOOR, questions=questions, now=now, keep=False)
    return {
        key: Decimal(decision.outcome["floor"]) for key, decision in zip(keys, found, strict=True)
    }

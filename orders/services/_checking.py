"""Asks the policies about orders: their class, whether they are complete, whether credit allows.

The accounts and orders are locked by the caller (`lock_orders`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from erp.governance.services import Decision, Question, decide
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.rules import PART_OF, in_cents, passes_in_turn, taken_before

FACTS = Prepared(f"""
    SELECT o.id, o.number, o.entity_id, o.account_id, o.state, o.created_by_id, o.currency,
           o.channel, o.customer_po, o.priority, o.requested_date,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date,
           o.ship_to ? 'address' OR o.ship_to ? 'city' OR o.ship_to ? 'country',
           o.total, o.freight, line.open, line.lines, line.blocked,
           c.tier, c.is_blocked, a.penalty_rate, a.credit_limit, a.on_hold,
           a.receivable + a.unbilled + a.committed - a.unapplied,
           a.overdue_amount, a.overdue_since,
           ARRAY(SELECT h.kind FROM orders_hold h
                 WHERE h.order_id = o.id AND h.state = 'active' ORDER BY h.kind),
           EXISTS (SELECT FROM orders_hold h
                   WHERE h.order_id = o.id AND h.kind = 'credit' AND h.state = 'lifted'
                     AND h.lifted_by_id IS NOT NULL)
    FROM orders_order o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(
                   l.amount - {
    PART_OF.format(amount="l.amount", done="l.cancelled + l.shipped", quantity="l.quantity")
}
               ), 0) AS open,
               count(*) FILTER (WHERE l.quantity > l.cancelled) AS lines,
               count(*) FILTER (WHERE p.is_blocked) AS blocked
        FROM orders_orderline l JOIN inventory_product p ON p.id = l.product_id
        WHERE l.order_id = o.id
    ) AS line
    WHERE o.id = ANY(%(ids)s)
    ORDER BY o.id
""")  # noqa: S608  the parts are our own

ORDER = "orders.order"


@dataclass(frozen=True, slots=True)
class Case:
    """What the policies may know about one order. `open` is what its lines still commit."""

    id: int
    number: str
    entity_id: int
    account_id: int
    state: str
    created_by_id: int | None
    currency: str
    channel: str
    customer_po: str
    priority: int
    requested_date: date
    today: date
    has_address: bool
    total: Decimal
    freight: Decimal
    open: Decimal
    lines: int
    blocked_products: int
    tier: str
    customer_blocked: bool
    penalty_rate: Decimal
    limit: Decimal
    on_hold: bool
    exposure: Decimal
    overdue_amount: Decimal
    overdue_since: date | None
    active_holds: list[str]
    credit_lifted: bool

    @property
    def commits(self) -> Decimal:
        """What releasing the order adds to its account, to a hundredth of a cent."""
        return self.open + self.freight


def cases_of(order_ids: Collection[int], now: datetime) -> list[Case]:
    """Return the facts of each order, by id. One query."""
    return [Case(*row) for row in rows(FACTS, {"ids": list(order_ids), "now": now})]


def classify(cases: Sequence[Case], now: datetime) -> list[Decision]:
    """Ask for each order's class and priority."""
    questions = [
        Question(
            entity_id=case.entity_id,
            subject_kind=ORDER,
            subject_id=case.id,
            facts={
                "tier": case.tier,
                "channel": case.channel,
                "penalty_rate": case.penalty_rate,
                "total": case.total,
                "days_to_request": (case.requested_date - case.today).days,
            },
        )
        for case in cases
    ]
    return decide(policy="orders.classify", questions=questions, now=now)


def check_completeness(cases: Sequence[Case], now: datetime) -> list[Decision]:
    """Ask of each order if everything is there that shipping and invoicing need."""
    questions = [
        Question(
            entity_id=case.entity_id,
            subject_kind=ORDER,
            subject_id=case.id,
            facts={
                "lines": case.lines,
                "total": case.total,
                "has_address": case.has_address,
                "customer_blocked": case.customer_blocked,
                "blocked_products": case.blocked_products,
                "customer_po": case.customer_po or None,
                "tier": case.tier,
                "channel": case.channel,
            },
        )
        for case in cases
    ]
    return decide(policy="orders.release.completeness", questions=questions, now=now)


def check_credit(
    cases: Sequence[Case], stopped: Collection[int], now: datetime, *, keep: bool = True
) -> list[Decision]:
    """Ask of each order if its account's credit allows it, in the order given.

    Orders of one account count against its limit one after the other, but for those that do not go
    on (`stopped` by another hold, or held by an answer before). Which ones go on is guessed, asked
    about, and corrected until guess and answers agree; no later answer changes an earlier one.
    """
    accounts: dict[int, list[int]] = {}
    for position, case in enumerate(cases):
        accounts.setdefault(case.account_id, []).append(position)
    if len(accounts) == len(cases):
        return _ask_credit(cases, [Decimal(0)] * len(cases), now, keep=keep)
    goes = _guess(cases, accounts, stopped)
    while True:
        taken = _taken(cases, accounts, goes)
        decisions = _ask_credit(cases, taken, now, keep=False)
        said = [
            not decision.outcome["hold"] and case.id not in stopped
            for case, decision in zip(cases, decisions, strict=True)
        ]
        wrong = [
            next(p for p in positions if goes[p] != said[p])
            for positions in accounts.values()
            if any(goes[p] != said[p] for p in positions)
        ]
        if not wrong:
            return _ask_credit(cases, taken, now, keep=True) if keep else decisions
        for first in wrong:
            goes[first] = said[first]


def _guess(
    cases: Sequence[Case], accounts: dict[int, list[int]], stopped: Collection[int]
) -> list[bool]:
    goes = [False] * len(cases)
    for positions in accounts.values():
        candidates = [p for p in positions if cases[p].id not in stopped]
        room = cases[positions[0]].limit - cases[positions[0]].exposure
        fits = passes_in_turn(room, [cases[p].commits for p in candidates])
        for position, passes in zip(candidates, fits, strict=True):
            goes[position] = passes
    return goes


def _taken(
    cases: Sequence[Case], accounts: dict[int, list[int]], goes: Sequence[bool]
) -> list[Decimal]:
    """Return by how much the orders before each, of its account, raise the exposure."""
    taken = [Decimal(0)] * len(cases)
    for positions in accounts.values():
        before = taken_before([cases[p].commits for p in positions], [goes[p] for p in positions])
        for position, amount in zip(positions, before, strict=True):
            taken[position] = amount
    return taken


def _ask_credit(
    cases: Sequence[Case], taken: Sequence[Decimal], now: datetime, *, keep: bool
) -> list[Decision]:
    questions = []
    for case, before in zip(cases, taken, strict=True):
        after = case.exposure + before + in_cents(case.commits)
        since = case.overdue_since
        questions.append(
            Question(
                entity_id=case.entity_id,
                subject_kind=ORDER,
                subject_id=case.id,
                facts={
                    "limit": case.limit,
                    "exposure_after": after,
                    "used": round(after / case.limit, 6) if case.limit else None,
                    "overdue_days": (case.today - since).days if since else 0,
                    "overdue_amount": case.overdue_amount,
                    "total": case.total,
                    "on_hold": case.on_hold,
                    "tier": case.tier,
                },
            )
        )
    return decide(policy="orders.release.credit", questions=questions, now=now, keep=keep)

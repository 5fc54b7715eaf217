"""What the policies may know about orders, and what they answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from erp.governance.services import Answer, Decision, Question, ask_policy
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.rules import PART_OF

ORDER = "orders.order"

FACTS = Prepared(f"""
    SELECT o.id, o.number, o.entity_id, o.account_id, o.state, o.created_by_id, o.currency,
           o.channel, o.customer_po, o.priority, o.requested_date,
           (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date, %(now)s::timestamptz,
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
    now: datetime
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


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason why one order does not go on, and who may say that it does.

    `facts` are what the hold shows: plain values, amounts as text in the order's currency.
    """

    case: Case
    kind: str
    owner_role: str
    reason: str
    policy_version: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def by(
        cls, decision: Decision, case: Case, kind: str, facts: Mapping[str, Any] | None = None
    ) -> "Stop":
        """Read a policy's answer."""
        outcome = decision.outcome
        return cls(
            case,
            kind,
            outcome["owner_role"],
            outcome["reason"],
            decision.policy_version,
            facts or {},
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to: what it stops, and every answer that is to be kept."""

    stops: Sequence[Stop] = ()
    answers: Sequence[Answer] = ()


def ask_each(
    policy: str, kind: str, cases: Sequence[Case], facts: Sequence[Mapping[str, Any]]
) -> Finding:
    """Ask one policy about each order, with the facts in the same order.

    An order is stopped where its outcome `hold` says so; the hold shows what was asked.
    """
    answers = ask(policy, cases, facts)
    stops = [
        Stop.by(answer.decision, case, kind, answer.question.facts)
        for case, answer in zip(cases, answers, strict=True)
        if answer.decision.outcome["hold"]
    ]
    return Finding(stops, answers)


def ask(policy: str, cases: Sequence[Case], facts: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Ask one policy about each order, as of the moment at which the orders were read."""
    questions = [
        Question(case.entity_id, ORDER, case.id, each)
        for case, each in zip(cases, facts, strict=True)
    ]
    return ask_policy(policy=policy, questions=questions, now=cases[0].now) if cases else []

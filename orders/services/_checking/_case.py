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

# What stands in a case, in the order of its fields.
COLUMNS = {
    "id": "o.id",
    "number": "o.number",
    "entity_id": "o.entity_id",
    "account_id": "o.account_id",
    "customer_id": "o.customer_id",
    "state": "o.state",
    "created_by_id": "o.created_by_id",
    "created_at": "o.created_at",
    "currency": "o.currency",
    "entity_currency": "e.currency",
    "channel": "o.channel",
    "customer_po": "o.customer_po",
    "priority": "o.priority",
    "requested_date": "o.requested_date",
    "today": "today.day",
    "now": "%(now)s::timestamptz",
    "has_address": "o.ship_to ? 'address' OR o.ship_to ? 'city' OR o.ship_to ? 'country'",
    "ship_country": "coalesce(o.ship_to ->> 'country', '')",
    "total": "o.total",
    "freight": "o.freight",
    "carrier_id": "o.carrier_id",
    "ship_complete": "o.ship_complete",
    "no_split": "o.no_split",
    "no_substitutes": "o.no_substitutes",
    "open": "line.open",
    "lines": "line.lines",
    "blocked_products": "line.blocked",
    "unknown_uoms": "line.unknown_uoms",
    "below_minimum": "line.below_minimum",
    "off_multiple": "line.off_multiple",
    "fingerprint": "line.fingerprint",
    "tier": "c.tier",
    "customer_week": "c.calendar_id",
    "country": "c.country",
    "has_tax_id": "c.tax_id <> ''",
    "customer_blocked": "c.is_blocked",
    "penalty_rate": "a.penalty_rate",
    "terms_days": "a.terms_days",
    "agreed_terms_days": "a.agreed_terms_days",
    "limit": """CASE WHEN today.day BETWEEN a.temporary_from AND a.temporary_until
                THEN a.temporary_limit ELSE a.credit_limit END""",
    "limit_until": "a.limit_until",
    "order_limit": "nullif(a.order_limit, 0)",
    "on_hold": "a.on_hold",
    "exposure": """a.receivable + a.unbilled + a.committed - a.unapplied
                - CASE WHEN a.insured_until < today.day THEN 0 ELSE a.insured_amount END""",
    "overdue_amount": "a.overdue_amount",
    "overdue_since": "a.overdue_since",
    "paid_count": "a.paid_count",
    "paid_late_count": "a.paid_late_count",
    "paid_late_days": "a.paid_late_days",
    "active_holds": """ARRAY(SELECT h.kind FROM orders_hold h
                WHERE h.order_id = o.id AND h.state = 'active' ORDER BY h.kind)""",
    "forced_holds": """ARRAY(SELECT h.kind FROM orders_hold h
                WHERE h.order_id = o.id AND h.state = 'active' AND h.is_forced ORDER BY h.kind)""",
    "lifted_holds": """ARRAY(SELECT DISTINCT h.kind FROM orders_hold h
                WHERE h.order_id = o.id AND h.state = 'lifted' AND h.lifted_by_id IS NOT NULL
                  AND (h.valid_until IS NULL OR h.valid_until >= today.day) ORDER BY h.kind)""",
}

FACTS = Prepared(f"""
    SELECT {", ".join(COLUMNS.values())}
    FROM orders_order o
    JOIN accounts_entity e ON e.id = o.entity_id
    JOIN orders_customer c ON c.id = o.customer_id
    JOIN orders_creditaccount a ON a.id = o.account_id
    CROSS JOIN LATERAL (
        SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    ) AS today (day)
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(
                   l.amount - {
    PART_OF.format(amount="l.amount", done="l.cancelled + l.shipped", quantity="l.quantity")
}
               ), 0) AS open,
               count(*) FILTER (WHERE l.quantity > l.cancelled) AS lines,
               count(*) FILTER (WHERE p.is_blocked AND l.quantity > l.cancelled) AS blocked,
               count(*) FILTER (
                   WHERE l.quantity > l.cancelled AND l.uom <> p.base_uom AND NOT EXISTS (
                       SELECT FROM inventory_productuom u
                       WHERE u.product_id = p.id AND u.code = l.uom
                   )
               ) AS unknown_uoms,
               count(*) FILTER (
                   WHERE l.quantity > l.cancelled AND l.quantity - l.cancelled < p.order_min
               ) AS below_minimum,
               count(*) FILTER (
                   WHERE p.order_multiple > 0
                     AND mod(l.quantity - l.cancelled, p.order_multiple) <> 0
               ) AS off_multiple,
               md5(string_agg(
                   l.product_id || ':' || (l.quantity - l.cancelled), ','
                   ORDER BY l.product_id, l.quantity - l.cancelled
               ) FILTER (WHERE l.quantity > l.cancelled)) AS fingerprint
        FROM orders_orderline l JOIN inventory_product p ON p.id = l.product_id
        WHERE l.order_id = o.id
    ) AS line
    WHERE o.id = ANY(%(ids)s)
    ORDER BY o.id
""")  # noqa: S608  the parts are our own


@dataclass(frozen=True, slots=True)
class Case:
    """What the policies may know about one order, in the order of `COLUMNS`.

    `open` is what its lines still commit. `limit` is the one that counts today, `exposure` is net
    of insurance; both in the order's currency. `lifted_holds` are the kinds that their owner lifted
    and that are still good.
    """

    id: int
    number: str
    entity_id: int
    account_id: int
    customer_id: int
    state: str
    created_by_id: int | None
    created_at: datetime
    currency: str
    entity_currency: str
    channel: str
    customer_po: str
    priority: int
    requested_date: date
    today: date
    now: datetime
    has_address: bool
    ship_country: str
    total: Decimal
    freight: Decimal
    carrier_id: int | None
    ship_complete: bool
    no_split: bool
    no_substitutes: bool
    open: Decimal
    lines: int
    blocked_products: int
    unknown_uoms: int
    below_minimum: int
    off_multiple: int
    fingerprint: str | None
    tier: str
    customer_week: int | None
    country: str
    has_tax_id: bool
    customer_blocked: bool
    penalty_rate: Decimal
    terms_days: int
    agreed_terms_days: int | None
    limit: Decimal
    limit_until: date | None
    order_limit: Decimal | None
    on_hold: bool
    exposure: Decimal
    overdue_amount: Decimal
    overdue_since: date | None
    paid_count: int
    paid_late_count: int
    paid_late_days: int
    active_holds: list[str]
    forced_holds: list[str]
    lifted_holds: list[str]

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
    """What checks came to: what they stop, every answer to be kept, and the orders' plans.

    `ruled` are the orders that export control says something about.
    """

    stops: Sequence[Stop] = ()
    answers: Sequence[Answer] = ()
    plans: Mapping[int, Any] = field(default_factory=dict)
    ruled: Collection[int] = ()


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


def ask(policy: str, cases: Sequence[Case], facts: Sequence[Mapping[str, Any]]) -> Sequence[Answer]:
    """Ask one policy about each order, as of the moment at which the orders were read."""
    questions = [
        Question(case.entity_id, ORDER, case.id, each)
        for case, each in zip(cases, facts, strict=True)
    ]
    return ask_policy(policy=policy, questions=questions, now=cases[0].now) if cases else ()

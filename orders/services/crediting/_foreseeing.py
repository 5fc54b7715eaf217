"""What the credit policy would say of the next order of an account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from django.db import transaction

from erp.governance.services import Decision, Question, ask_policy
from erp.kernel.prepared import Prepared
from erp.kernel.sql import rows
from orders.rules import payment_score
from orders.services._checking import CREDIT_POLICY, credit_inputs
from orders.services._checking._case import COLUMNS

SMALLEST = Decimal("0.01")
NAMES = (
    "account_id", "entity_id", "currency", "tier", "today", "limit", "exposure", "on_hold",
    "terms_days", "agreed_terms_days", "limit_until", "order_limit", "overdue_amount",
    "overdue_since", "paid_count", "paid_late_count", "paid_late_days",
)  # fmt: skip
OWN = {"account_id": "a.id", "entity_id": "a.entity_id", "currency": "a.currency"}
LIMITS_MAX = 50

ACCOUNTS = Prepared(f"""
    SELECT {", ".join(OWN.get(name) or COLUMNS[name] for name in NAMES)},
           CASE WHEN a.insured_until < today.day THEN 0 ELSE a.insured_amount END,
           a.insured_until,
           CASE WHEN today.day BETWEEN a.temporary_from AND a.temporary_until
                THEN a.temporary_until END
    FROM orders_creditaccount a
    JOIN accounts_entity e ON e.id = a.entity_id
    JOIN orders_customer c ON c.id = a.customer_id
    CROSS JOIN LATERAL (
        SELECT (%(now)s::timestamptz AT TIME ZONE e.time_zone)::date
    ) AS today (day)
    WHERE a.customer_id = %(customer)s AND a.entity_id = ANY(%(entities)s)
    ORDER BY a.id
    LIMIT {LIMITS_MAX}
""")  # noqa: S608  the parts are our own


@dataclass(frozen=True, slots=True)
class Account:
    """One account as credit looks at it today; `total` is that of the order supposed."""

    account_id: int
    entity_id: int
    currency: str
    tier: str
    today: date
    limit: Decimal
    exposure: Decimal
    on_hold: bool
    terms_days: int
    agreed_terms_days: int | None
    limit_until: date | None
    order_limit: Decimal | None
    overdue_amount: Decimal
    overdue_since: date | None
    paid_count: int
    paid_late_count: int
    paid_late_days: int
    insured: Decimal
    insured_until: date | None
    temporary_until: date | None
    total: Decimal = SMALLEST


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the policy would say of an order of `total`: held and why, or not. `row` from one."""

    total: Decimal
    is_held: bool
    reason: str
    policy_version: str
    row: int | None


@dataclass(frozen=True, slots=True)
class CreditOutlook:
    """One account's credit today, in its currency, and what it means for the next orders.

    `limit` is the one that counts today; `exposure` is net of `insured`; `room` is what is left,
    never below zero; `score` is 0 to 100, none without a history. `smallest` is said of any order
    at all; `turning` of the smallest that is held, which is `passes` and a cent, or of one a cent
    above the room where that passes too.
    """

    account_id: int
    entity_id: int
    currency: str
    limit: Decimal
    is_temporary_until: date | None
    limit_until: date | None
    order_limit: Decimal | None
    insured: Decimal
    insured_until: date | None
    exposure: Decimal
    room: Decimal
    agreed_terms_days: int | None
    score: int | None
    paid_count: int
    paid_late_count: int
    smallest: Foreseen
    turning: Foreseen

    @property
    def passes(self) -> Decimal:
        """The largest order that the rules let pass, as far as the room goes."""
        return max(self.turning.total - SMALLEST, Decimal(0))


@transaction.atomic
def foresee_credit(
    *, customer_id: int, entity_ids: Collection[int], now: datetime
) -> list[CreditOutlook]:
    """Return the outlook of the customer's accounts in these entities, by id; nothing is kept.

    Asked of the policy in force, which is taken to hold a larger order wherever it holds a smaller
    one. One query and what reading the policy takes.
    """
    params = {"customer": customer_id, "entities": sorted(entity_ids), "now": now}
    accounts = [Account(*row) for row in rows(ACCOUNTS, params)]
    smallest = _ask([replace(each, total=SMALLEST) for each in accounts], now)
    beyond = _ask([replace(each, total=_room(each) + SMALLEST) for each in accounts], now)
    turning = _turns(accounts, smallest, beyond, now)
    return [_outlook(*found) for found in zip(accounts, smallest, turning, strict=True)]


def _turns(
    accounts: Sequence[Account],
    smallest: Sequence[Foreseen],
    beyond: Sequence[Foreseen],
    now: datetime,
) -> list[Foreseen]:
    """Return what is said of the smallest order that is held, to the cent; see `foresee_credit`."""
    found = list(beyond)
    open_ = {
        place: (SMALLEST, each.total)
        for place, each in enumerate(beyond)
        if each.is_held and not smallest[place].is_held
    }
    while open_ := {p: (lo, hi) for p, (lo, hi) in open_.items() if hi - lo > SMALLEST}:
        tried = [((lo + hi) / 2).quantize(SMALLEST, ROUND_DOWN) for lo, hi in open_.values()]
        supposed = [replace(accounts[p], total=t) for p, t in zip(open_, tried, strict=True)]
        for place, said in zip(list(open_), _ask(supposed, now), strict=True):
            lo, hi = open_[place]
            if said.is_held:
                found[place], open_[place] = said, (lo, said.total)
            else:
                open_[place] = (said.total, hi)
    return found


def _ask(supposed: Sequence[Account], now: datetime) -> list[Foreseen]:
    questions = [
        Question(
            entity_id=each.entity_id,
            subject_kind="orders.account",
            subject_id=each.account_id,
            facts=credit_inputs(each, each.exposure + each.total),
        )
        for each in supposed
    ]
    answers = ask_policy(policy=CREDIT_POLICY, questions=questions, now=now)
    return [_foreseen(each, a.decision) for each, a in zip(supposed, answers, strict=True)]


def _room(account: Account) -> Decimal:
    room = max(account.limit - account.exposure, Decimal(0))
    return room.quantize(SMALLEST, ROUND_DOWN)


def _foreseen(account: Account, decision: Decision) -> Foreseen:
    return Foreseen(
        total=account.total,
        is_held=bool(decision.outcome["hold"]),
        reason=str(decision.outcome["reason"] or ""),
        policy_version=decision.policy_version,
        row=None if decision.row is None else decision.row + 1,
    )


def _outlook(account: Account, smallest: Foreseen, turning: Foreseen) -> CreditOutlook:
    return CreditOutlook(
        account_id=account.account_id,
        entity_id=account.entity_id,
        currency=account.currency,
        limit=account.limit,
        is_temporary_until=account.temporary_until,
        limit_until=account.limit_until,
        order_limit=account.order_limit,
        insured=account.insured,
        insured_until=account.insured_until,
        exposure=account.exposure,
        room=_room(account),
        agreed_terms_days=account.agreed_terms_days,
        score=payment_score(account.paid_count, account.paid_late_count, account.paid_late_days),
        paid_count=account.paid_count,
        paid_late_count=account.paid_late_count,
        smallest=smallest,
        turning=turning,
    )

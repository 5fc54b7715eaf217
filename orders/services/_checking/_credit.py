"""Whether the account's credit allows the order; asked last, knowing what others stopped."""

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from erp.governance.services import Answer
from orders.models import Hold
from orders.rules import days_since, in_cents, passes_in_turn, payment_score, taken_before
from orders.services._checking._case import Case, Stop, ask

POLICY = "orders.release.credit"


class Owing(Protocol):
    """An account and one order, real or supposed, as credit looks at them; see `Case`."""

    @property
    def limit(self) -> Decimal: ...
    @property
    def today(self) -> date: ...
    @property
    def overdue_since(self) -> date | None: ...
    @property
    def overdue_amount(self) -> Decimal: ...
    @property
    def limit_until(self) -> date | None: ...
    @property
    def order_limit(self) -> Decimal | None: ...
    @property
    def terms_days(self) -> int: ...
    @property
    def agreed_terms_days(self) -> int | None: ...
    @property
    def paid_count(self) -> int: ...
    @property
    def paid_late_count(self) -> int: ...
    @property
    def paid_late_days(self) -> int: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def on_hold(self) -> bool: ...
    @property
    def tier(self) -> str: ...


def check_credit(
    cases: Sequence[Case], stopped: Collection[int], *, is_committed: bool = False
) -> Sequence[Answer]:
    """Ask of each order if its account's credit allows it, in the order given.

    Orders of one account count against its limit one after the other, but for those that do not go
    on (`stopped` by another hold, or held by an answer before). Which ones go on is guessed, asked
    about, and corrected until guess and answers agree; no later answer changes an earlier one.
    With `is_committed` they count in their account's exposure already. Nothing is kept yet.
    """
    if is_committed:
        return _ask_credit(cases, [-in_cents(case.commits) for case in cases])
    accounts: dict[int, list[int]] = {}
    for position, case in enumerate(cases):
        accounts.setdefault(case.account_id, []).append(position)
    if len(accounts) == len(cases):
        return _ask_credit(cases, [Decimal(0)] * len(cases))
    goes = _guess(cases, accounts, stopped)
    while True:
        taken = _taken(cases, accounts, goes)
        answers = _ask_credit(cases, taken)
        said = [
            not answer.decision.outcome["hold"] and case.id not in stopped
            for case, answer in zip(cases, answers, strict=True)
        ]
        wrong = [
            next(p for p in positions if goes[p] != said[p])
            for positions in accounts.values()
            if any(goes[p] != said[p] for p in positions)
        ]
        if not wrong:
            return answers
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


def _ask_credit(cases: Sequence[Case], taken: Sequence[Decimal]) -> Sequence[Answer]:
    facts = [
        credit_inputs(case, case.exposure + before + in_cents(case.commits))
        for case, before in zip(cases, taken, strict=True)
    ]
    return ask(POLICY, cases, facts)


def credit_inputs(case: Owing, after: Decimal) -> dict[str, Any]:
    """Return what the credit policy is asked with when the exposure would come to `after`."""
    return {
        "limit": case.limit,
        "exposure_after": after,
        "used": round(after / case.limit, 6) if case.limit else None,
        "overdue_days": days_since(case.overdue_since, case.today),
        "overdue_amount": case.overdue_amount,
        "limit_expired_days": days_since(case.limit_until, case.today),
        "order_limit": case.order_limit,
        "longer_terms_days": max(0, case.terms_days - (case.agreed_terms_days or 0)),
        "score": payment_score(case.paid_count, case.paid_late_count, case.paid_late_days),
        "total": case.total,
        "on_hold": case.on_hold,
        "tier": case.tier,
    }


def credit_stops(cases: Sequence[Case], answers: Sequence[Answer]) -> list[Stop]:
    """Return the holds that credit's answers ask for."""
    return [
        Stop.by(answer.decision, case, Hold.Kind.CREDIT.value, credit_facts(case))
        for case, answer in zip(cases, answers, strict=True)
        if answer.decision.outcome["hold"]
    ]


def credit_facts(case: Case) -> dict[str, str]:
    """Return what a credit hold shows of its account, in its currency."""
    return {
        "limit": str(case.limit),
        "exposure": str(case.exposure),
        "total": str(case.total),
        "currency": case.currency,
        "overdue_amount": str(case.overdue_amount),
    }

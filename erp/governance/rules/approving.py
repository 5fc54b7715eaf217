"""Who must agree to a document, in which order, and what that costs whom. Plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

HOURS_A_DAY = Decimal(24)
SECONDS_AN_HOUR = Decimal(3600)
TEXT_MAX = 200


class EffectKind(StrEnum):
    """What a line of a consequence is about."""

    CHANGE = "change"
    LOSER = "loser"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of what happens once a document is approved. `amount`, if any, is in `currency`."""

    kind: EffectKind
    text: str
    amount: Decimal | None = None
    currency: str = ""

    def plain(self) -> dict[str, str]:
        """Return it as it is stored: all text."""
        amount = "" if self.amount is None else f"{self.amount:f}"
        return {
            "kind": self.kind.value,
            "text": self.text[:TEXT_MAX],
            "amount": amount,
            "currency": self.currency,
        }


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """What the matrix may ask about a document, beyond its kind and its entity. None: not known.

    `amount` and `losers_value` are in the entity's currency; without `amount` that of the request
    counts where its currency is the entity's. `margin` is a share of the price (0.05 is 5 %).
    `losers_value` is what other customers' orders lose by it. `effects` are shown to who decides.
    """

    amount: Decimal | None = None
    category: str = ""
    margin: Decimal | None = None
    losers_value: Decimal | None = None
    effects: Sequence[Effect] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """One agreement that is needed. Numbers come in order; the same number stands side by side."""

    number: int
    permission: str
    role: str
    rule: str = "all"
    hours: int = 0
    on_expiry: str = "void"
    escalate_to: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every agreement that a document needs; `is_automatic` when a rule says that it needs none."""

    steps: tuple[Asked, ...] = ()
    is_automatic: bool = False


def plan_of(outcome: Mapping[str, Sequence[Any]], *, permission: str, role: str) -> Plan:
    """Return who must agree, by the rows of the matrix that hold (a list per outcome, row by row).

    A row of step 0 says that nobody must; it counts only where no other row holds. A row that names
    neither permission nor role means those of the caller. Rows that name the same people at the
    same step are one, with the shortest time. Where no row holds, the caller's own ask stands.
    """
    rows = [dict(zip(outcome, row, strict=True)) for row in zip(*outcome.values(), strict=True)]
    wanted = [_asked(row, permission, role) for row in rows if int(row["step"] or 0) > 0]
    if rows and not wanted:
        return Plan(is_automatic=True)
    if not wanted:
        return Plan((Asked(1, permission, role),))
    return Plan(tuple(_merged(wanted)))


def _asked(row: Mapping[str, Any], permission: str, role: str) -> Asked:
    names_somebody = bool(row["permission"] or row["role"])
    escalates = row["on_expiry"] == "escalate" and bool(row["escalate_to"])
    return Asked(
        number=int(row["step"]),
        permission=row["permission"] or "" if names_somebody else permission,
        role=row["role"] or "" if names_somebody else role,
        rule="any" if row["rule"] == "any" else "all",
        hours=max(0, int(row["hours"] or 0)),
        on_expiry="escalate" if escalates else "void",
        escalate_to=row["escalate_to"] or "",
    )


def _merged(wanted: Sequence[Asked]) -> list[Asked]:
    """Return one step for each people and number; `any` on one row makes it the number's rule."""
    anys = {step.number for step in wanted if step.rule == "any"}
    ordered = sorted(wanted, key=_people)
    steps = []
    for (number, permission, role), same in groupby(ordered, key=_people):
        timed = min(same, key=lambda step: (step.hours == 0, step.hours))
        rule = "any" if number in anys else "all"
        steps.append(
            Asked(number, permission, role, rule, timed.hours, timed.on_expiry, timed.escalate_to)
        )
    return steps


def _people(step: Asked) -> tuple[int, str, str]:
    return step.number, step.permission, step.role


@dataclass(frozen=True, slots=True)
class Standing:
    """One step as it stands: its number, whether one of its number is enough, its state."""

    id: int
    number: int
    rule: str
    state: str


@dataclass(frozen=True, slots=True)
class Next:
    """What follows a decision: steps to open, steps nobody needs any more, and whether all is said.

    `state` is pending, approved or rejected.
    """

    state: str
    open: tuple[int, ...] = ()
    skip: tuple[int, ...] = ()


def what_follows(steps: Sequence[Standing]) -> Next:
    """Return what is to be done next about a request whose steps stand like this.

    One refusal ends it. A number is done when all its steps agreed, or one where one is enough;
    then the next number opens. After the last it is approved.
    """
    undecided = [step.id for step in steps if step.state in {"waiting", "open"}]
    if any(step.state == "rejected" for step in steps):
        return Next("rejected", skip=tuple(undecided))
    skip: list[int] = []
    for _number, group in groupby(sorted(steps, key=_number_of), key=_number_of):
        side_by_side = list(group)
        waits = [step for step in side_by_side if step.state in {"waiting", "open"}]
        agreed = any(step.state == "approved" for step in side_by_side)
        if waits and agreed and side_by_side[0].rule == "any":
            skip += [step.id for step in waits]
        elif waits:
            opening = tuple(step.id for step in waits if step.state == "waiting")
            return Next("pending", open=opening, skip=tuple(skip))
    return Next("approved", skip=tuple(skip))


def _number_of(step: Standing) -> tuple[int]:
    return (step.number,)


def rank_of(*, weight: Decimal, since: datetime, now: datetime) -> Decimal:
    """Return how far up a request stands: its money, plus as much again for each day it waits.

    `weight` is in the entity's currency. 10,000 that waits two days stands above 25,000 just asked.
    """
    waited = Decimal(max(0, int((now - since).total_seconds()))) / SECONDS_AN_HOUR
    return max(abs(weight), Decimal(1)) * (1 + waited / HOURS_A_DAY)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who holds what a step asks for, or has it delegated. `unfit`: took part."""

    is_unfit: bool
    is_away: bool


def why_stranded(candidates: Sequence[Candidate], *, who: str) -> str:
    """Return why nobody can decide a step, as a sentence; empty when somebody can."""
    if not candidates:
        return f"Nobody holds what it asks for: {who}."
    fit = [candidate for candidate in candidates if not candidate.is_unfit]
    if not fit:
        return f"Only those who took part could decide: {who}."
    if all(candidate.is_away for candidate in fit):
        return f"Everybody who could decide is away: {who}."
    return ""

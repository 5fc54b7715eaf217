"""Ways out that wait for somebody's agreement, and what the house would do by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from erp.accounts.models import User
from erp.governance.selectors import (
    PendingApproval,
    approval_waiting_for,
    entitled_to,
)
from erp.governance.services import Fact, Question, ask_policy
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.rules.plays import Play
from exceptions.rules.yardstick import about_dollars

AUTOMATION = "exceptions.automation"
KIND = "exceptions.play"
NAMED_MAX = 6


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A way out that was asked for: what, by whom, what came of it, and who may agree to it.

    `approval` is what waits in the inbox, none once it was settled. `may_agree` are names of who
    could and is there, at most six.
    """

    id: int
    key: str
    title: str
    detail: str
    cost: Decimal
    currency: str
    losers: Sequence[str]
    asked_by: str
    asked_at: datetime
    state: str
    outcome: str
    settled_at: datetime | None
    approval: PendingApproval | None
    may_agree: Sequence[str]

    @property
    def waits(self) -> bool:
        return self.state == PlayRequest.State.PENDING


@dataclass(frozen=True, slots=True)
class Automation:
    """What the policy says of the best way out: auto, recommend or human, and by which row.

    `why` is in words the facts that it was asked about.
    """

    mode: str
    play: str
    policy_version: str
    row: int | None
    why: str


def play_requests(
    *, case_id: int, user: User | None, now: datetime, limit: int = 10
) -> list[RequestRow]:
    """Return what was asked for on a case, what waits first. Five queries at most."""
    found = PlayRequest.objects.filter(case_id=case_id).select_related("requested_by")
    rows = sorted(found.order_by("-pk")[:limit], key=lambda one: one.state != "pending")
    return [_row(one, user, now) for one in rows]


def find_request(*, case_id: int, request_id: int, user: User, now: datetime) -> RequestRow | None:
    """Return one request of a case, or None."""
    found = PlayRequest.objects.filter(case_id=case_id, pk=request_id)
    one = found.select_related("requested_by").first()
    return None if one is None else _row(one, user, now)


def automation_question(case: ExceptionCase, offered: Sequence[Play]) -> Question:
    """Return what is asked of the policy about the best of the ways out there are."""
    best = offered[0]
    others = [one.score for one in offered[1:] if one.is_complete]
    ahead = best.score - max(others) if others else case.expected_loss
    facts: dict[str, Fact] = {
        "type": case.type,
        "play": best.key.partition(".")[0],
        "severity": case.severity,
        "amount": about_dollars(best.cost + best.taken, best.currency),
        "score_margin": about_dollars(ahead, best.currency),
        "is_complete": best.is_complete,
    }
    return Question(case.entity_id, "exceptions.case", case.pk, facts)


def automation_of(
    case: ExceptionCase, offered: Sequence[Play], *, now: datetime
) -> Automation | None:
    """Return what the house would do about a live case by itself; None where nothing is offered.

    Nothing of it is kept: it is only shown.
    """
    if not offered or case.state not in ExceptionCase.LIVE:
        return None
    question = automation_question(case, offered)
    (answer,) = ask_policy(policy=AUTOMATION, questions=[question], now=now)
    facts = question.facts
    said = [
        f"S{facts['severity']}",
        f"{facts['amount']:,.0f} at stake",
        f"{facts['score_margin']:,.0f} ahead of the next",
        "mends it whole" if facts["is_complete"] else "mends a part",
    ]
    return Automation(
        mode=str(answer.decision.outcome["mode"]),
        play=offered[0].title,
        policy_version=answer.decision.policy_version,
        row=answer.decision.row,
        why=", ".join(said),
    )


def _row(one: PlayRequest, user: User | None, now: datetime) -> RequestRow:
    waits = one.state == PlayRequest.State.PENDING
    approval = (
        approval_waiting_for(document_kind=KIND, document_id=one.pk, user=user) if waits else None
    )
    return RequestRow(
        id=one.pk,
        key=one.key,
        title=str(one.chosen["title"]),
        detail=str(one.chosen.get("detail", "")),
        cost=Decimal(str(one.chosen["cost"])),
        currency=str(one.chosen["currency"]),
        losers=[f"{each['name']}: {each['what']}" for each in one.chosen.get("losers", [])],
        asked_by=_name(one.requested_by),
        asked_at=one.requested_at,
        state=str(one.state),
        outcome=one.outcome,
        settled_at=one.settled_at,
        approval=approval,
        may_agree=_who(approval, now) if approval else [],
    )


def _who(approval: PendingApproval, now: datetime) -> list[str]:
    steps = [step.id for step in approval.steps if step.is_now]
    fit = [one.user_id for one in entitled_to(step_ids=steps, now=now)
           if not one.unfit and not one.is_away]  # fmt: skip
    people = User.objects.filter(pk__in=fit).order_by("first_name", "username")
    return [_name(one) for one in people[:NAMED_MAX]]


def _name(user: User | None) -> str:
    return "" if user is None else user.get_full_name() or user.username

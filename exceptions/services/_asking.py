"""Asks whoever must agree to a way out, by what others lose by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from erp.accounts.models import User
from erp.governance.services import (
    ApprovalFacts,
    Effect,
    EffectKind,
    request_approval,
)
from erp.kernel.errors import DomainError
from exceptions.models import ExceptionCase, PlayRequest
from exceptions.rules.plays import Play, not_chosen
from exceptions.selectors import label_of
from exceptions.services._telling import tell_of
from exceptions.services._threads import thread

KIND = "exceptions.play"


class OtherPlayWaits(DomainError):
    """Another way out of the case waits for agreement."""

    code: ClassVar[str] = "other_play_waits"


@dataclass(frozen=True, slots=True)
class Gate:
    """What the policy says of a play: who must agree, and until when it can be undone."""

    needs_approval: bool
    permission: str
    role: str
    undo_until: datetime | None
    policy_version: str


def ask_for(
    case: ExceptionCase,
    play: Play,
    offered: Sequence[Play],
    *,
    actor: User | None,
    gate: Gate,
    now: datetime,
) -> tuple[PlayRequest, bool]:
    """Ask for agreement to a play of a locked case; say whether nobody has to agree after all.

    Who asks, and who wrote the order, may not agree. What others lose chooses who may.

    Raises:
        OtherPlayWaits: another way out of the case waits for agreement.
    """
    waiting = PlayRequest.objects.filter(case=case, state=PlayRequest.State.PENDING).first()
    if waiting is not None and waiting.fingerprint != play.fingerprint:
        raise OtherPlayWaits(f"{waiting.chosen['title']} waits for agreement: settle that first.")
    if waiting is not None:
        return waiting, False
    request = PlayRequest.objects.create(
        case=case,
        key=play.key,
        chosen=play.kept(),
        alternatives=not_chosen(offered, play),
        fingerprint=play.fingerprint,
        requested_at=now,
        requested_by=actor,
        outcome=f"{play.title}: waits for agreement.",
    )
    losers = [
        Effect(EffectKind.MONEY, f"{one.name}: {one.what}"[:200], one.amount, play.currency)
        for one in play.losers
    ]
    author = case.order.created_by_id if case.order else None
    asked = request_approval(
        entity_id=case.entity_id,
        document_kind=KIND,
        document_id=request.pk,
        label=f"{case.pk} · {play.title}"[:120],
        permission=gate.permission,
        role=gate.role,
        amount=play.cost + play.taken,
        currency=play.currency,
        consequence=f"{label_of(case.type)} {case.subject_label}: {play.detail}"[:300],
        fingerprint=play.fingerprint,
        requested_by=actor,
        barred=[] if author is None else [author],
        threads=[thread(case.pk, case.order_id)],
        policy_version=gate.policy_version,
        facts=ApprovalFacts(losers_value=play.taken, effects=losers),
        now=now,
    )
    _note(case, play, gate, actor, now)
    is_agreed = asked.state == "approved"
    if is_agreed:
        request.run(at=now, outcome=f"{play.title}: nobody need agree.")
        request.save()
    return request, is_agreed


def _note(case: ExceptionCase, play: Play, gate: Gate, actor: User | None, now: datetime) -> None:
    tell_of(
        [case],
        "ask_for_play",
        actor=actor,
        now=now,
        after={"play": play.key, "cost": play.cost, "who_loses": play.who_loses},
        reason=f"{play.title}: needs agreement",
        policy_version=gate.policy_version,
    )

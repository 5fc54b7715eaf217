"""Hands a count in: what differs is counted again and agreed to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from erp.governance.selectors import approval_waiting_for
from erp.governance.services import (
    AlreadyDecided,
    ApprovalFacts,
    Decision,
    Effect,
    EffectKind,
    Question,
    approve,
    decide,
    request_approval,
    withdraw,
)
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish_all
from inventory.events import CountSubmitted
from inventory.models import Count, CountLine
from inventory.selectors import count_fingerprints
from inventory.services.counting._finding import Found, found_on
from inventory.services.counting._noting import KIND, facts, note

if TYPE_CHECKING:
    from erp.accounts.models import User
    from erp.governance.models import Approval

State = Count.State
RECOUNT, AGREEMENT = "inventory.recount", "inventory.count_approval"
LINES_SHOWN = 5


class CountUnfinished(DomainError):
    """Some lines are not counted yet; `missing` is how many."""

    code: ClassVar[str] = "count_unfinished"

    def __init__(self, missing: int) -> None:
        lines = "1 line is" if missing == 1 else f"{missing} lines are"
        super().__init__(f"{lines} not counted yet.")
        self.missing = missing


class CountReasonMissing(DomainError):
    """Nobody said why a count is called off."""

    code: ClassVar[str] = "count_reason_missing"


@transaction.atomic
def submit_count(*, count_id: int, actor: "User | None", now: datetime) -> Count:
    """Hand a sheet in: what the policy does not believe is to be counted again, once.

    After that the differences are approved at once, or wait for somebody who did not count. Handing
    it in again changes nothing.

    Raises:
        Count.DoesNotExist: there is no such count.
        CountUnfinished: some lines are not counted.
        TransitionNotAllowed: it is called off.

    Publishes:
        CountSubmitted
    """
    count = Count.objects.lock(count_id)
    if count.state in {State.REVIEW, State.APPROVED, State.POSTED}:
        return count
    before, found = count.state, found_on(count)
    missing = sum(line.counted is None for line in found)
    if missing:
        raise CountUnfinished(missing)
    doubted = _doubted(count, found, now) if before == State.OPEN else {}
    if doubted:
        count.ask_again(at=now)
        count.save(update_fields=["state", "submitted_at"])
        _ask_again(count, doubted)
        note(count, "submit_count", before, actor, now, recount=len(doubted))
        return count
    _agree_or_ask(count, found, actor, now)
    note(count, "submit_count", before, actor, now, variance=f"{count.variance:f}")
    publish_all(
        [CountSubmitted(**facts(count), variance=f"{count.variance:f}", state=str(count.state))]
    )
    return count


@transaction.atomic
def approve_count(*, count_id: int, actor: "User", now: datetime) -> Count:
    """Agree to what a count found, without having counted. Agreeing again changes nothing.

    Raises:
        Count.DoesNotExist: there is no such count.
        AlreadyDecided: nobody is asked about it.
        TransitionNotAllowed: it is not in review.
        OwnRequest: the person counted or handed it in, or is the same employee as who did.
        NotYours: the person does not hold the permission that the policy asks for.
        DocumentChanged: it is not what was asked about.
    """
    count = Count.objects.lock(count_id)
    if count.state == State.APPROVED and count.approved_by_id == actor.pk:
        return count
    waiting = approval_waiting_for(document_kind=KIND, document_id=count_id)
    count.approve(by_id=actor.pk, at=now)
    if waiting is None:
        raise AlreadyDecided(f"Nobody is asked about {count.number}.")
    present = count_fingerprints([count_id])[count_id]
    agreed = approve(approval_id=waiting.id, actor=actor, fingerprint=present, now=now)
    if agreed.state != "approved":
        return Count.objects.get(pk=count_id)
    count.save(update_fields=["state", "approved_by", "approved_at"])
    note(count, "approve_count", State.REVIEW, actor, now, version=waiting.policy_version)
    return count


@transaction.atomic
def follow_count_approval(
    *,
    count_id: int,
    state: str,
    decided_by: "User | None",
    fingerprint: str,
    reason: str,
    now: datetime,
) -> None:
    """Do to a count what was decided about it in the inbox; done already, it changes nothing.

    One that was rejected or that nobody decided about in time: what differs is counted again.

    Raises:
        Count.DoesNotExist: there is no such count.
    """
    count = Count.objects.lock(count_id)
    if count.state != State.REVIEW:
        return
    if state == "approved" and fingerprint == count_fingerprints([count_id])[count_id]:
        count.approve(by_id=decided_by and decided_by.pk, at=now)
        count.save(update_fields=["state", "approved_by", "approved_at"])
        note(count, "approve_count", State.REVIEW, decided_by, now)
        return
    count.reject()
    count.save(update_fields=["state"])
    doubted = {line.line_id: line for line in found_on(count) if line.pieces}
    _ask_again(count, doubted)
    note(count, "reject_count", State.REVIEW, decided_by, now, reason=reason)


@transaction.atomic
def cancel_count(*, count_id: int, reason: str, actor: "User | None", now: datetime) -> Count:
    """Call a count off: nothing of it is posted. Cancelling again changes nothing.

    Raises:
        Count.DoesNotExist: there is no such count.
        CountReasonMissing: no reason is given.
        TransitionNotAllowed: it is posted.
    """
    count = Count.objects.lock(count_id)
    if count.state == State.CANCELLED:
        return count
    if not reason.strip():
        raise CountReasonMissing("Say why it is called off.")
    before = count.state
    count.cancel(reason=reason.strip()[:300])
    count.save(update_fields=["state", "cancel_reason", "approved_by", "approved_at"])
    withdraw(document_kind=KIND, document_id=count_id, reason=reason.strip()[:300], now=now)
    note(count, "cancel_count", before, actor, now, reason=reason.strip())
    return count


def _doubted(count: Count, found: Sequence[Found], now: datetime) -> dict[int, Found]:
    """Return the lines that the policy wants counted again."""
    differing = [line for line in found if line.pieces]
    questions = [
        Question(
            count.entity_id,
            KIND,
            count.pk,
            {
                "share": line.pieces / line.expected if line.expected else None,
                "value": line.value,
                "class_code": line.class_code or "C",
            },
            node=count.node.code,
        )
        for line in differing
    ]
    answers = decide(policy=RECOUNT, questions=questions, now=now)
    return {
        line.line_id: line
        for line, answer in zip(differing, answers, strict=True)
        if answer.outcome["recount"]
    }


def _ask_again(count: Count, doubted: Mapping[int, Found]) -> None:
    """Forget what those lines said, but keep it as the earlier count."""
    lines = list(count.lines.filter(pk__in=doubted).order_by("pk"))
    for line in lines:
        line.is_again, line.earlier = True, line.counted
        line.counted_at = None
        line.counted, line.expected = None, None  # type: ignore[assignment]
        line.serials, line.missing, line.found = [], [], []
    fields = ["is_again", "earlier", "counted", "expected", "counted_at"]
    fields += ["serials", "missing", "found"]
    CountLine.objects.bulk_update(lines, fields)


def _agree_or_ask(
    count: Count, found: Sequence[Found], actor: "User | None", now: datetime
) -> None:
    count.variance = sum((line.value for line in found), Decimal(0))
    question = Question(
        count.entity_id,
        KIND,
        count.pk,
        {
            "value": count.variance,
            "currency": count.entity.currency,
            "lines": sum(bool(line.pieces) for line in found),
        },
        node=count.node.code,
    )
    decision = decide(policy=AGREEMENT, questions=[question], now=now)[0]
    changed = ["state", "variance", "submitted_at", "approved_by", "approved_at"]
    if decision.outcome["auto"]:
        count.approve(by_id=None, at=now)
        count.save(update_fields=changed)
        return
    count.review(at=now)
    count.save(update_fields=changed)
    asked = _ask(count, found, decision, actor, now)
    if asked.state == "approved":
        count.approve(by_id=None, at=now)
        count.save(update_fields=changed)


def _ask(
    count: Count,
    found: Sequence[Found],
    decision: Decision,
    actor: "User | None",
    now: datetime,
) -> "Approval":
    currency = count.entity.currency
    differing = sorted((f for f in found if f.pieces), key=lambda f: -f.value)
    effects = [
        Effect(EffectKind.CHANGE, f.said, f.value, currency) for f in differing[:LINES_SHOWN]
    ]
    if len(differing) > len(effects):
        effects.append(Effect(EffectKind.CHANGE, f"and {len(differing) - len(effects)} more"))
    counters = {f.counted_by_id for f in found if f.counted_by_id is not None}
    return request_approval(
        entity_id=count.entity_id,
        document_kind=KIND,
        document_id=count.pk,
        label=f"{count.number} · {count.node.name}"[:120],
        permission=decision.outcome["permission"],
        role=decision.outcome["role"],
        amount=count.variance,
        currency=currency,
        consequence=f"{len(differing)} balances at {count.node.name} are corrected."[:300],
        fingerprint=count_fingerprints([count.pk])[count.pk],
        requested_by=actor,
        barred=sorted(counters),
        policy_version=decision.policy_version,
        facts=ApprovalFacts(effects=effects),
        now=now,
    )

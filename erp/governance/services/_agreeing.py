"""Deciding about a request: agreeing, refusing, one or many; who may, and who must not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.documents import present_fingerprint
from erp.governance.events import ApprovalAdvanced
from erp.governance.models import Approval, ApprovalStep
from erp.governance.rules.approving import what_follows
from erp.governance.selectors import Entitlement, entitlements_of
from erp.governance.services._separating import Act, refuse_conflict
from erp.governance.services._stepping import (
    end,
    note,
    open_steps,
    skip_steps,
    standing,
    stop_clocks,
    tell,
)
from erp.kernel.errors import DomainError
from erp.outbox.publishing import publish


class OwnRequest(DomainError):
    """The person who decides asked for it, took part in the document, or stands in for who did."""

    code: ClassVar[str] = "own_request"


class DecidedBefore(DomainError):
    """The person has decided another step of the same request: each step wants somebody else."""

    code: ClassVar[str] = "decided_before"


class AlreadyDecided(DomainError):
    """Somebody was quicker."""

    code: ClassVar[str] = "already_decided"


class DocumentChanged(DomainError):
    """The document is no longer what was asked about: the request becomes void."""

    code: ClassVar[str] = "document_changed"

    def __init__(self, approval: Approval) -> None:
        self.approval_id = approval.pk
        label = approval.document_label
        super().__init__(f"{label} changed after the request; it must be asked again.")

    def follow_up(self, now: datetime) -> None:
        """Make the request void, now that the refused transaction is gone."""
        void_changed(approval_id=self.approval_id, now=now)


class NotYours(DomainError):
    """The person may not decide this in that entity."""

    code: ClassVar[str] = "not_yours"


class ReasonMissing(DomainError):
    """A refusal says why."""

    code: ClassVar[str] = "reason_missing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody says about one request. `fingerprint` is that of the document as they saw it.

    None is the one that was asked about. A refusal needs a `reason`.
    """

    approval_id: int
    agrees: bool
    fingerprint: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one verdict: the request as it stands now, and why it was refused, if it was."""

    approval: Approval
    refusal: DomainError | None = None


@transaction.atomic
def approve(*, approval_id: int, actor: User, fingerprint: str, now: datetime) -> Approval:
    """Agree to the document as it is: `fingerprint` is what it is now, as the person saw it.

    The person decides the first open step they may, by their own right before somebody else's. The
    request is approved with its last step: until then it is returned pending. Agreeing again
    changes nothing. When the document changed nothing is agreed to, and the request becomes void.

    Locks the approval.

    Raises:
        OwnRequest: the person asked for it, took part, stands in for who asked, or is the same
            employee.
        DecidedBefore: the person decided an earlier step under another account, or for somebody.
        NotYours: the person holds nothing that an open step asks for.
        DutyConflict: they did on the document's chain what is kept apart from agreeing.
        AlreadyDecided: it was decided or withdrawn.
        DocumentChanged: the document is not what was asked about.

    Publishes:
        ApprovalDecided
        ApprovalAdvanced
        ApprovalEscalated
        ApprovalStranded
    """
    approval = Approval.objects.lock(approval_id)
    steps = list(approval.steps.order_by("number", "pk"))
    if any(step.decided_by_id == actor.pk and step.state == "approved" for step in steps):
        return approval
    step, right = _refuse_unfit(approval, steps, actor, now)
    if fingerprint != approval.fingerprint or _has_changed(approval):
        raise DocumentChanged(approval)
    step.agree(by_id=actor.pk, on_behalf_of_id=right.holder_id, at=now)
    step.save(update_fields=["state", "decided_by", "on_behalf_of", "decided_at"])
    stop_clocks([step], now)
    _go_on(approval, steps, step, actor, now)
    return approval


@transaction.atomic
def reject(*, approval_id: int, actor: User, reason: str, now: datetime) -> Approval:
    """Refuse the document, and say why: one refusal ends the request. Again changes nothing.

    Locks the approval.

    Raises:
        ReasonMissing: no reason is given.
        OwnRequest: the person asked for it, took part, stands in for who asked, or is the same
            employee.
        DecidedBefore: the person decided an earlier step.
        NotYours: the person holds nothing that an open step asks for.
        DutyConflict: they did on the document's chain what is kept apart from agreeing.
        AlreadyDecided: it was decided or withdrawn.

    Publishes:
        ApprovalDecided
    """
    if not reason.strip():
        raise ReasonMissing("Say why it is rejected: the one who asked must know.")
    approval = Approval.objects.lock(approval_id)
    if approval.state == Approval.State.REJECTED and approval.decided_by_id == actor.pk:
        return approval
    steps = list(approval.steps.order_by("number", "pk"))
    step, right = _refuse_unfit(approval, steps, actor, now)
    said = reason.strip()[:300]
    step.refuse(by_id=actor.pk, on_behalf_of_id=right.holder_id, at=now, reason=said)
    step.save(update_fields=["state", "decided_by", "on_behalf_of", "decided_at", "reason"])
    skip_steps([other for other in steps if other.state in {"waiting", "open"}], now)
    stop_clocks([step], now)
    approval.reject(by_id=actor.pk, at=now, reason=said)
    approval.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    note(approval, "governance.reject", actor, now, after=_said_of(step), behind=step.on_behalf_of)
    tell(approval)
    return approval


@transaction.atomic
def void_changed(*, approval_id: int, now: datetime) -> Approval:
    """End a request whose document is no longer what was asked about. Again changes nothing.

    Raises:
        Approval.DoesNotExist: there is no such request.

    Publishes:
        ApprovalDecided
    """
    approval = Approval.objects.lock(approval_id)
    if approval.state == Approval.State.PENDING:
        end(approval, reason="The document changed.", cause="changed", now=now)
    return approval


@transaction.atomic
def decide_requests(*, verdicts: Sequence[Verdict], actor: User, now: datetime) -> list[Outcome]:
    """Decide about many requests, each for itself; return one outcome for each, in order.

    A refusal undoes its own verdict alone. A request whose document changed becomes void. Locks the
    approvals, in the order of their ids.

    Raises:
        Approval.DoesNotExist: one of them is not there.

    Publishes:
        ApprovalDecided
        ApprovalAdvanced
    """
    outcomes: dict[int, Outcome] = {}
    for position in sorted(range(len(verdicts)), key=lambda at: verdicts[at].approval_id):
        outcomes[position] = _decide_one(verdicts[position], actor, now)
    return [outcomes[position] for position in range(len(verdicts))]


def _decide_one(verdict: Verdict, actor: User, now: datetime) -> Outcome:
    approval = Approval.objects.lock(verdict.approval_id)
    try:
        with transaction.atomic():
            if not verdict.agrees:
                said = verdict.reason
                return Outcome(reject(approval_id=approval.pk, actor=actor, reason=said, now=now))
            seen = approval.fingerprint if verdict.fingerprint is None else verdict.fingerprint
            done = approve(approval_id=approval.pk, actor=actor, fingerprint=seen, now=now)
            return Outcome(done)
    except DocumentChanged as refusal:
        return Outcome(void_changed(approval_id=approval.pk, now=now), refusal)
    except DomainError as refusal:
        return Outcome(approval, refusal)


def _go_on(
    approval: Approval,
    steps: Sequence[ApprovalStep],
    decided: ApprovalStep,
    actor: User,
    now: datetime,
) -> None:
    """Do what follows an agreement: open the next steps, or approve the request."""
    following = what_follows(standing(steps))
    skip_steps([step for step in steps if step.pk in following.skip], now)
    if following.state == "approved":
        approval.approve(by_id=actor.pk, at=now)
        approval.save(update_fields=["state", "decided_by", "decided_at"])
    behind = decided.on_behalf_of
    note(approval, "governance.approve", actor, now, after=_said_of(decided), behind=behind)
    if following.state == "approved":
        tell(approval)
        return
    open_steps(approval, [step for step in steps if step.pk in following.open], now)
    publish(
        ApprovalAdvanced(
            approval_id=approval.pk,
            entity_id=approval.entity_id,
            document_kind=approval.document_kind,
            document_id=approval.document_id,
            step=decided.number,
            decided_by_id=actor.pk,
        )
    )


def _refuse_unfit(
    approval: Approval, steps: Sequence[ApprovalStep], actor: User, now: datetime
) -> tuple[ApprovalStep, Entitlement]:
    """Return the step that the person decides, and by what right."""
    if approval.state != Approval.State.PENDING:
        said = Approval.State(approval.state).label.lower()
        why = f" {approval.decision_reason}" if approval.state == Approval.State.VOID else ""
        raise AlreadyDecided(f"{approval.document_label} is no longer open: it is {said}.{why}")
    is_open = {step.pk: step for step in steps if step.state == ApprovalStep.State.OPEN}
    rights = entitlements_of(user=actor, now=now, step_ids=list(is_open))
    if not rights:
        raise NotYours(f"You may not decide about {approval.document_label}.")
    fit = next((right for right in rights if not right.unfit), None)
    if fit is None:
        raise _unfit(approval, rights[0].unfit)
    _refuse_conflict(approval, actor, fit.holder_id, now)
    return is_open[fit.step_id], fit


def _refuse_conflict(approval: Approval, actor: User, holder_id: int | None, now: datetime) -> None:
    """Let neither the person nor who stands behind them have done what is kept apart from this."""
    act = Act(
        entity_id=approval.entity_id,
        kind=approval.document_kind,
        id=approval.document_id,
        label=approval.document_label,
        threads=approval.threads,
        amount=approval.amount,
        currency=approval.currency,
    )
    behind = [] if holder_id is None else [holder_id]
    refuse_conflict(
        actor=actor, duty="governance.approve", acts=[act], now=now, on_behalf_of=behind
    )


def _unfit(approval: Approval, why: str) -> DomainError:
    label = approval.document_label
    if why == "before":
        return DecidedBefore(f"You have decided about {label} already: the next step is another's.")
    if why == "delegate":
        return OwnRequest(f"You stand in for who asked about {label}: somebody else decides.")
    return OwnRequest(f"You took part in {label}: somebody else decides.")


def _has_changed(approval: Approval) -> bool:
    present = present_fingerprint(approval.document_kind, approval.document_id)
    return present is not None and present != approval.fingerprint


def _said_of(step: ApprovalStep) -> dict[str, object]:
    principal = step.on_behalf_of
    return {"step": step.number, "on_behalf_of": principal.username if principal else None}

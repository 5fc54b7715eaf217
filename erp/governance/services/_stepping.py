"""The steps of a request: opening, timing, handing on, ending."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from erp.accounts.models import Entity, Role, User
from erp.governance.events import ApprovalDecided, ApprovalEscalated, ApprovalStranded
from erp.governance.models import Approval, ApprovalStep, ApprovalTimer
from erp.governance.rules.approving import Candidate, Plan, Standing, why_stranded
from erp.governance.selectors import entitled_to
from erp.governance.services._recording import Change, record
from erp.kernel.calendars import business_calendar
from erp.outbox.publishing import publish

UNDECIDED = (ApprovalStep.State.WAITING, ApprovalStep.State.OPEN)


def write_steps(approval: Approval, plan: Plan) -> list[ApprovalStep]:
    """Write the steps of a new request, all of them waiting."""
    return ApprovalStep.objects.bulk_create(
        ApprovalStep(
            approval=approval,
            number=step.number,
            permission=step.permission,
            role=step.role,
            rule=step.rule,
            hours=step.hours,
            on_expiry=step.on_expiry,
            escalate_to=step.escalate_to,
        )
        for step in plan.steps
    )


def standing(steps: Sequence[ApprovalStep]) -> list[Standing]:
    return [Standing(step.pk, step.number, str(step.rule), str(step.state)) for step in steps]


def open_steps(approval: Approval, steps: Sequence[ApprovalStep], now: datetime) -> None:
    """Let these steps be decided from now on, and let their clocks run.

    The approval shows the role of the first. Nobody there who could decide is told at once.
    """
    if not steps:
        return
    for step in steps:
        step.open(at=now)
        step.save(update_fields=["state", "opened_at"])
        start_clock(approval, step, now)
    if role := steps[0].role:
        approval.role = role
        approval.save(update_fields=["role"])
    look_after({step.pk: (approval, step) for step in steps}, now)


def skip_steps(steps: Sequence[ApprovalStep], now: datetime) -> None:
    """Let nobody be asked about these steps any more."""
    for step in steps:
        step.skip()
        step.save(update_fields=["state"])
    stop_clocks(steps, now)


def start_clock(approval: Approval, step: ApprovalStep, now: datetime) -> None:
    """Set when the step runs out: its hours of the entity's working time from `now`."""
    if not step.hours:
        return
    due_at = working_hours_after(approval.entity, now, step.hours)
    ApprovalTimer.objects.create(step=step, due_at=due_at)


def working_hours_after(entity: Entity, since: datetime, hours: int) -> datetime:
    """Return the moment (UTC) at which `hours` of the entity's working time have passed."""
    calendar = business_calendar(
        country=entity.country, time_zone=entity.time_zone, year=since.year
    )
    return calendar.add(since, timedelta(hours=hours))


def stop_clocks(steps: Sequence[ApprovalStep], now: datetime) -> None:
    ApprovalTimer.objects.filter(
        step_id__in=[step.pk for step in steps], fired_at=None, cancelled_at=None
    ).update(cancelled_at=now)


def end(approval: Approval, *, reason: str, cause: str, now: datetime) -> None:
    """Make a request void: nobody is asked any more, and whoever asked is told why.

    Publishes:
        ApprovalDecided
    """
    skip_steps(list(approval.steps.filter(state__in=UNDECIDED)), now)
    approval.withdraw(at=now, reason=reason[:300])
    approval.save(update_fields=["state", "decided_at", "decision_reason"])
    note(approval, "governance.void_approval", None, now)
    tell(approval, cause)


def hand_on(
    approval: Approval, step: ApprovalStep, now: datetime, *, reason: str, due_at: datetime | None
) -> None:
    """Let the role of escalation decide a step too; its clock starts anew from `now`.

    Publishes:
        ApprovalEscalated
    """
    step.escalated_to, step.escalated_at = step.escalate_to, now
    step.save(update_fields=["escalated_to", "escalated_at"])
    stop_clocks([step], now)
    start_clock(approval, step, now)
    after = {"step": step.number, "role": step.escalated_to, "due_at": due_at}
    note(approval, "governance.escalate_approval", None, now, reason=reason, after=after)
    publish(
        ApprovalEscalated(
            approval_id=approval.pk,
            entity_id=approval.entity_id,
            document_kind=approval.document_kind,
            document_id=approval.document_id,
            step=step.number,
            role=step.escalated_to,
            due_at="" if due_at is None else due_at.isoformat(),
            reason=reason,
        )
    )


def look_after(steps: dict[int, tuple[Approval, ApprovalStep]], now: datetime) -> None:
    """Find somebody for each open step: hand it on where nobody can decide, else say so.

    The requests are locked by the caller.
    """
    handed_on = {}
    for step_id, why in stranded(steps, now).items():
        approval, step = steps[step_id]
        if why and step.escalate_to and not step.escalated_to:
            hand_on(approval, step, now, reason=why, due_at=None)
            handed_on[step_id] = (approval, step)
        elif bool(why) != (step.stranded_at is not None):
            _mark(approval, step, why, now)
    if handed_on:
        look_after(handed_on, now)


def stranded(steps: dict[int, tuple[Approval, ApprovalStep]], now: datetime) -> dict[int, str]:
    """Return, for each open step, why nobody can decide it; empty when somebody can."""
    candidates: dict[int, list[Candidate]] = defaultdict(list)
    for one in entitled_to(step_ids=list(steps), now=now):
        candidates[one.step_id].append(Candidate(bool(one.unfit), one.is_away))
    return {
        step_id: why_stranded(candidates[step_id], who=who(step))
        for step_id, (_approval, step) in steps.items()
    }


def who(step: ApprovalStep) -> str:
    """Return who is asked, as people say it."""
    return role_label(step.escalated_to or step.role) or f"the right {step.permission}"


def role_label(role: str) -> str:
    return str(Role(role).label) if role in Role.values else role


def _mark(approval: Approval, step: ApprovalStep, why: str, now: datetime) -> None:
    step.stranded_at, step.stranded_why = (now, why[:200]) if why else (None, "")
    step.save(update_fields=["stranded_at", "stranded_why"])
    if not why:
        return
    after = {"step": step.number}
    note(approval, "governance.strand_approval", None, now, reason=why, after=after)
    publish(
        ApprovalStranded(
            approval_id=approval.pk,
            entity_id=approval.entity_id,
            document_kind=approval.document_kind,
            document_id=approval.document_id,
            step=step.number,
            reason=why,
        )
    )


def tell(approval: Approval, cause: str = "") -> None:
    publish(
        ApprovalDecided(
            approval_id=approval.pk,
            entity_id=approval.entity_id,
            document_kind=approval.document_kind,
            document_id=approval.document_id,
            state=str(approval.state),
            decided_by_id=approval.decided_by_id or 0,
            reason=approval.decision_reason,
            cause=cause,
        )
    )


def note(
    approval: Approval,
    action: str,
    actor: User | None,
    now: datetime,
    *,
    reason: str = "",
    after: Mapping[str, object] | None = None,
    behind: User | None = None,
) -> None:
    """Write what happened to a request into the audit trail, in the story of its document.

    `behind` is on whose behalf the actor decided.
    """
    change = Change(
        entity_id=approval.entity_id,
        action=action,
        subject_kind="governance.approval",
        subject_id=approval.pk,
        thread=f"{approval.document_kind}:{approval.document_id}",
        after={
            "state": str(approval.state),
            "permission": approval.permission,
            "amount": approval.amount,
            "currency": approval.currency,
            **{name: value for name, value in (after or {}).items() if value is not None},
        },
        reason=reason or approval.decision_reason,
        policy_version=approval.matrix_version or approval.policy_version,
    )
    record(changes=[change], actor=actor, now=now, on_behalf_of=behind)

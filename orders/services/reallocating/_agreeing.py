"""Commits re-allocations and overrides, with the agreement of others where it is needed."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from erp.accounts.models import User
from erp.governance.selectors import approval_waiting_for
from erp.governance.services import (
    AlreadyDecided,
    ApprovalFacts,
    Effect,
    EffectKind,
    approve,
    reject,
    request_approval,
    withdraw,
)
from orders import permissions
from orders.models import OrderLine, Reallocation
from orders.selectors import reallocation_fingerprints
from orders.services.reallocating._committing import do
from orders.services.reallocating._refusing import NotDecided, Overtaken, overtake
from orders.services.reallocating._simulating import KIND, new_override, note

State = Reallocation.State
LOSERS_SHOWN = 5


@transaction.atomic
def propose_override(
    *,
    line_id: int,
    quantity: Decimal,
    taken_from: Collection[int],
    reason: str,
    actor: User | None,
    now: datetime,
) -> Reallocation:
    """Ask to take `quantity` base units for a line: who would lose is written down first.

    What is free goes first, then what those hold who rank last, or the lines of `taken_from` alone.
    What is kept for others binds it not; whoever agrees is told how much of it is. Nothing is taken
    until somebody else agrees, chosen by what the losers lose.

    Raises:
        OrderLine.DoesNotExist: there is no such line.
        BadReallocation: there is no reason, or the line does not wait for so much.
        NotEnoughToTake: that much cannot be taken for it.

    Publishes:
        ApprovalRequested
    """
    line = OrderLine.objects.select_related("order__entity").get(pk=line_id)
    made, beyond = new_override(
        line=line, quantity=quantity, taken_from=taken_from, reason=reason, actor=actor, now=now
    )
    _ask(made, actor, now, beyond)
    note(made, "propose_override", actor, now)
    if made.state == State.AWAITING_APPROVAL and _is_agreed(made):
        return _done(made, None, now)
    return made


@transaction.atomic
def commit_run(*, reallocation_id: int, actor: User | None, now: datetime) -> Reallocation:
    """Do what was simulated; where a protected line loses, ask whoever must agree first.

    Committing again changes nothing.

    Raises:
        Reallocation.DoesNotExist: there is none such.
        NotDecided: it waits to be simulated or approved, was let go, or was overtaken.
        Overtaken: stock or demand changed, so that it would come out otherwise; nothing is changed.

    Publishes:
        OrderAllocated
        LineFellShort
        LineCovered
    """
    found = Reallocation.objects.lock(reallocation_id)
    if found.state == State.COMMITTED:
        return found
    if found.state != State.SIMULATED:
        raise _not_at(found, "committed")
    if found.needs_approval:
        _ask(found, actor, now)
        note(found, "ask_reallocation", actor, now)
        return _done(found, actor, now) if _is_agreed(found) else found
    return _done(found, actor, now)


@transaction.atomic
def discard_run(
    *, reallocation_id: int, reason: str, actor: User | None, now: datetime
) -> Reallocation:
    """Let it go: nothing was changed by it. Again changes nothing.

    Raises:
        Reallocation.DoesNotExist: there is none such.
        NotDecided: it was committed.
    """
    found = Reallocation.objects.lock(reallocation_id)
    if found.state == State.DISCARDED:
        return found
    if found.state == State.COMMITTED:
        raise _not_at(found, "discarded")
    said = reason.strip()[:300] or "Not wanted"
    withdraw(document_kind=KIND, document_id=found.pk, reason=said, now=now)
    _let_go(found, said, actor, now)
    return found


@transaction.atomic
def approve_reallocation(*, reallocation_id: int, actor: User, now: datetime) -> Reallocation:
    """Agree to what somebody else asked for; with the last agreement it is done at once.

    Raises:
        Reallocation.DoesNotExist: there is none such.
        AlreadyDecided: nobody is asked about it.
        OwnRequest: the person asked for it.
        NotYours: the person does not hold what is asked for.
        Overtaken: it would come out otherwise by now; nothing is changed, and nothing agreed to.

    Publishes:
        OrderAllocated
        LineFellShort
        LineCovered
    """
    found = Reallocation.objects.lock(reallocation_id)
    if found.state == State.COMMITTED and found.committed_by_id == actor.pk:
        return found
    waiting = approval_waiting_for(document_kind=KIND, document_id=found.pk)
    if waiting is None or found.state != State.AWAITING_APPROVAL:
        raise AlreadyDecided(_told(found))
    present = reallocation_fingerprints([found.pk])[found.pk]
    agreed = approve(approval_id=waiting.id, actor=actor, fingerprint=present, now=now)
    return _done(found, actor, now) if agreed.state == "approved" else found


@transaction.atomic
def reject_reallocation(
    *, reallocation_id: int, reason: str, actor: User, now: datetime
) -> Reallocation:
    """Refuse it, and say why: nothing is taken from anybody.

    Raises:
        Reallocation.DoesNotExist: there is none such.
        AlreadyDecided: nobody is asked about it.
        ReasonMissing: no reason is given.
        OwnRequest: the person asked for it.
        NotYours: the person does not hold what is asked for.
    """
    found = Reallocation.objects.lock(reallocation_id)
    waiting = approval_waiting_for(document_kind=KIND, document_id=found.pk)
    if waiting is None or found.state != State.AWAITING_APPROVAL:
        raise AlreadyDecided(_told(found))
    reject(approval_id=waiting.id, actor=actor, reason=reason, now=now)
    _let_go(found, reason.strip()[:300], actor, now)
    return found


@transaction.atomic
def follow_reallocation_approval(
    *, reallocation_id: int, state: str, decided_by: User | None, reason: str, now: datetime
) -> None:
    """Do what was decided about it in the inbox, or by the clock; done already, nothing.

    Overtaken by then, it is marked so, and nothing is taken.

    Raises:
        Reallocation.DoesNotExist: there is none such.

    Publishes:
        OrderAllocated
        LineFellShort
        LineCovered
    """
    found = Reallocation.objects.lock(reallocation_id)
    if found.state != State.AWAITING_APPROVAL:
        return
    if state != "approved":
        _let_go(found, reason or "Nobody agreed to it.", decided_by, now)
        return
    try:
        with transaction.atomic():
            _done(found, decided_by, now)
    except Overtaken as refusal:
        overtake(reallocation_id, str(refusal), now)


def _done(found: Reallocation, actor: User | None, now: datetime) -> Reallocation:
    do(found, actor, now)
    note(found, "commit_reallocation", actor, now)
    return found


def _is_agreed(found: Reallocation) -> bool:
    """Test if nobody need agree: the matrix said so when it was asked."""
    return approval_waiting_for(document_kind=KIND, document_id=found.pk) is None


def _let_go(found: Reallocation, reason: str, actor: User | None, now: datetime) -> None:
    found.discard(at=now, reason=reason[:300])
    found.save(update_fields=["state", "ended_at", "end_reason"])
    note(found, "discard_reallocation", actor, now, reason)


def _told(found: Reallocation) -> str:
    """Return what became of it, in a sentence."""
    if found.committed_at:
        by = found.committed_by.get_full_name() or found.committed_by.username if (
            found.committed_by
        ) else "the policy"  # fmt: skip
        return f"{found.number} was committed by {by} at {found.committed_at:%H:%M}."
    label = State(found.state).label.lower()
    why = f": {found.end_reason}" if found.end_reason else "."
    return f"{found.number} is at “{label}”{why}"


def _not_at(found: Reallocation, verb: str) -> NotDecided:
    return NotDecided(f"It cannot be {verb}. {_told(found)}")


def _ask(
    found: Reallocation, actor: User | None, now: datetime, beyond: Decimal = Decimal(0)
) -> None:
    """Ask whom the matrix names, by what the losers lose."""
    losers = found.changes.filter(amount__lt=0).select_related("line__order__customer")
    listed = list(losers.order_by("amount", "pk")[:LOSERS_SHOWN])
    count = losers.count()
    effects = [
        Effect(
            EffectKind.LOSER,
            f"{each.line.order.number}, {each.line.order.customer.name}: loses "
            f"{(each.before - each.after).normalize():f}",
            each.amount,
            each.currency,
        )
        for each in listed
    ]
    if count > len(listed):
        effects.append(Effect(EffectKind.LOSER, f"and {count - len(listed)} more lines"))
    if beyond:
        said = f"{beyond.normalize():f} of what is taken is kept for others"
        effects.append(Effect(EffectKind.LOSER, said))
    found.ask()
    found.save(update_fields=["state"])
    request_approval(
        entity_id=found.entity_id,
        document_kind=KIND,
        document_id=found.pk,
        label=f"{found.number} · {found.get_kind_display()}"[:120],
        permission=permissions.APPROVE_REALLOCATION,
        role="operations_lead",
        amount=found.lost_amount,
        currency=found.currency,
        consequence=(
            f"{found.lost.normalize():f} are taken from {count} lines"
            f"{': ' + found.reason if found.reason else ''}"
        )[:300],
        fingerprint=reallocation_fingerprints([found.pk])[found.pk],
        requested_by=actor,
        policy_version=found.policy_version[:60],
        facts=ApprovalFacts(losers_value=found.lost_amount, effects=effects),
        now=now,
    )

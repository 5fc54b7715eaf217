"""A second pair of eyes: who is needed, asking them, taking the request back."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction

from erp.accounts.models import Entity, User
from erp.governance.events import ApprovalRequested
from erp.governance.models import Approval
from erp.governance.rules.approving import ApprovalFacts, plan_of, what_follows
from erp.governance.services._deciding import Decision, Question, decide
from erp.governance.services._stepping import (
    end,
    note,
    open_steps,
    standing,
    tell,
    write_steps,
)
from erp.outbox.publishing import publish

MATRIX = "governance.approvals"
NO_FACTS = ApprovalFacts()


@transaction.atomic
def request_approval(
    *,
    entity_id: int,
    document_kind: str,
    document_id: int,
    label: str,
    permission: str,
    role: str,
    amount: Decimal,
    currency: str,
    consequence: str,
    fingerprint: str,
    requested_by: User | None,
    now: datetime,
    policy_version: str = "",
    barred: Collection[int] = (),
    threads: Collection[str] = (),
    facts: ApprovalFacts = NO_FACTS,
) -> Approval:
    """Ask for the agreement that the approval matrix wants, in its steps.

    Where the matrix says nothing about such a document, of somebody else who holds `permission` in
    the entity. Where it says that nobody need agree, the request is approved at once: look at the
    `state` of what is returned. `amount` is in `currency`, not negative.

    Asking again about an unchanged document returns the request that waits, or that was approved by
    itself; about a changed one, what waits becomes void and a new request is made. `barred` are
    users who took part and may not decide either. `threads` are the stories behind the document
    (its customer's, its supplier's): who did there what is kept apart from agreeing may not decide.

    Publishes:
        ApprovalRequested
        ApprovalDecided
    """
    asked: dict[str, Any] = {
        "document_kind": document_kind,
        "document_id": document_id,
        "permission": permission,
    }
    waiting = Approval.objects.select_for_update().filter(**asked, state="pending").first()
    if waiting is not None and waiting.fingerprint == fingerprint:
        return waiting
    if waiting is not None:
        end(waiting, reason="The document changed.", cause="changed", now=now)
    elif settled := _settled(asked, fingerprint):
        return settled
    entity = Entity.objects.get(pk=entity_id)
    request = Approval(
        **asked,
        entity=entity,
        document_label=label,
        role=role,
        amount=amount,
        currency=currency,
        consequence=consequence,
        fingerprint=fingerprint,
        barred=sorted(barred),
        threads=sorted({f"{document_kind}:{document_id}", *threads}),
        requested_by=requested_by,
        requested_at=now,
        policy_version=policy_version,
        effects=[effect.plain() for effect in facts.effects],
    )
    decision = _ask_matrix(request, entity, facts, now)
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError:  # somebody asked at the same moment
        return Approval.objects.get(**asked, state="pending")
    _begin(request, decision, requested_by, now)
    return request


@transaction.atomic
def withdraw(*, document_kind: str, document_id: int, reason: str, now: datetime) -> int:
    """Make what waits about a document void; return how many requests that were.

    Publishes:
        ApprovalDecided
    """
    waiting = Approval.objects.select_for_update().filter(
        document_kind=document_kind, document_id=document_id, state="pending"
    )
    found = list(waiting.order_by("pk"))
    for approval in found:
        end(approval, reason=reason, cause="withdrawn", now=now)
    return len(found)


def _settled(asked: dict[str, Any], fingerprint: str) -> Approval | None:
    """Return the last request about a document, if nobody had to agree and it is still that one."""
    last = Approval.objects.filter(**asked).order_by("-pk").first()
    is_same = last is not None and last.is_automatic and last.fingerprint == fingerprint
    return last if is_same else None


def _ask_matrix(request: Approval, entity: Entity, facts: ApprovalFacts, now: datetime) -> Decision:
    """Ask the matrix, and keep on the request what it was asked and by which version."""
    amount = facts.amount
    if amount is None and request.currency in {"", entity.currency}:
        amount = request.amount
    question = {
        "document_type": request.document_kind,
        "amount": amount,
        "currency": request.currency,
        "entity": entity.code,
        "category": facts.category or None,
        "margin": facts.margin,
        "losers_value": facts.losers_value,
    }
    asked = Question(entity.pk, request.document_kind, request.document_id, question)
    decision = decide(policy=MATRIX, questions=[asked], now=now)[0]
    request.matrix_version = decision.policy_version
    request.facts = {
        name: f"{value:f}" if isinstance(value, Decimal) else value
        for name, value in question.items()
        if value not in (None, "")
    }
    request.weight = max(
        (abs(one) for one in (amount, facts.losers_value) if one is not None),
        default=abs(request.amount),
    )
    return decision


def _begin(request: Approval, decision: Decision, actor: User | None, now: datetime) -> None:
    """Open the first steps, or approve what needs nobody."""
    plan = plan_of(decision.outcome, permission=request.permission, role=request.role)
    note(request, "governance.request_approval", actor, now)
    publish(
        ApprovalRequested(
            approval_id=request.pk,
            entity_id=request.entity_id,
            document_kind=request.document_kind,
            document_id=request.document_id,
            permission=request.permission,
        )
    )
    if plan.is_automatic:
        request.approve_by_policy(at=now)
        request.save(update_fields=["state", "is_automatic", "decided_at"])
        note(request, "governance.approve", None, now, reason="Nobody need agree.")
        tell(request, "automatic")
        return
    steps = write_steps(request, plan)
    first = what_follows(standing(steps)).open
    open_steps(request, [step for step in steps if step.pk in first], now)

"""Agreeing to a purchase order: the policy says who must, somebody else does."""

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from erp.accounts.models import User
from erp.governance.selectors import PendingApproval, approval_waiting_for
from erp.governance.services import (
    AlreadyDecided,
    ApprovalFacts,
    Decision,
    Effect,
    EffectKind,
    Fact,
    Question,
    approve,
    decide,
    refuse_conflict,
    reject,
    request_approval,
)
from erp.outbox.publishing import publish
from procurement.events import PurchaseOrderApproved, PurchaseOrderSubmitted
from procurement.models import PurchaseOrder
from procurement.selectors import fingerprint_of
from procurement.services._chaining import chain_of, order_act
from procurement.services._ordering import BadOrder, note

if TYPE_CHECKING:
    from erp.governance.models import Approval

KIND = "procurement.order"
POLICY = "procurement.approval"
LINES_SHOWN = 5


@transaction.atomic
def submit_order(*, order_id: int, actor: User | None, now: datetime) -> PurchaseOrder:
    """Ask for the agreement that the policy wants; without any, the order is approved at once.

    Submitting what already waits changes nothing.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        BadOrder: it has no lines.
        TransitionNotAllowed: it is no draft.

    Publishes:
        PurchaseOrderSubmitted
        PurchaseOrderApproved
    """
    order = PurchaseOrder.objects.lock(order_id)
    if order.state == PurchaseOrder.State.PENDING:
        return order
    if not order.lines.exists():
        raise BadOrder("lines", "Order at least one product.")
    order.submit(by_id=actor and actor.pk, at=now)
    order.save(update_fields=["state", "submitted_by", "submitted_at"])
    decision = _decision(order, now)
    version = decision.policy_version
    note(order, "submit", actor, now, before="draft", policy_version=version)
    publish(
        PurchaseOrderSubmitted(
            order_id=order.pk,
            number=order.number,
            entity_id=order.entity_id,
            total=str(order.total),
            currency=order.currency,
        )
    )
    if not decision.outcome["auto"]:
        asked = _ask(order, decision, actor, now)
        if asked.state != "approved":
            return order
        version = asked.matrix_version
    order.approve(by_id=None, at=now)
    order.save(update_fields=["state", "approved_by", "approved_at"])
    note(order, "approve", None, now, before="pending", policy_version=version)
    publish(
        PurchaseOrderApproved(order_id=order.pk, number=order.number, entity_id=order.entity_id)
    )
    return order


@transaction.atomic
def approve_order(*, order_id: int, actor: User, now: datetime) -> PurchaseOrder:
    """Agree to an order that somebody else wrote and submitted. Agreeing again changes nothing.

    Where others must agree as well, it is returned pending.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: it does not wait for approval.
        OwnRequest: the person wrote or submitted it, or is the same employee as who did.
        NotYours: the person does not hold the permission that the policy asks for.
        DutyConflict: they changed the supplier or its prices lately.
        DocumentChanged: it is not what was submitted.

    Publishes:
        PurchaseOrderApproved
    """
    order = PurchaseOrder.objects.lock(order_id)
    if order.state == PurchaseOrder.State.APPROVED and order.approved_by_id == actor.pk:
        return order
    waiting = _waiting(order)
    order.approve(by_id=actor.pk, at=now)
    if waiting is None:
        raise AlreadyDecided(f"Nobody is asked about {order.number}.")
    present = fingerprint_of(order)
    agreed = approve(approval_id=waiting.id, actor=actor, fingerprint=present, now=now)
    refuse_conflict(actor=actor, duty="procurement.approve", acts=[order_act(order)], now=now)
    if agreed.state != "approved":
        return PurchaseOrder.objects.get(pk=order_id)
    order.save(update_fields=["state", "approved_by", "approved_at"])
    note(order, "approve", actor, now, before="pending", policy_version=waiting.policy_version)
    publish(
        PurchaseOrderApproved(order_id=order.pk, number=order.number, entity_id=order.entity_id)
    )
    return order


@transaction.atomic
def reject_order(*, order_id: int, actor: User, reason: str, now: datetime) -> PurchaseOrder:
    """Send an order back to its author, with the reason.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.
        TransitionNotAllowed: it does not wait for approval.
        OwnRequest: the person wrote or submitted it, or is the same employee as who did.
        NotYours: the person does not hold the permission that the policy asks for.
        ReasonMissing: no reason is given.
    """
    order = PurchaseOrder.objects.lock(order_id)
    waiting = _waiting(order)
    order.reject()
    if waiting is None:
        raise AlreadyDecided(f"Nobody is asked about {order.number}.")
    reject(approval_id=waiting.id, actor=actor, reason=reason, now=now)
    order.save(update_fields=["state", "submitted_by", "submitted_at"])
    note(order, "reject", actor, now, before="pending", reason=reason)
    return order


@transaction.atomic
def follow_approval(
    *,
    order_id: int,
    state: str,
    decided_by: User | None,
    fingerprint: str,
    reason: str,
    now: datetime,
) -> None:
    """Do to an order what was decided about it in the inbox; done already, it changes nothing.

    An order that is not what was decided about goes back to its author, and so does one about which
    nobody decided in time (`state` void). `decided_by` is None where nobody had to agree.

    Raises:
        PurchaseOrder.DoesNotExist: there is no such order.

    Publishes:
        PurchaseOrderApproved
    """
    order = PurchaseOrder.objects.lock(order_id)
    if order.state != PurchaseOrder.State.PENDING:
        return
    if state == "void" and _waiting(order) is not None:  # it has been asked about anew
        return
    is_same = fingerprint == fingerprint_of(order)
    if state != "approved" or not is_same:
        order.reject()
        order.save(update_fields=["state", "submitted_by", "submitted_at"])
        said = reason if is_same or state == "void" else "It changed after it was decided about."
        note(order, "reject", decided_by, now, before="pending", reason=said)
        return
    order.approve(by_id=decided_by and decided_by.pk, at=now)
    order.save(update_fields=["state", "approved_by", "approved_at"])
    note(order, "approve", decided_by, now, before="pending")
    publish(
        PurchaseOrderApproved(order_id=order.pk, number=order.number, entity_id=order.entity_id)
    )


def _waiting(order: PurchaseOrder) -> PendingApproval | None:
    return approval_waiting_for(document_kind=KIND, document_id=order.pk)


def _decision(order: PurchaseOrder, now: datetime) -> Decision:
    facts: dict[str, Fact] = {
        "amount": order.total,
        "currency": order.currency,
        "supplier": order.supplier.code,
        "lines": order.lines.count(),
    }
    question = Question(order.entity_id, KIND, order.pk, facts)
    return decide(policy=POLICY, questions=[question], now=now)[0]


def _ask(order: PurchaseOrder, decision: Decision, actor: User | None, now: datetime) -> "Approval":
    count = order.lines.count()
    return request_approval(
        entity_id=order.entity_id,
        document_kind=KIND,
        document_id=order.pk,
        label=f"{order.number} · {order.supplier.name}"[:120],
        permission=decision.outcome["permission"],
        role=decision.outcome["role"],
        amount=order.total,
        currency=order.currency,
        consequence=(
            f"{order.supplier.name} is asked for {count} "
            f"{'product' if count == 1 else 'products'} by {order.expected_date:%-d %B %Y}."
        )[:300],
        fingerprint=fingerprint_of(order),
        requested_by=actor,
        barred=[] if order.created_by_id is None else [order.created_by_id],
        threads=chain_of(order),
        policy_version=decision.policy_version,
        facts=ApprovalFacts(effects=_effects(order, count)),
        now=now,
    )


def _effects(order: PurchaseOrder, count: int) -> list[Effect]:
    """Return what the approval brings about: the largest lines, and the money it binds."""
    lines = order.lines.select_related("product")
    dear = sorted(lines, key=lambda line: -line.quantity * line.unit_price)[:LINES_SHOWN]
    shown = [
        Effect(
            EffectKind.CHANGE,
            f"{line.quantity.normalize():f} {line.product.code} · {line.product.name}",
            round(line.quantity * line.unit_price, 2),
            order.currency,
        )
        for line in dear
    ]
    if count > len(shown):
        shown.append(Effect(EffectKind.CHANGE, f"and {count - len(shown)} more lines"))
    bound = f"Bound at {order.supplier.name} until {order.expected_date:%-d %B %Y}"
    return [*shown, Effect(EffectKind.MONEY, bound, order.total, order.currency)]

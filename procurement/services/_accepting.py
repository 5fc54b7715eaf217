"""Proposals become purchase orders, or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction

from erp.accounts.models import User
from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import records, rows, run
from erp.kernel.states import move
from procurement.models import PurchaseProposal


class ProposalClosed(DomainError):
    """Somebody has decided about the proposal before."""

    code: ClassVar[str] = "proposal_closed"


class BadProposal(DomainError):
    """What is asked of a proposal cannot be: the sentence says which and why."""

    code: ClassVar[str] = "bad_proposal"


@dataclass(frozen=True, slots=True)
class WrittenOrder:
    """A purchase order that was written."""

    id: int
    number: str
    proposal_ids: Sequence[int]


LOCK = """
    SELECT p.id, p.state, p.entity_id, p.product_id, p.quantity, s.is_blocked, s.name AS supplier
    FROM procurement_purchaseproposal p
    JOIN procurement_supplier s ON s.id = p.supplier_id
    WHERE p.id = ANY(%(ids)s)
    ORDER BY p.id
    FOR NO KEY UPDATE OF p
"""
CHANGE = """
    UPDATE procurement_purchaseproposal p SET quantity = asked.quantity
    FROM unnest(%(ids)s::bigint[], %(quantities)s::numeric[]) AS asked (id, quantity)
    WHERE p.id = asked.id
"""
WRITE = """
    WITH chosen AS (
        SELECT p.*,
               row_number() OVER (PARTITION BY entity_id, supplier_id, node_id, currency
                                  ORDER BY product_id, id) AS position
        FROM procurement_purchaseproposal p
        WHERE id = ANY(%(ids)s)
    ), written AS (
        INSERT INTO procurement_purchaseorder (
            entity_id, supplier_id, node_id, currency, state, expected_date, total, created_at,
            created_by_id, close_reason
        )
        SELECT entity_id, supplier_id, node_id, currency, 'draft', max(need_by),
               round(sum(quantity * unit_price), 2), %(now)s, %(actor)s, ''
        FROM chosen
        GROUP BY entity_id, supplier_id, node_id, currency
        ORDER BY entity_id, supplier_id, node_id
        RETURNING id, number, entity_id, supplier_id, node_id, currency, total
    ), lines AS (
        INSERT INTO procurement_purchaseorderline (
            order_id, position, product_id, proposal_id, quantity, received, unit_price,
            expected_date
        )
        SELECT w.id, c.position, c.product_id, c.id, c.quantity, 0, c.unit_price, c.need_by
        FROM chosen c
        JOIN written w USING (entity_id, supplier_id, node_id, currency)
        RETURNING order_id, proposal_id
    )
    SELECT w.id, w.number, w.entity_id, w.total, w.currency,
           array_agg(l.proposal_id ORDER BY l.proposal_id) AS proposals
    FROM written w
    JOIN lines l ON l.order_id = w.id
    GROUP BY w.id, w.number, w.entity_id, w.total, w.currency
    ORDER BY w.id
"""
WRITTEN_BEFORE = """
    SELECT o.id, o.number, array_agg(l.proposal_id ORDER BY l.proposal_id)
    FROM procurement_purchaseorderline l
    JOIN procurement_purchaseorder o ON o.id = l.order_id
    WHERE l.proposal_id = ANY(%(ids)s)
    GROUP BY o.id, o.number
    ORDER BY o.id
"""


@transaction.atomic
def accept_proposals(
    *,
    proposal_ids: Sequence[int],
    actor: User | None,
    now: datetime,
    quantities: Mapping[int, Decimal] | None = None,
) -> list[WrittenOrder]:
    """Write draft orders out of proposals: one per entity, supplier, node and currency.

    `quantities` changes what a proposal says, in base units. Accepting what was accepted returns
    the orders it is on. Locks the proposals in order.

    Raises:
        BadProposal: one is unknown, its supplier is blocked, or its new quantity is not above zero.
        ProposalClosed: one was rejected.
    """
    found = {row["id"]: row for row in records(LOCK, {"ids": list(proposal_ids)})}
    changed = dict(quantities or {})
    _refuse_unfit(found, proposal_ids, changed)
    fresh = [pk for pk, row in found.items() if row["state"] == "open"]
    before = [pk for pk, row in found.items() if row["state"] == "accepted"]
    if wanted := {pk: changed[pk] for pk in fresh if pk in changed}:
        run(CHANGE, {"ids": list(wanted), "quantities": list(wanted.values())})
    written = records(WRITE, {"ids": fresh, "now": now, "actor": actor and actor.pk})
    move(PurchaseProposal, "accept", fresh, decided_at=now, decided_by=actor.pk if actor else None)
    record(changes=_changes(found, fresh, written, wanted), actor=actor, now=now)
    orders = [WrittenOrder(row["id"], row["number"], row["proposals"]) for row in written]
    if before:
        orders += [WrittenOrder(*row) for row in rows(WRITTEN_BEFORE, {"ids": before})]
    return orders


@transaction.atomic
def reject_proposal(*, proposal_id: int, actor: User | None, reason: str, now: datetime) -> None:
    """Decline a proposal and say why. Declining again changes nothing.

    Raises:
        BadProposal: it is unknown, or no reason is given.
        ProposalClosed: it was accepted.
    """
    if not reason.strip():
        raise BadProposal("Say why the proposal is rejected.")
    found = {row["id"]: row for row in records(LOCK, {"ids": [proposal_id]})}
    if proposal_id not in found:
        raise BadProposal(f"There is no proposal {proposal_id}.")
    row = found[proposal_id]
    if row["state"] == "rejected":
        return
    if row["state"] != "open":
        raise ProposalClosed(f"Proposal {proposal_id} was accepted; cancel its order instead.")
    said = reason.strip()[:200]
    move(
        PurchaseProposal,
        "reject",
        [proposal_id],
        decided_at=now,
        decided_by=actor.pk if actor else None,
        decision_reason=said,
    )
    change = _change(row, "procurement.reject_proposal", {"state": "rejected"}, said)
    record(changes=[change], actor=actor, now=now)


def _refuse_unfit(
    found: Mapping[int, Mapping[str, Any]],
    proposal_ids: Sequence[int],
    changed: Mapping[int, Decimal],
) -> None:
    for pk in proposal_ids:
        if pk not in found:
            raise BadProposal(f"There is no proposal {pk}.")
        row = found[pk]
        if row["state"] == "rejected":
            raise ProposalClosed(f"Proposal {pk} was rejected.")
        if row["state"] == "open" and row["is_blocked"]:
            raise BadProposal(f"Proposal {pk}: the supplier {row['supplier']} is blocked.")
        quantity = changed.get(pk, row["quantity"])
        if not quantity.is_finite() or quantity <= 0:
            raise BadProposal(f"Proposal {pk}: the quantity must be above zero.")


def _changes(
    found: Mapping[int, Mapping[str, Any]],
    fresh: Sequence[int],
    written: Sequence[Mapping[str, Any]],
    changed: Mapping[int, Decimal],
) -> list[Change]:
    number_of = {pk: row["number"] for row in written for pk in row["proposals"]}
    changes = [
        _change(
            found[pk],
            "procurement.accept_proposal",
            {"state": "accepted", "order": number_of[pk]}
            | ({"quantity": changed[pk]} if pk in changed else {}),
        )
        for pk in fresh
    ]
    changes += [
        Change(
            entity_id=row["entity_id"],
            action="procurement.write",
            subject_kind="procurement.order",
            subject_id=row["id"],
            thread=f"procurement.order:{row['id']}",
            after={"state": "draft", "total": row["total"], "currency": row["currency"],
                   "proposals": list(row["proposals"])},
        )
        for row in written
    ]  # fmt: skip
    return changes


def _change(
    row: Mapping[str, Any], action: str, after: Mapping[str, Any], reason: str = ""
) -> Change:
    return Change(
        entity_id=row["entity_id"],
        action=action,
        subject_kind="procurement.proposal",
        subject_id=row["id"],
        thread=f"inventory.product:{row['product_id']}",
        before={"state": row["state"]},
        after=after,
        reason=reason,
    )

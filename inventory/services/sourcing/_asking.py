"""Asks for what was chosen to come from elsewhere, and notes what was asked for."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish
from inventory.events import SupplyAsked
from inventory.models import AllocationDecision, Sourcing
from inventory.services.transferring import TransferDraft, request_transfers

State = Sourcing.State
TRANSFER = "inventory.transfer"
MOVED = {"transfer", "affiliate"}


# Stock is locked before what it is for: whoever asks takes turns before anything is locked.
TURN = "SELECT pg_advisory_xact_lock(hashtext('inventory.sourcing'), %s::bigint::int)"


class NotWanted(DomainError):
    """Nobody waits for it any more."""

    code: ClassVar[str] = "not_wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What was asked for: the kind and id of a document, and what people call it."""

    kind: str
    id: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """What a person asked for for one demand: the way, its source, how much, and when it comes.

    `value` is what is paid for it in `currency`, the company's.
    """

    demand_kind: str
    demand_id: int
    mode: str
    source: str
    quantity: Decimal
    value: Decimal
    currency: str
    arrives_on: date


@transaction.atomic
def ask_transfer(*, sourcing_id: int, now: datetime) -> Sourcing | None:
    """Ask for the transfer that was chosen for a demand, within the company or from a sister.

    None where it is chosen no more. Asking again changes nothing. What the transfer is refused for
    is said on the proposal, which a person then decides about. Locks what `request_transfers`
    locks, then the supply.

    Publishes:
        SupplyAsked
    """
    rows(TURN, [sourcing_id])
    row = Sourcing.objects.get(pk=sourcing_id)
    if row.state != State.CHOSEN or row.mode not in MOVED:
        return None
    if row.origin_id is None or row.node_id is None:
        return None
    draft = TransferDraft(
        entity_id=row.seller_id or row.entity_id,
        origin_id=row.origin_id,
        destination_id=row.node_id,
        lines=[(row.product_id, row.quantity)],
        reason=f"For {row.demand_label}, which is short.",
        to_entity_id=row.entity_id if row.seller_id else None,
        client_key=f"sourcing:{row.pk}",
    )
    try:
        with transaction.atomic():
            (made,) = request_transfers(drafts=[draft], actor=None, now=now)
            _refuse_unwanted(sourcing_id)
    except NotWanted:
        return None
    except DomainError as refused:
        return hand_over(sourcing_id=row.pk, why=str(refused), now=now)
    document = Document(kind=TRANSFER, id=made.pk, label=made.number)
    return note_asked(sourcing_id=row.pk, document=document, now=now)


def _refuse_unwanted(sourcing_id: int) -> None:
    if lock_chosen(sourcing_id=sourcing_id) is None:
        raise NotWanted("Nobody waits for it any more.")


@transaction.atomic(savepoint=False)  # a step of its caller, which refuses nothing by it
def lock_chosen(*, sourcing_id: int) -> Sourcing | None:
    """Lock and return what is to be asked for; None where somebody was quicker, or it is over.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.
    """
    row = Sourcing.objects.lock(sourcing_id)
    return row if row.state == State.CHOSEN else None


@transaction.atomic(savepoint=False)  # a step of its caller, which refuses nothing by it
def lock_open(*, sourcing_id: int) -> Sourcing | None:
    """Lock and return what was not asked for yet; None where it was, or it is over.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.
    """
    row = Sourcing.objects.lock(sourcing_id)
    return row if row.state in {State.PROPOSED, State.CHOSEN} else None


@transaction.atomic
def note_asked(*, sourcing_id: int, document: Document, now: datetime) -> Sourcing:
    """Note by which document a proposed or chosen supply was asked for.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.
        TransitionNotAllowed: it was asked for before, or is over.

    Publishes:
        SupplyAsked
    """
    row = Sourcing.objects.lock(sourcing_id)
    row.ask(kind=document.kind, document_id=document.id, label=document.label, at=now)
    row.save()
    tell(row, "ask_supply", now, reason=document.label)
    publish(
        SupplyAsked(
            sourcing_id=row.pk,
            entity_id=row.entity_id,
            product_id=row.product_id,
            demand_kind=row.demand_kind,
            demand_id=row.demand_id,
            label=document.label,
        )
    )
    return row


@transaction.atomic
def hand_over(*, sourcing_id: int, why: str, now: datetime) -> Sourcing:
    """Leave what could not be asked for by itself to a person, with the reason.

    Raises:
        Sourcing.DoesNotExist: there is none of that id.
        TransitionNotAllowed: it is not chosen.
    """
    row = Sourcing.objects.lock(sourcing_id)
    row.hand_over(why=why[:300])
    row.save()
    tell(row, "hand_over_supply", now, reason=why)
    return row


@transaction.atomic
def note_asked_by_hand(*, asked: ByHand, document: Document, now: datetime) -> Sourcing | None:
    """Note what a person asked for for a demand; other proposals for it are withdrawn.

    None where no run ever decided about the demand. The demand's document is locked by the caller.

    Publishes:
        SupplyAsked
    """
    decision = (
        AllocationDecision.objects.filter(
            demand_id=asked.demand_id, demand_kind=asked.demand_kind
        )
        .order_by("-pk")
        .first()
    )  # fmt: skip
    if decision is None:
        return None
    live = Sourcing.objects.lock_live(asked.demand_kind, [asked.demand_id])
    same = [row for row in live if (row.mode, row.source) == (asked.mode, asked.source)]
    for row in live:
        if row.state != State.ASKED and row not in same:
            row.withdraw(why="Somebody chose another way", at=now)
            row.save()
            tell(row, "withdraw_supply", now, reason=row.why)
    if any(row.state == State.ASKED for row in same):
        return same[0]
    row = same[0] if same else Sourcing(
        entity_id=decision.entity_id, run_id=decision.run_id, demand_kind=asked.demand_kind,
        demand_id=asked.demand_id, demand_label=decision.demand_label,
        product_id=decision.product_id, mode=asked.mode, source=asked.source,
        currency=asked.currency, leaves_on=asked.arrives_on, decided_at=now,
    )  # fmt: skip
    row.quantity, row.buys, row.value = asked.quantity, asked.quantity, asked.value
    row.arrives_on = asked.arrives_on
    row.save()
    return note_asked(sourcing_id=row.pk, document=document, now=now)


def tell(row: Sourcing, verb: str, now: datetime, *, reason: str = "") -> None:
    """Write what happened to it into the audit trail."""
    change = Change(
        entity_id=row.entity_id,
        action=f"inventory.{verb}",
        subject_kind="inventory.sourcing",
        subject_id=row.pk,
        thread=f"{row.demand_kind}:{row.demand_id}",
        after={"mode": row.mode, "quantity": row.quantity, "document": row.document_label},
        reason=reason[:300],
        policy_version=row.policy_version,
    )
    record(changes=[change], actor=None, now=now)

"""Ends what was to come from elsewhere: it came, it was called off, or nobody waits for it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django_fsm import TransitionNotAllowed

from erp.kernel.errors import DomainError
from erp.kernel.states import move
from erp.outbox.publishing import publish_all
from inventory.events import SupplyUnwanted
from inventory.models import Sourcing, Transfer
from inventory.services.sourcing._asking import tell
from inventory.services.transferring import cancel_transfer

State = Sourcing.State


@transaction.atomic
def let_supply_go(*, kind: str, demand_ids: Collection[int], why: str, now: datetime) -> int:
    """Give up what is to come for demands that wait no more; return how much of it there was.

    What is only proposed or chosen is withdrawn; of what was asked for, who keeps the document is
    told to call it off while that costs nothing. It stays asked for until its document ends.
    Repeating it changes nothing.

    Publishes:
        SupplyUnwanted
    """
    live = Sourcing.objects.lock_live(kind, sorted(set(demand_ids)))
    open_ = [row for row in live if row.state != State.ASKED]
    move(Sourcing, "withdraw", [row.pk for row in open_], why=why[:300], ended_at=now)
    for row in open_:
        tell(row, "withdraw_supply", now, reason=why)
    publish_all(
        [
            SupplyUnwanted(
                sourcing_id=row.pk,
                entity_id=row.entity_id,
                mode=row.mode,
                document_kind=row.document_kind,
                document_id=row.document_id,
            )
            for row in live
            if row.state == State.ASKED and row.document_id is not None
        ]
    )
    return len(live)


@transaction.atomic
def end_supply(
    *, document_kind: str, document_ids: Collection[int], has_come: bool, now: datetime
) -> int:
    """Note that documents ended by which supply was asked for; return how many supplies ended.

    What has come is fulfilled, what will not come is withdrawn: the next run looks elsewhere anew.
    """
    found = Sourcing.objects.filter(
        document_kind=document_kind, document_id__in=list(document_ids), state=State.ASKED
    )
    rows = list(found.order_by("pk").select_for_update())
    ids = [row.pk for row in rows]
    if has_come:
        move(Sourcing, "fulfil", ids, ended_at=now)
    else:
        move(Sourcing, "withdraw", ids, why="It was called off", ended_at=now)
    for row in rows:
        tell(row, "fulfil_supply" if has_come else "withdraw_supply", now)
    return len(rows)


@transaction.atomic
def call_off_transfer(*, transfer_id: int, now: datetime) -> bool:
    """Call off a transfer that nobody waits for any more, unless it is picked already."""
    transfer = Transfer.objects.lock(transfer_id)
    if transfer.state not in {Transfer.State.REQUESTED, Transfer.State.APPROVED}:
        return False
    try:
        with transaction.atomic():
            cancel_transfer(
                transfer_id=transfer_id, reason="Nobody waits for it any more", actor=None, now=now
            )
    except (DomainError, TransitionNotAllowed):
        return False
    return True

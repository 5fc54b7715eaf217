"""Closes approved corrections: a change of status moves its goods, an adjustment is answered."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from erp.kernel.sql import run
from erp.outbox.publishing import publish_all
from inventory.events import CorrectionPosted
from inventory.models import Correction, CorrectionLine, StockMove, StockStatus
from inventory.services._adjusting import NotThatMuch, StockAdjustment
from inventory.services._posting import Key, Movement, balances, posting, posting_and
from inventory.services._telling import Place, fallen, received
from inventory.services.binning._carrying import carry
from inventory.services.correcting._noting import note
from inventory.services.numbering._posting import Shifted, shift_serials

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Correction.State
LINE = "inventory.correctionline"

MOVE = posting_and("SELECT 1")


@transaction.atomic
def close_correction(
    *, correction_id: int, actor: "User | None", now: datetime
) -> tuple[Correction, list[StockAdjustment]]:
    """Close an approved correction; answer what finance posts in the same commit.

    A change of status moves its goods here, at their value: the ledger has nothing to say, and
    nothing is answered. Closing again answers nothing. Locks the correction, then costs, then stock
    rows, each in id order.

    Raises:
        Correction.DoesNotExist: there is no such correction.
        TransitionNotAllowed: it is not approved.
        NotThatMuch: less is there and unreserved than changes its status.
        SerialsNeeded, BadSerial: the pieces that change their status are not named, or elsewhere.

    Publishes:
        CorrectionPosted
        StockFell
        StockReceived
    """
    correction = Correction.objects.lock(correction_id)
    if correction.state == State.POSTED:
        return correction, []
    correction.post(by_id=actor and actor.pk, at=now)
    correction.save(update_fields=["state", "posted_by", "posted_at"])
    lines = list(correction.lines.order_by("position"))
    if correction.kind == Correction.Kind.STATUS:
        _move(correction, lines, actor, now)
    note(correction, "post_correction", State.APPROVED, actor, now, lines=len(lines))
    publish_all(
        [
            CorrectionPosted(
                correction_id=correction.pk,
                number=correction.number,
                entity_id=correction.entity_id,
                node_id=correction.node_id,
                kind=correction.kind,
                value=f"{correction.value:f}",
            )
        ]
    )
    if correction.kind == Correction.Kind.STATUS:
        return correction, []
    return correction, [
        StockAdjustment(
            entity_id=correction.entity_id,
            node_id=correction.node_id,
            product_id=line.product_id,
            lot_id=line.lot_id,
            status=line.status,
            quantity=line.quantity,
            unit_value=line.unit_value,
            reason=f"{correction.number} · {correction.reason}"[:200],
            serials=line.serials,
        )
        for line in lines
    ]


def _move(
    correction: Correction, lines: Sequence[CorrectionLine], actor: "User | None", now: datetime
) -> None:
    ways = [(_key(correction, line, line.status), _key(correction, line, line.to_status))
            for line in lines]  # fmt: skip
    held = balances([key for way in ways for key in way])
    free = {key: balance.free for key, balance in held.items()}
    movements = []
    changes: dict[Place, Decimal] = defaultdict(Decimal)
    for line, (source, target) in zip(lines, ways, strict=True):
        if free[source] < line.quantity:
            raise NotThatMuch(line.product_id, correction.node_id, free[source])
        free[source] -= line.quantity
        free[target] += line.quantity
        movements += [
            Movement(held[source].stock_id, -line.quantity, Decimal(0), line.pk),
            Movement(held[target].stock_id, line.quantity, Decimal(0), line.pk),
        ]
        place = (correction.entity_id, correction.node_id, line.product_id)
        for key, quantity in ((source, -line.quantity), (target, line.quantity)):
            if key.status == StockStatus.AVAILABLE:
                changes[place] += quantity
    carry(held.values(), movements, cause_kind=LINE, actor=actor, now=now)
    params = posting(movements, kind=StockMove.Kind.STATUS, cause_kind=LINE, actor=actor, now=now)
    run(MOVE.of(params), params)
    shift_serials(
        held,
        [
            Shifted(source, target, line.quantity, line.pk, line.serials)
            for line, (source, target) in zip(lines, ways, strict=True)
        ],
        cause_kind=LINE,
        actor=actor,
        now=now,
    )
    publish_all(
        [
            *received({place: quantity for place, quantity in changes.items() if quantity > 0}),
            *fallen(place for place, quantity in changes.items() if quantity < 0),
        ]
    )


def _key(correction: Correction, line: CorrectionLine, status: str) -> Key:
    return Key(correction.entity_id, correction.node_id, line.product_id, status, line.lot_id or 0)

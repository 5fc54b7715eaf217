"""Brings pieces in, takes them off, and moves them between statuses, as balances were posted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from inventory.models import SerialMove
from inventory.services._posting import Balance, Key
from inventory.services.numbering._carrying import SerialStep, carry_serials, refuse_numbers

if TYPE_CHECKING:
    from erp.accounts.models import User


class Brought(NamedTuple):
    """So many base units, signed, that came into a balance or left it, and their numbers."""

    key: Key
    quantity: Decimal
    cause_id: int
    numbers: Sequence[str]


class Shifted(NamedTuple):
    """So many base units that went from one balance to another, and their numbers."""

    source: Key
    target: Key
    quantity: Decimal
    cause_id: int
    numbers: Sequence[str]


def bring_serials(
    held: Mapping[Key, Balance],
    brought: Sequence[Brought],
    *,
    kind: str,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Carry the pieces of what came or went. No statement where nothing is kept by serial number.

    What leaves need not be named where nothing else lies there.

    Raises:
        SerialsNeeded, BadSerial: the pieces are not as their balance says.
    """
    steps = []
    for each in brought:
        balance = held[each.key]
        if not balance.is_serial:
            refuse_numbers(each.key.product_id, each.numbers)
            continue
        comes = each.quantity > 0
        steps.append(
            SerialStep(
                product_id=each.key.product_id,
                quantity=abs(each.quantity),
                source=0 if comes else balance.stock_id,
                target=balance.stock_id if comes else 0,
                cause_id=each.cause_id,
                numbers=each.numbers,
                may_infer=not comes,
            )
        )
    # What is taken off comes first: a piece may be found again in the same batch.
    for batch in ([s for s in steps if s.source], [s for s in steps if not s.source]):
        carry_serials(batch, kind=kind, cause_kind=cause_kind, actor=actor, now=now)


def shift_serials(
    held: Mapping[Key, Balance],
    shifted: Sequence[Shifted],
    *,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Carry the pieces of what changed its status.

    Raises:
        SerialsNeeded, BadSerial: the pieces are not as their balance says.
    """
    carry_serials(
        [
            SerialStep(
                product_id=each.source.product_id,
                quantity=each.quantity,
                source=held[each.source].stock_id,
                target=held[each.target].stock_id,
                cause_id=each.cause_id,
                numbers=each.numbers,
                may_infer=True,
            )
            for each in shifted
            if held[each.source].is_serial
        ],
        kind=SerialMove.Kind.STATUS,
        cause_kind=cause_kind,
        actor=actor,
        now=now,
    )

"""Takes serial numbers for transfers, and carries them there."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from erp.kernel.sql import rows
from inventory.models import SerialMove
from inventory.services.numbering._carrying import SerialStep, carry_serials, refuse_numbers

if TYPE_CHECKING:
    from erp.accounts.models import User

Kind = SerialMove.Kind
PIECE = "inventory.transferpiece"
LINE = "inventory.transferline"
RECEIPT_LINE = "inventory.transferreceiptline"

PIECES = """
    SELECT p.id, l.id, l.product_id, p.stock_id, s.is_serial, p.quantity
    FROM inventory_transferpiece p
    JOIN inventory_transferline l ON l.id = p.line_id
    JOIN inventory_stock s ON s.id = p.stock_id
    WHERE l.transfer_id = ANY(%s)
    ORDER BY p.id
"""

TRAVELLING = """
    SELECT p.id, l.product_id, n.stock_id, count(*)::numeric
    FROM inventory_transferpiece p
    JOIN inventory_transferline l ON l.id = p.line_id
    JOIN inventory_serial n ON n.piece_id = p.id
    WHERE {narrowed} = ANY(%s)
    GROUP BY p.id, l.id, n.stock_id ORDER BY p.id
"""


class _Picked(NamedTuple):
    id: int
    line_id: int
    product_id: int
    stock_id: int
    is_serial: bool
    quantity: Decimal


class MissingPieces(NamedTuple):
    """So many pieces of a transfer's line that went aside, out of one balance into another."""

    line_id: int
    product_id: int
    source: int
    target: int
    quantity: Decimal


def pick_for_transfers(
    transfer_ids: Collection[int],
    numbers: Mapping[int, Sequence[str]],
    missing: Sequence[MissingPieces],
    *,
    lost: Mapping[int, Sequence[str]],
    actor: "User | None",
    now: datetime,
) -> None:
    """Take the pieces that were picked, `numbers` by line, and put aside what was not found.

    `lost` are, by line, the numbers of what was not found, where more is there than that.

    Raises:
        SerialsNeeded: a line does not name one number for each piece that was picked, or missing.
        BadSerial: one does not lie there, or is taken.
    """
    picked = [_Picked(*row) for row in rows(PIECES, [list(transfer_ids)])]
    for each in picked:
        if not each.is_serial:
            named = [*numbers.get(each.line_id, ()), *lost.get(each.line_id, ())]
            refuse_numbers(each.product_id, named)
    carry_serials(
        [
            SerialStep(
                product_id=each.product_id,
                quantity=each.quantity,
                source=each.stock_id,
                target=each.stock_id,
                cause_id=each.id,
                numbers=numbers.get(each.line_id, ()),
                taken=(0, each.id),
            )
            for each in picked
            if each.is_serial
        ],
        kind=Kind.PICK,
        cause_kind=PIECE,
        actor=actor,
        now=now,
    )
    carry_serials(
        [
            SerialStep(
                product_id=each.product_id,
                quantity=each.quantity,
                source=each.source,
                target=each.target,
                cause_id=each.line_id,
                numbers=lost.get(each.line_id, ()),
                may_infer=True,
            )
            for each in missing
        ],
        kind=Kind.STATUS,
        cause_kind=LINE,
        actor=actor,
        now=now,
    )


def give_back_of_transfer(transfer_id: int, *, actor: "User | None", now: datetime) -> None:
    """Free the pieces that were picked for a transfer that does not go."""
    carry_serials(
        [
            SerialStep(
                product_id=product_id,
                quantity=quantity,
                source=stock_id,
                target=stock_id,
                cause_id=piece_id,
                was=(0, piece_id),
                may_infer=True,
            )
            for piece_id, product_id, stock_id, quantity in rows(
                TRAVELLING.format(narrowed="l.transfer_id"), [[transfer_id]]
            )
        ],
        kind=Kind.UNPICK,
        cause_kind=PIECE,
        actor=actor,
        now=now,
    )


def send_serials(targets: Mapping[int, int], *, actor: "User | None", now: datetime) -> None:
    """Carry what was picked for these pieces into the balances it travels in, by piece."""
    carry_serials(
        [
            SerialStep(
                product_id=product_id,
                quantity=quantity,
                source=stock_id,
                target=targets[piece_id],
                cause_id=piece_id,
                was=(0, piece_id),
                taken=(0, piece_id),
                may_infer=True,
            )
            for piece_id, product_id, stock_id, quantity in rows(
                TRAVELLING.format(narrowed="p.id"), [list(targets)]
            )
        ],
        kind=Kind.TRANSFER,
        cause_kind=PIECE,
        actor=actor,
        now=now,
    )


class Arriving(NamedTuple):
    """So many of what travels for one piece that go into one balance; 0 is lost on its way."""

    piece_id: int
    product_id: int
    target: int
    quantity: Decimal
    receipt_line_id: int
    numbers: Sequence[str]


def receive_serials(arriving: Sequence[Arriving], *, actor: "User | None", now: datetime) -> None:
    """Carry what came into its balance; which came need not be said where all the rest did.

    What is lost stays where it travels, taken by nobody, until its correction takes it off.

    Raises:
        SerialsNeeded, BadSerial: what came is not of what was sent.
    """
    travelling = TRAVELLING.format(narrowed="p.id")
    sources = {row[0]: row[2] for row in rows(travelling, [[each.piece_id for each in arriving]])}
    for is_lost in (False, True):
        carry_serials(
            [
                SerialStep(
                    product_id=each.product_id,
                    quantity=each.quantity,
                    source=sources.get(each.piece_id, 0),
                    target=sources.get(each.piece_id, 0) if is_lost else each.target,
                    cause_id=each.receipt_line_id,
                    numbers=each.numbers,
                    was=(0, each.piece_id),
                    may_infer=True,
                )
                for each in arriving
                if is_lost != bool(each.target)
            ],
            kind=Kind.UNPICK if is_lost else Kind.TRANSFER,
            cause_kind=RECEIPT_LINE,
            actor=actor,
            now=now,
        )

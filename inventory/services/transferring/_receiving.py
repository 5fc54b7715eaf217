"""Takes in what came of a transfer, and settles what did not."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.events import TransferFellShort, TransferReceived, TransferSettled
from inventory.models import (
    StockMove,
    StockStatus,
    Transfer,
    TransferPiece,
    TransferReceipt,
    TransferReceiptLine,
)
from inventory.rules import countable
from inventory.services._adjusting import StockAdjustment
from inventory.services._posting import Movement, posting, posting_and
from inventory.services._telling import received
from inventory.services.numbering._carrying import refuse_numbers
from inventory.services.numbering._transferring import Arriving, receive_serials
from inventory.services.transferring._moving import siblings
from inventory.services.transferring._telling import facts, note, tell_destinations

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Transfer.State
Outcome = TransferReceiptLine.Outcome
RECEIPT_LINE = "inventory.transferreceiptline"
PHYSICAL = {Outcome.RECEIVED, Outcome.DAMAGED, Outcome.RETURNED}
EXPLAINED = {Outcome.LOST, Outcome.OVER, Outcome.RETURNED}

# The goods that each piece of a transfer is.
GOODS = """
    SELECT p.id, s.product_id, code.code, s.lot_id, s.is_serial
    FROM inventory_transferpiece p
    JOIN inventory_transferline l ON l.id = p.line_id
    JOIN inventory_stock s ON s.id = p.stock_id
    JOIN inventory_product code ON code.id = s.product_id
    WHERE l.transfer_id = %s
"""

ARRIVE = posting_and("SELECT 1")

COUNT = """
    UPDATE inventory_transferpiece p
    SET received = p.received + d.received, damaged = p.damaged + d.damaged,
        returned = p.returned + d.returned, lost = p.lost + d.lost, "over" = p."over" + d.beyond
    FROM (
        SELECT piece,
            coalesce(sum(quantity) FILTER (WHERE outcome = 'received'), 0) AS received,
            coalesce(sum(quantity) FILTER (WHERE outcome = 'damaged'), 0) AS damaged,
            coalesce(sum(quantity) FILTER (WHERE outcome = 'returned'), 0) AS returned,
            coalesce(sum(quantity) FILTER (WHERE outcome = 'lost'), 0) AS lost,
            coalesce(sum(quantity) FILTER (WHERE outcome = 'over'), 0) AS beyond
        FROM unnest(%(pieces)s::bigint[], %(outcomes)s::text[], %(quantities)s::numeric[])
            AS came (piece, outcome, quantity)
        GROUP BY piece
    ) d
    WHERE p.id = d.piece
"""


class BadTransferReceipt(DomainError):
    """That cannot have come of a transfer; `piece_id` says of what, 0 the whole receipt."""

    code: ClassVar[str] = "bad_transfer_receipt"

    def __init__(self, piece_id: int, sentence: str) -> None:
        super().__init__(sentence)
        self.piece_id = piece_id


@dataclass(frozen=True, slots=True)
class Came:
    """So many base units of one piece with one outcome: received, damaged, returned, lost, over.

    `serials` are the numbers of those, where the product is kept by them; they need not be named
    where all that is still to come has that outcome, unless they came over.
    """

    piece_id: int
    outcome: str
    quantity: Decimal
    serials: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ArrivedGoods:
    """What a receipt did: the transfer as it is now, and the corrections that finance posts."""

    transfer: Transfer
    receipt_id: int
    corrections: Sequence[StockAdjustment]


class _Goods(NamedTuple):
    product_id: int
    product: str
    lot_id: int | None
    is_serial: bool


@transaction.atomic
def receive_transfer(
    *,
    transfer_id: int,
    came: Sequence[Came],
    is_last: bool,
    actor: "User | None",
    now: datetime,
    note_text: str = "",
) -> ArrivedGoods:
    """Take in what came of a transfer, in parts or at once; `is_last`: nothing more comes.

    Whole goods become available where they were sent, damaged ones stand there as damaged, returned
    ones are available at the origin again, in the owner's name. What is lost and what came over is
    answered as corrections: finance posts them to stock and ledger in the same commit. Once all is
    accounted for the transfer closes; if nothing more comes and some is missing it is received, and
    waits for somebody to say what became of the rest (by this service again). Locks the transfer,
    then costs, then stock rows, each in id order.

    Raises:
        Transfer.DoesNotExist: there is no such transfer.
        BadTransferReceipt: it is not on its way, or more came than is missing, or nobody says why.
        SerialsNeeded, BadSerial: the pieces that came are not of those that were sent.

    Publishes:
        StockReceived
        TransferReceived
        TransferFellShort
        TransferSettled
    """
    transfer = Transfer.objects.lock(transfer_id)
    before = transfer.state
    goods = _checked(transfer, came, is_last=is_last, said=note_text)
    receipt, lines = _written(transfer, came, actor, note_text, now)
    into = _move(transfer, lines, actor, now)
    _carry(zip(came, lines, strict=True), into, goods, actor, now)
    left, worth = _left(transfer)
    if transfer.state == State.IN_TRANSIT and (is_last or not left):
        transfer.receive(at=now)
    if transfer.state == State.RECEIVED and not left:
        transfer.close(at=now)
    transfer.save(update_fields=["state", "received_at", "closed_at"])
    note([transfer], "receive_transfer", before, actor, now, reason=note_text)
    tell_destinations([transfer_id])
    publish_all(
        [
            *received(_available(transfer, came, goods)),
            *(
                [TransferReceived(**facts(transfer))]
                if before == State.IN_TRANSIT and transfer.state != before
                else []
            ),
            *(
                [TransferFellShort(**facts(transfer), missing=f"{left:f}", value=f"{worth:f}")]
                if before == State.IN_TRANSIT and transfer.state == State.RECEIVED
                else []
            ),
            *(
                [TransferSettled(**facts(transfer))]
                if before == State.RECEIVED and transfer.state == State.CLOSED
                else []
            ),
        ]
    )
    return ArrivedGoods(transfer, receipt.pk, _corrections(transfer, came, goods))


def _checked(
    transfer: Transfer, came: Sequence[Came], *, is_last: bool, said: str
) -> dict[int, _Goods]:
    """Return the product of each piece; refuse what cannot be."""
    if transfer.state not in {State.IN_TRANSIT, State.RECEIVED}:
        raise BadTransferReceipt(0, f"{transfer.number} is not on its way.")
    if not came and not (is_last and transfer.state == State.IN_TRANSIT):
        raise BadTransferReceipt(0, "Say what came.")
    pieces = {piece.pk: piece for piece in _pieces(transfer)}
    goods = {row[0]: _Goods(*row[1:]) for row in rows(GOODS, [transfer.pk])}
    accounted: dict[int, Decimal] = defaultdict(Decimal)
    for each in came:
        if each.piece_id not in pieces or each.outcome not in Outcome.values:
            raise BadTransferReceipt(each.piece_id, "That is not of this transfer.")
        if not countable(each.quantity) or each.quantity <= 0:
            raise BadTransferReceipt(each.piece_id, "More than nothing came, in thousandths.")
        if each.outcome in EXPLAINED and not said.strip():
            raise BadTransferReceipt(each.piece_id, "Say what happened to it.")
        if each.outcome != Outcome.OVER:
            accounted[each.piece_id] += each.quantity
    for piece_id, quantity in accounted.items():
        left = _left_of(pieces[piece_id])
        if quantity > left:
            code = goods[piece_id].product
            raise BadTransferReceipt(
                piece_id, f"{code}: only {left.normalize():f} can still come; the rest is over."
            )
    return goods


def _written(
    transfer: Transfer,
    came: Sequence[Came],
    actor: "User | None",
    said: str,
    now: datetime,
) -> tuple[TransferReceipt, list[TransferReceiptLine]]:
    receipt = TransferReceipt.objects.create(
        transfer=transfer, at=now, by=actor, note=said.strip()[:300]
    )
    lines = TransferReceiptLine.objects.bulk_create(
        TransferReceiptLine(
            receipt=receipt, piece_id=each.piece_id, outcome=each.outcome, quantity=each.quantity
        )
        for each in came
    )
    if came:
        run(
            COUNT,
            {
                "pieces": [each.piece_id for each in came],
                "outcomes": [each.outcome for each in came],
                "quantities": [each.quantity for each in came],
            },
        )
    return receipt, lines


def _move(
    transfer: Transfer,
    lines: Sequence[TransferReceiptLine],
    actor: "User | None",
    now: datetime,
) -> dict[int, int]:
    """Move what is really there out of transit: nothing changes its owner or its value.

    Return the balance into which each line's goods went.
    """
    moving = [line for line in lines if line.outcome in PHYSICAL]
    if not moving:
        return {}
    stocks = {piece.pk: piece.stock_id for piece in _pieces(transfer)}
    owner, here = transfer.to_entity_id, transfer.destination_id
    sources = siblings(
        [(stocks[line.piece_id], owner, here, str(StockStatus.IN_TRANSIT)) for line in moving]
    )
    targets = siblings(
        [
            (
                stocks[line.piece_id],
                owner,
                transfer.origin_id if line.outcome == Outcome.RETURNED else here,
                str(
                    StockStatus.DAMAGED
                    if line.outcome == Outcome.DAMAGED
                    else StockStatus.AVAILABLE
                ),
            )
            for line in moving
        ]
    )
    movements = []
    for line, source, target in zip(moving, sources, targets, strict=True):
        movements += [
            Movement(source, -line.quantity, Decimal(0), line.pk),
            Movement(target, line.quantity, Decimal(0), line.pk),
        ]
    params = posting(
        movements, kind=StockMove.Kind.TRANSFER, cause_kind=RECEIPT_LINE, actor=actor, now=now
    )
    run(ARRIVE.of(params), params)
    return {line.pk: target for line, target in zip(moving, targets, strict=True)}


def _carry(
    came: Iterable[tuple[Came, TransferReceiptLine]],
    into: Mapping[int, int],
    goods: Mapping[int, _Goods],
    actor: "User | None",
    now: datetime,
) -> None:
    """Carry the pieces of what came, or is lost, where their product is kept by serial number."""
    arriving = []
    for each, line in came:
        product = goods[each.piece_id]
        if not product.is_serial:
            refuse_numbers(product.product_id, each.serials)
        elif each.outcome != Outcome.OVER:
            target, quantity = into.get(line.pk, 0), each.quantity
            piece = (each.piece_id, product.product_id, target, quantity, line.pk, each.serials)
            arriving.append(Arriving(*piece))
    if arriving:
        receive_serials(arriving, actor=actor, now=now)


def _pieces(transfer: Transfer) -> list[TransferPiece]:
    return list(TransferPiece.objects.filter(line__transfer=transfer).order_by("pk"))


def _left_of(piece: TransferPiece) -> Decimal:
    return piece.quantity - piece.received - piece.damaged - piece.returned - piece.lost


def _left(transfer: Transfer) -> tuple[Decimal, Decimal]:
    """Return how many units are not accounted for, and what they are worth to their owner."""
    left = worth = Decimal(0)
    for piece in _pieces(transfer):
        missing = _left_of(piece)
        left += missing
        worth += (piece.landed or Decimal(0)) * missing / piece.quantity
    return left, round(worth, 2)


def _corrections(
    transfer: Transfer, came: Sequence[Came], goods: Mapping[int, _Goods]
) -> list[StockAdjustment]:
    """Return what finance corrects: lost goods leave transit, what came over is found."""
    return [
        StockAdjustment(
            entity_id=transfer.to_entity_id,
            node_id=transfer.destination_id,
            product_id=goods[each.piece_id].product_id,
            lot_id=goods[each.piece_id].lot_id,
            quantity=-each.quantity if each.outcome == Outcome.LOST else each.quantity,
            reason=f"{transfer.number}: {Outcome(each.outcome).label.lower()}",
            serials=each.serials,
            status=str(
                StockStatus.IN_TRANSIT if each.outcome == Outcome.LOST else StockStatus.AVAILABLE
            ),
        )
        for each in came
        if each.outcome in {Outcome.LOST, Outcome.OVER}
    ]


def _available(
    transfer: Transfer, came: Sequence[Came], goods: Mapping[int, _Goods]
) -> dict[tuple[int, int, int], Decimal]:
    """Return how much of each product is available now, and where."""
    quantities: dict[tuple[int, int, int], Decimal] = defaultdict(Decimal)
    for each in came:
        if each.outcome in {Outcome.RECEIVED, Outcome.RETURNED}:
            here = each.outcome == Outcome.RECEIVED
            node_id = transfer.destination_id if here else transfer.origin_id
            quantities[transfer.to_entity_id, node_id, goods[each.piece_id].product_id] += (
                each.quantity
            )
    return quantities

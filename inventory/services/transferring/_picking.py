"""Confirms what was found for transfers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows, run
from erp.outbox.publishing import publish_all
from inventory.events import BinFoundShort, TransferCancelled, TransferPicked
from inventory.models import ShipmentLine, StockMove, StockStatus, Transfer, TransferPiece
from inventory.rules import countable
from inventory.services._picking import GOES_TO, NOT_FOUND, SHORT
from inventory.services._posting import Key, Movement, posting
from inventory.services._releasing import release_reservations
from inventory.services._telling import fallen
from inventory.services.binning._picking import BinLine, pick_out
from inventory.services.numbering._transferring import MissingPieces, pick_for_transfers
from inventory.services.transferring._moving import siblings
from inventory.services.transferring._reserving import keep_for
from inventory.services.transferring._telling import LINE, facts, note, tell_destinations

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Transfer.State
Reason = ShipmentLine.ShortReason
DONE = {State.PICKED, State.IN_TRANSIT, State.RECEIVED, State.CLOSED}

KEPT = """
    SELECT l.id, l.transfer_id, r.stock_id, r.quantity, s.entity_id, s.node_id, s.product_id,
        p.code, coalesce(s.lot_id, 0), EXISTS (
            SELECT FROM inventory_bin b WHERE b.node_id = s.node_id
        ), s.is_serial
    FROM inventory_transferline l
    JOIN inventory_reservation r
        ON r.demand_id = l.id AND r.demand_kind = %(kind)s AND r.closed_at IS NULL
    JOIN inventory_stock s ON s.id = r.stock_id
    JOIN inventory_product p ON p.id = s.product_id
    WHERE l.transfer_id = ANY(%(transfers)s)
    ORDER BY l.transfer_id, l.position, r.id
"""


class BadTransferPick(DomainError):
    """A line cannot have been picked like that; `line_id` says which, 0 the whole transfer."""

    code: ClassVar[str] = "bad_transfer_pick"

    def __init__(self, line_id: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line_id = line_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferShort:
    """A line of which less was found than is kept: `picked` base units, for `reason`."""

    line_id: int
    picked: Decimal
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPick:
    """A transfer that was picked; of lines not named in `shorts` all that is kept was found.

    `serials` are the pieces of every line that is kept by serial number, by line; `missing` those
    that were not found or not whole, where others lie there too.
    """

    transfer_id: int
    shorts: Sequence[TransferShort] = ()
    serials: Mapping[int, Sequence[str]] = field(default_factory=dict)
    missing: Mapping[int, Sequence[str]] = field(default_factory=dict)


class _Kept(NamedTuple):
    line_id: int
    transfer_id: int
    stock_id: int
    quantity: Decimal
    entity_id: int
    node_id: int
    product_id: int
    product: str
    lot_id: int
    has_bins: bool
    is_serial: bool


class _Missing(NamedTuple):
    kept: _Kept
    quantity: Decimal
    reason: str


@transaction.atomic
def pick_transfers(
    *, picks: Sequence[TransferPick], actor: "User | None", now: datetime
) -> list[Transfer]:
    """Confirm what was found, all or none; return the transfers that were picked or had nothing.

    What the origin lacked until now is tried for once more, and what it still lacks does not go.
    What was kept and not found leaves available stock as its reason says. A transfer of which
    nothing was found is cancelled. Those picked before are passed over. Locks transfers, then
    costs, then stock rows, each in id order.

    Raises:
        Transfer.DoesNotExist: one of them is not there.
        BadTransferPick: nothing is kept for one, or a short line makes no sense.
        TransitionNotAllowed: one is not approved.
        SerialsNeeded, BadSerial: a line was not picked as those pieces.

    Publishes:
        BinFoundShort
        StockFell
        TransferPicked
        TransferCancelled
    """
    named = {pick.transfer_id: pick.shorts for pick in picks}
    due = [t for t in Transfer.objects.lock_many(list(named)) if t.state not in DONE]
    if not due:
        return []
    keep_for(due, now)
    kept = [
        _Kept(*row) for row in rows(KEPT, {"kind": LINE, "transfers": [each.pk for each in due]})
    ]
    _refuse_empty(due, kept)
    missing = _missing(named, kept)
    found_short = _out_of_bins(kept, missing, actor, now)
    aside = _set_aside(missing, actor, now)
    found = _pieces(kept, missing)
    numbers = {line: each.serials[line] for each in picks for line in each.serials}
    lost = {line: each.missing[line] for each in picks for line in each.missing}
    if numbers or lost or any(each.is_serial for each in kept):
        ids = [each.pk for each in due]
        pick_for_transfers(ids, numbers, aside, lost=lost, actor=actor, now=now)
    picked = [each for each in due if each.pk in found]
    gone = [each for each in due if each.pk not in found]
    for each in due:
        each.pick(by_id=actor and actor.pk, at=now)
    for each in gone:
        each.cancel(reason=NOT_FOUND)
    Transfer.objects.bulk_update(due, ["state", "picked_at", "picked_by", "cancel_reason"])
    note(picked, "pick_transfer", State.APPROVED, actor, now)
    note(gone, "cancel_transfer", State.APPROVED, actor, now, reason=NOT_FOUND)
    _give_back(gone, now)
    tell_destinations([each.pk for each in due])
    publish_all(
        [
            *(TransferPicked(**facts(each)) for each in picked),
            *(TransferCancelled(**facts(each), reason=NOT_FOUND) for each in gone),
            *fallen((m.kept.entity_id, m.kept.node_id, m.kept.product_id) for m in missing),
            *found_short,
        ]
    )
    return due


def _refuse_empty(due: Sequence[Transfer], kept: Sequence[_Kept]) -> None:
    something = {each.transfer_id for each in kept}
    for transfer in due:
        if transfer.state == State.APPROVED and transfer.pk not in something:
            raise BadTransferPick(0, f"Nothing is free at {transfer.origin.code} to be picked.")


def _missing(named: dict[int, Sequence[TransferShort]], kept: Sequence[_Kept]) -> list[_Missing]:
    """Return what was not found, by stock row: of a line's rows the last first."""
    by_line: dict[int, list[_Kept]] = defaultdict(list)
    for each in kept:
        by_line[each.line_id].append(each)
    missing: list[_Missing] = []
    seen: set[int] = set()
    for transfer_id, shorts in named.items():
        for short in shorts:
            pieces = by_line.get(short.line_id, [])
            if not pieces or pieces[0].transfer_id != transfer_id or short.line_id in seen:
                raise BadTransferPick(
                    short.line_id, f"Line {short.line_id} is not once of this transfer."
                )
            seen.add(short.line_id)
            missing += _short_of(pieces, short)
    return missing


def _short_of(pieces: Sequence[_Kept], short: TransferShort) -> list[_Missing]:
    product, whole = pieces[0].product, sum((each.quantity for each in pieces), Decimal(0))
    if not (countable(short.picked) and 0 <= short.picked <= whole):
        raise BadTransferPick(
            short.line_id, f"{product}: picked must be between 0 and {whole.normalize():f}."
        )
    lacking = whole - short.picked
    if lacking and short.reason not in Reason.values:
        raise BadTransferPick(short.line_id, f"{product}: say why less was picked.")
    missing = []
    for piece in reversed(pieces):
        taken = min(lacking, piece.quantity)
        if taken:
            missing.append(_Missing(piece, taken, short.reason))
            lacking -= taken
    return missing


def _out_of_bins(
    kept: Sequence[_Kept], missing: Sequence[_Missing], actor: "User | None", now: datetime
) -> list[BinFoundShort]:
    """Take what was found, and what is missing, out of the bins it lies in."""
    lacking = {(each.kept.line_id, each.kept.stock_id): each for each in missing}
    lines = []
    for each in kept:
        if each.has_bins:
            short = lacking.get((each.line_id, each.stock_id))
            status = str(StockStatus.AVAILABLE)
            line = BinLine(
                line_id=each.line_id,
                stock_id=each.stock_id,
                key=Key(each.entity_id, each.node_id, each.product_id, status, each.lot_id),
                product=each.product,
                planned=each.quantity,
                picked=each.quantity - short.quantity if short else each.quantity,
                reason=short.reason if short else "",
            )
            lines.append(line)
    return pick_out(lines, [], cause_kind=LINE, actor=actor, now=now) if lines else []


def _set_aside(
    missing: Sequence[_Missing], actor: "User | None", now: datetime
) -> list[MissingPieces]:
    """Move what is missing out of available stock, and off its reservation.

    Return what of it is kept by serial number.
    """
    if not missing:
        return []
    targets = siblings(
        [
            (m.kept.stock_id, m.kept.entity_id, m.kept.node_id, str(GOES_TO[Reason(m.reason)]))
            for m in missing
        ]
    )
    movements = []
    for each, into in zip(missing, targets, strict=True):
        line_id, stock_id = each.kept.line_id, each.kept.stock_id
        movements += [
            Movement(stock_id, -each.quantity, Decimal(0), line_id, released=each.quantity),
            Movement(into, each.quantity, Decimal(0), line_id),
        ]
    params = posting(
        movements, kind=StockMove.Kind.STATUS, cause_kind=LINE, actor=actor, now=now
    ) | {
        "kinds": [LINE] * len(missing),
        "demands": [each.kept.line_id for each in missing],
        "stocks": [each.kept.stock_id for each in missing],
        "missing": [each.quantity for each in missing],
    }
    if run(SHORT.of(params), params) != len(missing):
        raise RuntimeError("what is short was not reserved")  # undoes everything
    return [
        MissingPieces(m.kept.line_id, m.kept.product_id, m.kept.stock_id, into, m.quantity)
        for m, into in zip(missing, targets, strict=True)
        if m.kept.is_serial
    ]


def _pieces(kept: Sequence[_Kept], missing: Sequence[_Missing]) -> set[int]:
    """Write what was found of each stock row; return the transfers of which something was."""
    lacking = {(each.kept.line_id, each.kept.stock_id): each.quantity for each in missing}
    found = [
        (each, each.quantity - lacking.get((each.line_id, each.stock_id), Decimal(0)))
        for each in kept
    ]
    TransferPiece.objects.bulk_create(
        TransferPiece(line_id=each.line_id, stock_id=each.stock_id, quantity=quantity)
        for each, quantity in found
        if quantity
    )
    return {each.transfer_id for each, quantity in found if quantity}


def _give_back(gone: Sequence[Transfer], now: datetime) -> None:
    lines = [line_id for each in gone for line_id in each.lines.values_list("pk", flat=True)]
    release_reservations(demand_kind=LINE, demand_ids=lines, now=now)

"""Puts goods away, and moves them between bins."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from django.db import transaction

from erp.governance.services import Change, record
from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from erp.outbox.publishing import publish_all
from inventory.events import GoodsMovedInBins
from inventory.models import Bin, BinMove, Stock, StockStatus
from inventory.rules import countable
from inventory.services.binning._posting import (
    BinChange,
    held_in,
    lock_balances,
    lock_bins,
    on_floor,
    post_bins,
)

if TYPE_CHECKING:
    from erp.accounts.models import User

Kind = BinMove.Kind
SUBJECT = "inventory.binmove"


class BadBinMove(DomainError):
    """Goods cannot be moved like that; `place` is which of the moves, `field` what is wrong."""

    code: ClassVar[str] = "bad_bin_move"

    def __init__(self, place: int, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.place, self.field = place, field
        self.errors = [{"field": f"lines.{place}.{field}", "code": self.code, "message": sentence}]


class BinFull(BadBinMove):
    """More goes into a bin than it holds; `room` base units still fit."""

    code: ClassVar[str] = "bin_full"

    def __init__(self, place: int, bin_code: str, room: Decimal) -> None:
        super().__init__(place, "to", f"{bin_code} has room for {room.normalize():f} more.")
        self.room = room


@dataclass(frozen=True, slots=True, kw_only=True)
class BinTransfer:
    """So many base units of one balance from one bin (None: the floor) into another."""

    stock_id: int
    quantity: Decimal
    target_id: int | None
    source_id: int | None = None


class _Bin(NamedTuple):
    id: int
    node_id: int
    code: str
    kind: str
    capacity: Decimal | None
    is_active: bool
    level: Decimal


class _Goods(NamedTuple):
    id: int
    node_id: int
    entity_id: int
    product_id: int
    status: str
    binned: Decimal


BINS = """
    SELECT b.id, b.node_id, b.code, b.kind, b.capacity, b.is_active,
        coalesce((SELECT sum(quantity) FROM inventory_binstock WHERE bin_id = b.id), 0)
    FROM inventory_bin b WHERE b.id = ANY(%s)
"""


@transaction.atomic
def move_in_bins(*, moves: Sequence[BinTransfer], actor: "User | None", now: datetime) -> list[int]:
    """Put goods away, bring them down to a pick face, or move them; all or none, in their order.

    Seven statements, however many. Nothing else changes: what is kept for whom stands on the
    balance. Locks balances, then the bins that take something in, each in id order.

    Raises:
        Stock.DoesNotExist: there is no such balance.
        BadBinMove: a quantity or a bin makes no sense, or less lies there than is moved.
        BinFull: more goes into a bin than it holds.

    Publishes:
        GoodsMovedInBins
    """
    if not moves:
        return []
    _check(moves)
    goods = {row[0]: _Goods(*row) for row in lock_balances([each.stock_id for each in moves])}
    missing = {each.stock_id for each in moves} - goods.keys()
    if missing:
        raise Stock.DoesNotExist(f"no stock {min(missing)}")
    lock_bins({each.target_id for each in moves if each.target_id})
    named = {bin_id for each in moves for bin_id in (each.source_id, each.target_id) if bin_id}
    bins = {row[0]: _Bin(*row) for row in rows(BINS, [list(named)])}
    changes = _planned(moves, goods, bins)
    ids = post_bins(changes, actor=actor, now=now)
    record(
        changes=[
            _change(each, goods[each.stock_id], bins, move_id)
            for each, move_id in zip(changes, ids, strict=True)
        ],
        actor=actor,
        now=now,
    )
    publish_all(
        [
            GoodsMovedInBins(entity_id=entity_id, node_id=node_id)
            for entity_id, node_id in sorted({(g.entity_id, g.node_id) for g in goods.values()})
        ]
    )
    return ids


def _check(moves: Sequence[BinTransfer]) -> None:
    for place, each in enumerate(moves):
        if not countable(each.quantity) or each.quantity <= 0:
            raise BadBinMove(place, "quantity", "Move more than nothing, in thousandths.")
        if each.source_id == each.target_id:
            raise BadBinMove(place, "to", "It lies there already.")


def _planned(
    moves: Sequence[BinTransfer], goods: Mapping[int, _Goods], bins: Mapping[int, _Bin]
) -> list[BinChange]:
    """Return the moves as changes, each against what the ones before it left."""
    lying = {
        (stock_id, each.bin_id): each.quantity
        for stock_id, holdings in held_in(goods).items()
        for each in holdings
    }
    if any(each.source_id is None for each in moves):
        lying |= {(stock_id, 0): quantity for stock_id, quantity in on_floor(goods).items()}
    levels = defaultdict(Decimal, {each.id: each.level for each in bins.values()})
    changes = []
    for place, each in enumerate(moves):
        source = _bin(place, "from", each.source_id, goods[each.stock_id], bins)
        target = _bin(place, "to", each.target_id, goods[each.stock_id], bins)
        from_ = each.source_id or 0
        there = lying.get((each.stock_id, from_), Decimal(0))
        if there < each.quantity:
            where = f"lies in {source.code}" if source else "stands there to be put away"
            raise BadBinMove(
                place, "quantity", f"Only {max(there, Decimal(0)).normalize():f} of it {where}."
            )
        if target:
            _refuse_unsuitable(place, target, goods[each.stock_id], levels, each.quantity)
            levels[target.id] += each.quantity
            into = (each.stock_id, target.id)
            lying[into] = lying.get(into, Decimal(0)) + each.quantity
        levels[from_] -= each.quantity
        lying[each.stock_id, from_] = there - each.quantity
        changes.append(
            BinChange(
                stock_id=each.stock_id,
                quantity=each.quantity,
                kind=_kind(source, target),
                source=from_,
                target=each.target_id or 0,
            )
        )
    return changes


def _bin(
    place: int, field: str, bin_id: int | None, goods: _Goods, bins: Mapping[int, _Bin]
) -> _Bin | None:
    if bin_id is None:
        return None
    found = bins.get(bin_id)
    if found is None or found.node_id != goods.node_id:
        raise BadBinMove(place, field, "There is no such bin at that node.")
    return found


def _refuse_unsuitable(
    place: int, target: _Bin, goods: _Goods, levels: Mapping[int, Decimal], quantity: Decimal
) -> None:
    is_available = goods.status == StockStatus.AVAILABLE
    if goods.status == StockStatus.IN_TRANSIT:
        raise BadBinMove(place, "to", "It is still on its way.")
    if not target.is_active:
        raise BadBinMove(place, "to", f"{target.code} is not in use.")
    if target.kind == Bin.Kind.PICK_FACE and not is_available:
        raise BadBinMove(place, "to", f"{target.code} is a pick face: it takes what may be sold.")
    if target.kind == Bin.Kind.QUARANTINE and is_available:
        raise BadBinMove(place, "to", f"{target.code} takes only what is set aside.")
    if target.capacity is not None and levels[target.id] + quantity > target.capacity:
        raise BinFull(place, target.code, max(target.capacity - levels[target.id], Decimal(0)))


def _kind(source: _Bin | None, target: _Bin | None) -> str:
    if source is None or source.kind == Bin.Kind.RECEIVING:
        return Kind.PUT_AWAY if target else Kind.MOVE
    if target and (source.kind, target.kind) == (Bin.Kind.RESERVE, Bin.Kind.PICK_FACE):
        return Kind.REPLENISH
    return Kind.MOVE


def _change(each: BinChange, goods: _Goods, bins: Mapping[int, _Bin], move_id: int) -> Change:
    return Change(
        entity_id=goods.entity_id,
        action=f"inventory.{each.kind}_in_bins"
        if each.kind == Kind.MOVE
        else f"inventory.{each.kind}",
        subject_kind=SUBJECT,
        subject_id=move_id,
        thread=f"inventory.product:{goods.product_id}",
        after={
            "quantity": f"{each.quantity:f}",
            "from": bins[each.source].code if each.source else "",
            "to": bins[each.target].code if each.target else "",
        },
    )

"""Takes what is picked out of bins; what a bin does not hold after all is found out here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from erp.kernel.errors import DomainError
from inventory.events import BinFoundShort
from inventory.models import BinMove, ShipmentLine
from inventory.rules import countable
from inventory.rules.binning import Holding, Parts, taken
from inventory.services._posting import Key, balances
from inventory.services.binning._posting import (
    BinChange,
    held_in,
    lock_balances,
    on_floor,
    post_bins,
)

if TYPE_CHECKING:
    from erp.accounts.models import User

Reason = ShipmentLine.ShortReason
COUNTED_AGAIN = {Reason.NOT_FOUND, Reason.MISLOCATED, Reason.MISMATCH}


class NotInBin(DomainError):
    """A line was not picked out of that bin: nothing of it lies there, or not so much."""

    code: ClassVar[str] = "not_in_bin"

    def __init__(self, line_id: int, sentence: str, field: str = "bin") -> None:
        super().__init__(sentence)
        self.line_id = line_id
        self.errors = [{"field": field, "code": self.code, "message": sentence}]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinPick:
    """So much of a line was taken out of one bin (None: off the floor).

    `is_empty` says that nothing more of it was found there, whatever the books say.
    """

    line_id: int
    bin_id: int | None
    quantity: Decimal
    is_empty: bool = False


class BinLine(NamedTuple):
    """A line that is picked: `picked` of `planned` base units of one balance; `reason` if short."""

    line_id: int
    stock_id: int
    key: Key
    product: str
    planned: Decimal
    picked: Decimal
    reason: str = ""


def pick_out(
    lines: Sequence[BinLine],
    picks: Sequence[BinPick],
    *,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> list[BinFoundShort]:
    """Take lines out of the bins that are named in `picks`, the others in pick order.

    Tells which bins were found short. What is missing leaves the bins as well, before its status
    changes. A bin in which nothing more was found holds nothing of that balance any longer: what it
    held stands on the floor until it is counted. Three statements, four where something is said to
    come off the floor, two more where something is short. Locks costs if something is short, then
    balances, each in id order.

    Raises:
        NotInBin: a line was not picked out of the bin that is named.
    """
    named = _by_line(lines, picks)
    if any(line.reason for line in lines):
        balances({line.key for line in lines})  # costs are locked before balances
    goods = {row[0]: row[1:4] for row in lock_balances([each.stock_id for each in lines])}
    held = held_in(goods)
    floor = on_floor(goods) if any(pick.bin_id is None for pick in picks) else {}
    shelves = {
        stock_id: _Shelf(
            {each.bin_id: each for each in held.get(stock_id, ())}, floor.get(stock_id)
        )
        for stock_id in goods
    }
    changes: list[BinChange] = []
    short: dict[tuple[int, int], BinFoundShort] = {}
    for line in lines:
        shelf = shelves[line.stock_id]
        pieces, doubted = shelf.picked(line, named.get(line.line_id, ()))
        changes += [
            BinChange(
                stock_id=line.stock_id,
                quantity=quantity,
                kind=kind,
                source=bin_id,
                cause_kind=cause_kind,
                cause_id=line.line_id,
            )
            for bin_id, quantity, kind in pieces
        ]
        node_id, entity_id, product_id = goods[line.stock_id]
        for bin_id in sorted(doubted):
            short[line.stock_id, bin_id] = BinFoundShort(
                stock_id=line.stock_id,
                bin_id=bin_id,
                bin=shelf.bins[bin_id].code,
                entity_id=entity_id,
                node_id=node_id,
                product_id=product_id,
                reason=line.reason or str(Reason.NOT_FOUND),
            )
    post_bins(changes, actor=actor, now=now)
    return list(short.values())


def _by_line(lines: Sequence[BinLine], picks: Sequence[BinPick]) -> dict[int, list[BinPick]]:
    named: dict[int, list[BinPick]] = {}
    for pick in picks:
        named.setdefault(pick.line_id, []).append(pick)
    strange = named.keys() - {line.line_id for line in lines}
    if strange:
        raise NotInBin(min(strange), f"Line {min(strange)} is not of this shipment.", "line")
    return named


Pieces = list[tuple[int, Decimal, str]]  # bin, base units, kind of the move


@dataclass(slots=True)
class _Shelf:
    """One balance while lines are picked of it: what is left in its bins, and on the floor.

    `floor` is None where nobody says that something came off it.
    """

    bins: dict[int, Holding]
    floor: Decimal | None
    pieces: Pieces = field(default_factory=list)

    def picked(self, line: BinLine, picks: Sequence[BinPick]) -> tuple[Pieces, Collection[int]]:
        """Take a line; return what left which bin, and which bins should be counted."""
        self.pieces = []
        self._take(
            self._said(line, picks) if picks else taken([*self.bins.values()], line.picked),
            BinMove.Kind.PICK,
        )
        emptied = {each.bin_id for each in picks if each.is_empty and each.bin_id is not None}
        missing = self._missing(line.planned - line.picked, emptied)
        if line.reason == Reason.NOT_FOUND and not emptied:
            emptied = {bin_id for bin_id, _ in missing}
        self._take(missing, BinMove.Kind.NOT_FOUND if emptied else BinMove.Kind.CORRECTION)
        rest = [(bin_id, self.bins[bin_id].quantity) for bin_id in sorted(emptied)]
        self._take(rest, BinMove.Kind.NOT_FOUND)
        if emptied or line.reason not in COUNTED_AGAIN:
            return self.pieces, emptied
        return self.pieces, {bin_id for bin_id, _ in missing}

    def _said(self, line: BinLine, picks: Sequence[BinPick]) -> Parts:
        if sum(each.quantity for each in picks) != line.picked:
            raise NotInBin(
                line.line_id,
                f"{line.product}: what came out of bins is not what was picked.",
                "quantity",
            )
        parts: dict[int, Decimal] = {}
        for each in picks:
            if not countable(each.quantity) or each.quantity < 0:
                raise NotInBin(line.line_id, f"{line.product}: pick zero or more.", "quantity")
            if each.bin_id is None:
                self._off_floor(line, each.quantity)
                continue
            holding = self.bins.get(each.bin_id)
            if holding is None:
                raise NotInBin(line.line_id, f"{line.product}: nothing of it lies in that bin.")
            parts[each.bin_id] = parts.get(each.bin_id, Decimal(0)) + each.quantity
            if parts[each.bin_id] > holding.quantity:
                left = f"{holding.quantity.normalize():f}"
                raise NotInBin(
                    line.line_id, f"{line.product}: only {left} of it lies in {holding.code}."
                )
        return [(bin_id, quantity) for bin_id, quantity in parts.items() if quantity]

    def _off_floor(self, line: BinLine, quantity: Decimal) -> None:
        there = max(self.floor or Decimal(0), Decimal(0))
        if there < quantity:
            sentence = f"only {there.normalize():f} of it is not put away."
            raise NotInBin(line.line_id, f"{line.product}: {sentence}")
        self.floor = there - quantity

    def _missing(self, missing: Decimal, emptied: Collection[int]) -> Parts:
        """Return out of which bins what is missing goes: those in which it was looked for first."""
        looked_in = [self.bins[bin_id] for bin_id in emptied]
        parts = taken(looked_in, missing)
        left = missing - sum((quantity for _, quantity in parts), Decimal(0))
        others = [each for each in self.bins.values() if each.bin_id not in emptied]
        return [*parts, *taken(others, left)]

    def _take(self, parts: Parts, kind: str) -> None:
        for bin_id, quantity in parts:
            if quantity:
                holding = self.bins[bin_id]
                self.bins[bin_id] = holding._replace(quantity=holding.quantity - quantity)
                self.pieces.append((bin_id, quantity, kind))

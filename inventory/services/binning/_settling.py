"""Corrects bins by what was counted in them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from inventory.models import BinMove
from inventory.services.binning._posting import BinChange, held_in, on_floor, post_bins

if TYPE_CHECKING:
    from erp.accounts.models import User


class BinDifference(NamedTuple):
    """So much more (or less) of a balance lay in a bin than was said; `cause_id` is the count's."""

    stock_id: int
    bin_id: int
    quantity: Decimal
    cause_id: int


def take_lost(
    differences: Sequence[BinDifference],
    *,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Take out of bins what was not found in them: at most what they still hold.

    Before what is lost is posted. No statement where nothing is; else two. The balances are locked.
    """
    lost = [each for each in differences if each.quantity < 0]
    if not lost:
        return
    lying = {
        (stock_id, holding.bin_id): holding.quantity
        for stock_id, holdings in held_in({each.stock_id for each in lost}).items()
        for holding in holdings
    }
    changes = []
    for each in lost:
        place = (each.stock_id, each.bin_id)
        quantity = min(-each.quantity, lying.get(place, Decimal(0)))
        if quantity:
            lying[place] -= quantity
            changes.append(_change(each, quantity, cause_kind, source=each.bin_id))
    post_bins(changes, actor=actor, now=now)


def put_found(
    differences: Sequence[BinDifference],
    *,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Put into bins what was found in them: at most what the floor has.

    After what is found is posted. No statement where nothing is; else two. The balances are locked.
    """
    found = [each for each in differences if each.quantity > 0]
    if not found:
        return
    floor = on_floor({each.stock_id for each in found})
    changes = []
    for each in found:
        quantity = min(each.quantity, floor[each.stock_id])
        if quantity > 0:
            floor[each.stock_id] -= quantity
            changes.append(_change(each, quantity, cause_kind, target=each.bin_id))
    post_bins(changes, actor=actor, now=now)


def _change(
    each: BinDifference, quantity: Decimal, cause_kind: str, *, source: int = 0, target: int = 0
) -> BinChange:
    return BinChange(
        stock_id=each.stock_id,
        quantity=quantity,
        kind=BinMove.Kind.COUNT,
        source=source,
        target=target,
        cause_kind=cause_kind,
        cause_id=each.cause_id,
    )

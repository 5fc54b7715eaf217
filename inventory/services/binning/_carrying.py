"""Takes goods out of bins that leave their balance: the floor gives first, then bins."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from inventory.models import BinMove
from inventory.rules.binning import excess, taken
from inventory.services._posting import Balance, Movement
from inventory.services.binning._posting import BinChange, held_in, on_floor, post_bins

if TYPE_CHECKING:
    from erp.accounts.models import User


def carry(
    held: Iterable[Balance],
    movements: Sequence[Movement],
    *,
    cause_kind: str,
    actor: "User | None",
    now: datetime,
) -> None:
    """Before `movements` are posted, take out of bins what the floor cannot give for them.

    No statement where none of the balances lies in bins; else three. They are locked already.
    """
    binned = {each.stock_id for each in held if each.binned}
    leaving: dict[int, Decimal] = defaultdict(Decimal)
    causes: dict[int, int] = {}
    for each in movements:
        if each.stock_id in binned:
            leaving[each.stock_id] -= each.quantity
            causes[each.stock_id] = each.cause_id
    out = sorted(stock_id for stock_id, quantity in leaving.items() if quantity > 0)
    if not out:
        return
    floor, holdings = on_floor(out), held_in(out)
    post_bins(
        [
            BinChange(
                stock_id=stock_id,
                quantity=part,
                kind=BinMove.Kind.CORRECTION,
                source=bin_id,
                cause_kind=cause_kind,
                cause_id=causes[stock_id],
            )
            for stock_id in out
            for bin_id, part in taken(
                holdings[stock_id], excess(leaving[stock_id], floor[stock_id])
            )
        ],
        actor=actor,
        now=now,
    )

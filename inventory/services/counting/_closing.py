"""Closes a count: what is corrected, and what only lay elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from erp.outbox.publishing import publish_all
from inventory.events import CountPosted
from inventory.models import Count
from inventory.services._adjusting import StockAdjustment
from inventory.services._posting import Balance, Key, balances
from inventory.services.binning._settling import BinDifference, put_found, take_lost
from inventory.services.counting._binning import differences_of
from inventory.services.counting._finding import Found, found_on
from inventory.services.counting._noting import facts, note
from inventory.services.counting._scanning import settle_scanned

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Count.State
LINE = "inventory.countline"


@transaction.atomic
def close_count(
    *, count_id: int, actor: "User | None", now: datetime
) -> tuple[Count, list[StockAdjustment]]:
    """Close an approved count; answer the corrections that finance posts in the same commit.

    A correction is the difference that was found, whatever moved since; but a piece that was taken
    or turned up since is corrected no more. Bins are corrected with it: what only lay in other bins
    than was said is moved here. Closing again answers nothing.

    Raises:
        Count.DoesNotExist: there is no such count.
        TransitionNotAllowed: it is not approved.
        BadSerial: a piece that was found lies elsewhere by the books.

    Publishes:
        CountPosted
    """
    count = Count.objects.lock(count_id)
    if count.state == State.POSTED:
        return count, []
    count.post(by_id=actor and actor.pk, at=now)
    count.save(update_fields=["state", "posted_by", "posted_at"])
    found, in_bins = found_on(count), differences_of(count)
    held = balances([each.key for each in found if each.pieces or each.line_id in in_bins])
    if settle_scanned(count, found):
        found = found_on(count)
    _move_within(found, in_bins, held, actor, now)
    differing = [line for line in found if line.pieces]
    note(count, "post_count", State.APPROVED, actor, now, lines=len(differing))
    publish_all([CountPosted(**facts(count), variance=f"{count.variance:f}")])
    return count, _corrections(count, differing, in_bins)


def _corrections(
    count: Count,
    differing: Sequence[Found],
    in_bins: Mapping[int, Sequence[tuple[int, Decimal]]],
) -> list[StockAdjustment]:
    """Return what is posted, what was found first. The bins of a line go with its first part."""
    made = [
        StockAdjustment(
            entity_id=line.entity_id,
            node_id=line.node_id,
            product_id=line.product_id,
            lot_id=line.lot_id,
            status=line.status,
            quantity=quantity,
            reason=f"Counted in {count.number}",
            bins=in_bins.get(line.line_id, ()) if place == 0 else (),
            serials=numbers,
        )
        for line in differing
        for place, (quantity, numbers) in enumerate(line.parts)
    ]
    return sorted(made, key=lambda each: each.quantity < 0)


def _move_within(
    found: Sequence[Found],
    in_bins: Mapping[int, Sequence[tuple[int, Decimal]]],
    held: Mapping[Key, Balance],
    actor: "User | None",
    now: datetime,
) -> None:
    """Correct bins of lines of which as much was found as expected, only elsewhere."""
    lines = [line for line in found if not line.pieces and line.line_id in in_bins]
    differences = [
        BinDifference(held[line.key].stock_id, bin_id, quantity, line.line_id)
        for line in lines
        for bin_id, quantity in in_bins[line.line_id]
    ]
    take_lost(differences, cause_kind=LINE, actor=actor, now=now)
    put_found(differences, cause_kind=LINE, actor=actor, now=now)

"""Takes down what was counted, and what the books expected at that moment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max

from erp.kernel.sql import rows
from inventory.models import Count, CountLine, Product, StockStatus
from inventory.rules import countable
from inventory.services._posting import Key, balances
from inventory.services.counting._binning import BadCount, Counted, keep_bins, refuse_strange_bins
from inventory.services.counting._noting import note
from inventory.services.counting._planning import write_lines
from inventory.services.counting._scanning import compare_scanned

if TYPE_CHECKING:
    from erp.accounts.models import User

State = Count.State
ANSWER = ["counted", "expected", "counted_at", "counted_by", "serials", "missing", "found"]
OPEN = {State.OPEN, State.RECOUNT}

# The lock makes whoever moves a balance wait or be waited for, so the moves that are seen are all
# there are. What stands picked was off the shelf at that moment, though the books still hold it.
EXPECTED = """
    WITH locked AS MATERIALIZED (
        SELECT s.id, s.entity_id, s.node_id, s.product_id, s.status, s.lot_id
        FROM inventory_stock s
        WHERE s.id IN (SELECT stock_id FROM inventory_countline WHERE id = ANY(%(lines)s))
        ORDER BY s.id FOR NO KEY UPDATE
    )
    SELECT l.id, l.snapshot + coalesce((
        SELECT sum(m.quantity) FROM inventory_stockmove m
        WHERE m.product_id = locked.product_id AND m.node_id = locked.node_id
            AND m.entity_id = locked.entity_id AND m.status = locked.status
            AND m.lot_id IS NOT DISTINCT FROM locked.lot_id
            AND m.id > l.snapshot_move AND m.at <= %(at)s
    ), 0) - coalesce((
        SELECT sum(sl.picked) FROM inventory_shipmentline sl
        JOIN inventory_shipment sh ON sh.id = sl.shipment_id
        WHERE sl.stock_id = locked.id AND sh.picked_at <= %(at)s AND sh.state <> 'void'
            AND (sh.shipped_at IS NULL OR sh.shipped_at > %(at)s)
    ), 0) - coalesce((
        SELECT sum(p.quantity) FROM inventory_transferpiece p
        JOIN inventory_transferline tl ON tl.id = p.line_id
        JOIN inventory_transfer t ON t.id = tl.transfer_id
        WHERE p.stock_id = locked.id AND t.picked_at <= %(at)s AND t.state <> 'cancelled'
            AND (t.shipped_at IS NULL OR t.shipped_at > %(at)s)
    ), 0)
    FROM inventory_countline l JOIN locked ON locked.id = l.stock_id
    WHERE l.id = ANY(%(lines)s)
"""


@transaction.atomic
def record_counts(
    *,
    count_id: int,
    counted: Sequence[Counted],
    actor: "User | None",
    at: datetime,
    now: datetime,
) -> Count:
    """Take down what somebody found at `at`: not later than now, not before the sheet was made.

    With each answer stands what the books expected on the shelf at that very moment: what lay there
    when the sheet was made and what moved since, without what was picked and not yet gone. Counting
    a line again before the sheet is handed in replaces its answer. Of what is kept by serial number
    the pieces are compared one by one. Locks the count, then the stock rows in id order.

    Raises:
        Count.DoesNotExist: there is no such count.
        BadCount: the sheet is closed, a line is not on it or not to be recounted, or the quantity
            or the moment makes no sense.
        SerialsNeeded, BadSerial: not one number is named for each piece of what is kept by them,
            or one is named on two lines.
    """
    count = Count.objects.lock(count_id)
    if count.state not in OPEN:
        raise BadCount(0, f"{count.number} is not being counted.")
    if not count.planned_at <= at <= now:
        raise BadCount(0, "It was counted after the sheet was made, and not later than now.")
    lines = {line.pk: line for line in count.lines.select_for_update().order_by("pk")}
    chosen = {}
    for each in counted:
        line = lines.get(each.line_id)
        if line is None or each.line_id in chosen:
            raise BadCount(each.line_id, f"Line {each.line_id} is not once on this sheet.")
        if count.state == State.RECOUNT and not line.is_again:
            raise BadCount(each.line_id, "That line need not be counted again.")
        if not countable(each.quantity) or each.quantity < 0:
            raise BadCount(each.line_id, "Count zero or more, in thousandths.")
        chosen[each.line_id] = each
    refuse_strange_bins(count, counted)
    expected = dict(rows(EXPECTED, {"lines": list(chosen), "at": at})) if chosen else {}
    for line_id, each in chosen.items():
        line = lines[line_id]
        line.counted, line.expected = each.quantity, expected[line_id]
        line.counted_at, line.counted_by = at, actor
    compare_scanned(
        [(lines[line_id], each) for line_id, each in chosen.items()],
        others=[line for line_id, line in lines.items() if line_id not in chosen],
        at=at,
    )
    CountLine.objects.bulk_update([lines[line_id] for line_id in chosen], ANSWER)
    keep_bins(counted, {pk: lines[pk].expected or Decimal(0) for pk in chosen}, at)
    note(count, "count_stock", count.state, actor, now, lines=len(chosen))
    return count


@transaction.atomic
def add_to_count(
    *,
    count_id: int,
    product_code: str,
    actor: "User | None",
    now: datetime,
    lot_id: int | None = None,
) -> CountLine:
    """Put a product on the sheet that was found and not expected; return its line.

    One that stands on the sheet already is answered as it is.

    Raises:
        Count.DoesNotExist: there is no such count.
        BadCount: the sheet is closed, or there is no such product.
        LotNeeded: the product is kept by lot and none is named, or the other way round.
    """
    count = Count.objects.lock(count_id)
    if count.state != State.OPEN:
        raise BadCount(0, f"Nothing can be added to {count.number}.")
    found = None if "\0" in product_code else _product(product_code)
    if found is None:
        raise BadCount(0, f"There is no product {product_code[:40]!r}.")
    status = str(StockStatus.AVAILABLE)
    key = Key(count.entity_id, count.node_id, found.pk, status, lot_id or 0)
    stock_id = balances([key])[key].stock_id
    here = count.lines.filter(stock_id=stock_id).first()
    if here is not None:
        return here
    last = count.lines.aggregate(last=Max("position"))["last"] or 0
    line = write_lines(count, [(stock_id, "")], first=last + 1)[0]
    note(count, "add_to_count", count.state, actor, now, product=found.code)
    return line


def _product(code: str) -> Product | None:
    return (
        Product.objects.filter(code=code).first()
        or Product.objects.filter(barcode=code).exclude(barcode="").first()
    )

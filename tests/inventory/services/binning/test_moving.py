"""inventory/services/binning/_moving.py, and what the database holds by itself"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from erp.governance.models import AuditEntry
from erp.kernel.sql import run
from erp.outbox.models import Message
from inventory.models import BinMove, BinStock, Stock
from inventory.services.binning import BadBinMove, BinFull, BinTransfer, move_in_bins
from tests.inventory.factories import (
    NOW,
    bin_of,
    demand,
    lying,
    node,
    picked,
    product,
    put,
    stocked,
)
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db


def checked() -> None:
    """Have the deferred constraints speak now, as a commit would."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


class TestMoveInBins:
    def test_puts_away_brings_down_and_moves_on(self) -> None:
        stock = stocked(product(), 10)
        dock, high, face = bin_of("DOCK", "receiving"), bin_of("R-1"), bin_of("P-1", "pick_face")
        put(stock, 10, dock)
        put(stock, 10, high, dock)
        put(stock, 4, face, high)
        put(stock, 1, high, face)
        put(stock, 2, None, high)
        checked()
        assert lying(stock) == {"R-1": 5, "P-1": 3}
        stock.refresh_from_db()
        assert (stock.on_hand, stock.binned) == (10, 8)
        kinds = ["put_away", "put_away", "replenish", "move", "move"]
        assert list(BinMove.objects.order_by("id").values_list("kind", flat=True)) == kinds
        assert AuditEntry.objects.filter(subject_kind="inventory.binmove").count() == 5
        assert Message.objects.filter(name="inventory.goods_moved_in_bins").count() == 5

    def test_each_move_of_a_set_finds_what_the_ones_before_it_left(self) -> None:
        stock = stocked(product(), 6)
        first, second = bin_of("A"), bin_of("B", capacity=6)
        moves = [
            BinTransfer(stock_id=stock.pk, quantity=Decimal(6), target_id=first.pk),
            BinTransfer(
                stock_id=stock.pk, quantity=Decimal(6), target_id=second.pk, source_id=first.pk
            ),
        ]
        move_in_bins(moves=moves, actor=None, now=NOW)
        checked()
        assert lying(stock) == {"B": 6}

    def test_does_nothing_of_nothing(self) -> None:
        assert move_in_bins(moves=[], actor=None, now=NOW) == []

    @pytest.mark.parametrize("quantity", ["0", "-1", "0.0001", "NaN"])
    def test_refuses_quantities_that_cannot_be(self, quantity: str) -> None:
        stock, place = stocked(product(), 5), bin_of("A")
        with pytest.raises(BadBinMove) as refused:
            put(stock, quantity, place)
        assert refused.value.errors[0]["field"] == "lines.0.quantity"
        assert not BinMove.objects.exists()

    def test_refuses_more_than_lies_there(self) -> None:
        stock, a, b = stocked(product(), 5), bin_of("A"), bin_of("B")
        put(stock, "4.5", a)
        with pytest.raises(BadBinMove, match=r"Only 0.5 of it stands there"):
            put(stock, "0.501", b)
        with pytest.raises(BadBinMove, match=r"Only 4.5 of it lies in A"):
            put(stock, "4.501", b, a)
        with pytest.raises(BadBinMove, match="already"):
            put(stock, 1, a, a)
        assert lying(stock) == {"A": Decimal("4.5")}

    def test_what_was_picked_is_not_put_away(self) -> None:
        pen = product()
        stock = stocked(pen, 10)
        bin_of("A")
        picked([demand(pen, 4)])
        with pytest.raises(BadBinMove, match="Only 6"):
            put(stock, "6.001", bin_of("A"))
        put(stock, 6, bin_of("A"))
        assert lying(stock) == {"A": 6}

    def test_fills_a_bin_up_and_no_further(self) -> None:
        pens = [stocked(product(), 10), stocked(product(), 10)]
        place = bin_of("A", capacity=12)
        put(pens[0], 8, place)
        with pytest.raises(BinFull) as refused:
            put(pens[1], "4.001", place)
        assert (refused.value.room, refused.value.errors[0]["field"]) == (4, "lines.0.to")
        put(pens[1], 4, place)
        assert (lying(pens[0]), lying(pens[1])) == ({"A": 8}, {"A": 4})

    def test_refuses_a_bin_of_another_node_or_out_of_use(self) -> None:
        stock = stocked(product(), 5)
        for place in (bin_of("A", node=node("DC-B")), bin_of("Z", is_active=False)):
            with pytest.raises(BadBinMove) as refused:
                put(stock, 1, place)
            assert refused.value.field == "to"
        assert not BinStock.objects.exists()

    def test_keeps_what_may_be_sold_apart_from_what_lies_aside(self) -> None:
        pen = product()
        good, bad = stocked(pen, 5), stocked(pen, 5, status="damaged")
        face, cage = bin_of("P", "pick_face"), bin_of("Q", "quarantine")
        for stock, place in ((good, cage), (bad, face)):
            with pytest.raises(BadBinMove):
                put(stock, 1, place)
        put(good, 1, face)
        put(bad, 1, cage)
        assert (lying(good), lying(bad)) == ({"P": 1}, {"Q": 1})

    def test_refuses_a_balance_that_is_not_there(self) -> None:
        with pytest.raises(Stock.DoesNotExist):
            put(Stock(pk=10**9), 1, bin_of("A"))


class TestTheDatabase:
    """Raw statements that would break what bins say are refused."""

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE inventory_stock SET binned = binned + 1",
            "UPDATE inventory_stock SET on_hand = binned - 1",
            "UPDATE inventory_binstock SET quantity = quantity + 1",
            "UPDATE inventory_binstock SET quantity = 0",
            "DELETE FROM inventory_binstock",
            """INSERT INTO inventory_binstock (bin_id, stock_id, quantity)
            SELECT b.id, s.id, 1 FROM inventory_bin b, inventory_stock s WHERE b.code = 'B'""",
        ],
    )
    def test_refuses_bins_that_differ_from_their_balance(self, statement: str) -> None:
        stock = stocked(product(), 5)
        bin_of("B")
        put(stock, 4, bin_of("A"))
        checked()
        with pytest.raises(IntegrityError), transaction.atomic():
            run(statement)
            checked()

    def test_refuses_moves_that_are_changed_or_lead_nowhere(self) -> None:
        stock = stocked(product(), 5)
        put(stock, 4, bin_of("A"))
        with pytest.raises(Exception, match="Cannot update or delete"), transaction.atomic():
            run("DELETE FROM inventory_binmove")
        with pytest.raises(IntegrityError, match="binmove_moves"), transaction.atomic():
            run(
                "INSERT INTO inventory_binmove (at, kind, stock_id, quantity, cause_kind, cause_id)"
                " SELECT now(), 'move', id, 1, '', 0 FROM inventory_stock"
            )

    @pytest.mark.parametrize(
        ("kind", "status"),
        [("quarantine", "available"), ("pick_face", "damaged"), ("reserve", "in_transit")],
    )
    def test_refuses_goods_where_they_may_not_lie(self, kind: str, status: str) -> None:
        stock, place = stocked(product(), 5, status=status), bin_of("A", kind)
        with pytest.raises(IntegrityError, match="do not lie"), transaction.atomic():
            BinStock.objects.create(bin=place, stock=stock, quantity=1)

    def test_refuses_a_bin_of_another_node(self) -> None:
        stock, place = stocked(product(), 5), bin_of("A", node=node("DC-B"))
        with pytest.raises(IntegrityError, match="do not lie"), transaction.atomic():
            BinStock.objects.create(bin=place, stock=stock, quantity=1)


@pytest.mark.django_db(transaction=True)
def test_two_who_fill_one_bin_at_once_do_not_overfill_it() -> None:
    stocks = [stocked(product(), 10), stocked(product(), 10)]
    place = bin_of("A", capacity=10)

    def fill(stock: Stock) -> Callable[[], Any]:
        return lambda: put(stock, 7, place)

    results = at_once([fill(each) for each in stocks])
    assert sorted(type(each).__name__ for each in results) == ["BinFull", "list"]
    assert sum(sum(lying(each).values()) for each in stocks) == 7

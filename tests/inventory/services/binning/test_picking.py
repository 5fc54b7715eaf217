"""inventory/services/binning/_picking.py, by the services that pick"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from erp.kernel.sql import rows
from erp.outbox.models import Message
from inventory.events import BinFoundShort
from inventory.handlers import count_bin_that_fell_short
from inventory.models import (
    Bin,
    BinMove,
    Count,
    Product,
    Reservation,
    Shipment,
    ShipmentLine,
    Stock,
)
from inventory.selectors import INVARIANTS
from inventory.services import (
    Pack,
    Pick,
    PickOutcome,
    ShortPick,
    pack_shipments,
    pick_shipments,
    ship_shipments,
    void_shipment,
)
from inventory.services.binning import BinPick, NotInBin
from tests.inventory.factories import (
    NOW,
    bin_of,
    demand,
    lying,
    planned,
    product,
    put,
    stocked,
)
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db


def broken() -> dict[str, Any]:
    return {each.code: found for each in INVARIANTS if (found := rows(each.statement))}


def pick(*bins: BinPick, shorts: tuple[ShortPick, ...] = (), line: ShipmentLine) -> PickOutcome:
    wanted = Pick(shipment_id=line.shipment_id, bins=bins, shorts=shorts)
    return pick_shipments(picks=[wanted], actor=None, now=NOW)


def from_(
    line: ShipmentLine, place: Bin | None, quantity: str | int, *, empty: bool = False
) -> BinPick:
    return BinPick(
        line_id=line.pk,
        bin_id=place and place.pk,
        quantity=Decimal(quantity),
        is_empty=empty,
    )


@pytest.fixture
def pen() -> Product:
    return product()


@pytest.fixture
def stock(pen: Product) -> Stock:
    """Four in a pick face, ten in reserve, six on the floor."""
    held = stocked(pen, 20)
    put(held, 4, bin_of("P-1", "pick_face", sequence=9))
    put(held, 10, bin_of("R-1", sequence=1))
    return held


def line_of(pen: Product, quantity: int) -> ShipmentLine:
    planned([demand(pen, quantity)])
    return ShipmentLine.objects.get()


class TestPickOut:
    def test_takes_the_pick_face_then_reserve_then_the_floor(
        self, pen: Product, stock: Stock
    ) -> None:
        line = line_of(pen, 16)
        pick(line=line)
        assert lying(stock) == {}
        moves = BinMove.objects.filter(kind="pick").order_by("id")
        assert [(m.source and m.source.code, m.quantity, m.cause_id) for m in moves] == [
            ("P-1", 4, line.pk),
            ("R-1", 10, line.pk),
        ]
        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved, stock.binned) == (20, 16, 0)
        assert not broken()

    def test_goods_leave_without_a_word_to_bins(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 6)
        pick(line=line)
        pack_shipments(packs=[Pack(shipment_id=line.shipment_id)], actor=None, now=NOW)
        before = BinMove.objects.count()
        ship_shipments(shipment_ids=[line.shipment_id], actor=None, now=NOW)
        assert BinMove.objects.count() == before
        assert lying(stock) == {"R-1": 8}
        stock.refresh_from_db()
        assert (stock.on_hand, stock.binned) == (14, 8)
        assert not broken()

    def test_takes_out_of_the_bins_that_are_named(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 8)
        reserve = Bin.objects.get(code="R-1")
        pick(from_(line, reserve, 3), from_(line, None, 5), line=line)
        assert lying(stock) == {"P-1": 4, "R-1": 7}
        assert not broken()

    @pytest.mark.parametrize(
        ("code", "quantity", "says"),
        [("P-1", 5, "only 4"), ("R-1", 4, "not what was picked"), ("X", 5, "nothing of it")],
    )
    def test_refuses_what_does_not_lie_there(
        self, pen: Product, stock: Stock, code: str, quantity: int, says: str
    ) -> None:
        bin_of("X")
        line = line_of(pen, 5)
        with pytest.raises(NotInBin, match=says), transaction.atomic():
            pick(from_(line, Bin.objects.get(code=code), quantity), line=line)
        assert Shipment.objects.get().state == "planned"
        assert lying(stock) == {"P-1": 4, "R-1": 10}

    def test_refuses_more_off_the_floor_than_stands_there(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 7)
        with pytest.raises(NotInBin, match="only 6 of it is not put away"), transaction.atomic():
            pick(from_(line, None, 7), line=line)
        with pytest.raises(NotInBin, match="not of this shipment"):
            pick(BinPick(line_id=0, bin_id=None, quantity=Decimal(1)), line=line)

    def test_voiding_gives_goods_back_to_be_put_away(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 6)
        pick(line=line)
        void_shipment(shipment_id=line.shipment_id, reason="Not today", actor=None, now=NOW)
        assert lying(stock) == {"R-1": 8}
        put(stock, 12, Bin.objects.get(code="R-1"))
        assert lying(stock) == {"R-1": 20}
        assert not broken()

    def test_picking_again_changes_nothing(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 6)
        pick(line=line)
        pick(line=line)
        assert lying(stock) == {"R-1": 8}


class TestShort:
    def test_what_was_not_found_empties_its_bin_and_has_it_counted(
        self, pen: Product, stock: Stock
    ) -> None:
        line = line_of(pen, 6)
        reserve = Bin.objects.get(code="R-1")
        short = ShortPick(line_id=line.pk, picked=Decimal(2), reason="not_found")
        pick(from_(line, reserve, 2, empty=True), shorts=(short,), line=line)

        assert lying(stock) == {"P-1": 4}
        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved, stock.binned) == (16, 2, 4)
        kinds = BinMove.objects.filter(source=reserve).order_by("id")
        assert list(kinds.values_list("kind", "quantity")) == [
            ("pick", 2), ("not_found", 4), ("not_found", 4),
        ]  # fmt: skip
        assert not broken()

        message = Message.objects.get(name="inventory.bin_found_short")
        event = BinFoundShort(**message.payload)
        for _ in range(2):
            count_bin_that_fell_short(event)
        sheet = Count.objects.get()
        assert "R-1" in sheet.cause
        counted = set(sheet.lines.values_list("stock__status", flat=True))
        assert counted == {"available", "inspection"}

    def test_without_a_named_bin_the_proposed_one_is_doubted(
        self, pen: Product, stock: Stock
    ) -> None:
        line = line_of(pen, 3)
        short = ShortPick(line_id=line.pk, picked=Decimal(1), reason="not_found")
        pick(shorts=(short,), line=line)
        assert lying(stock) == {"R-1": 10}
        assert Reservation.objects.get(closed_at=None).quantity == 1
        assert not broken()

    def test_another_bin_may_give_what_one_lacked(self, pen: Product, stock: Stock) -> None:
        line = line_of(pen, 4)
        face, reserve = Bin.objects.get(code="P-1"), Bin.objects.get(code="R-1")
        outcome = pick(from_(line, face, 1, empty=True), from_(line, reserve, 3), line=line)
        assert outcome.shorts == []
        assert lying(stock) == {"R-1": 7}
        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved) == (20, 4)
        assert Message.objects.filter(name="inventory.bin_found_short").count() == 1
        assert not broken()

    @pytest.mark.parametrize(("reason", "doubted"), [("damaged", 0), ("mislocated", 1)])
    def test_other_reasons_take_only_what_is_missing(
        self, pen: Product, stock: Stock, reason: str, doubted: int
    ) -> None:
        line = line_of(pen, 3)
        short = ShortPick(line_id=line.pk, picked=Decimal(1), reason=reason)
        pick(shorts=(short,), line=line)
        assert lying(stock) == {"P-1": 1, "R-1": 10}
        assert Message.objects.filter(name="inventory.bin_found_short").count() == doubted
        assert not broken()

    def test_a_shipment_of_which_nothing_was_found_leaves_the_bins_too(
        self, pen: Product, stock: Stock
    ) -> None:
        line = line_of(pen, 3)
        short = ShortPick(line_id=line.pk, picked=Decimal(0), reason="not_found")
        assert pick(shorts=(short,), line=line).voided_ids == [line.shipment_id]
        assert lying(stock) == {"R-1": 10}
        assert not broken()


class TestWithoutBins:
    def test_pays_no_statement(
        self, pen: Product, django_assert_num_queries: Callable[[int], Any]
    ) -> None:
        """Lock, write, audit and outbox, in a savepoint."""
        stocked(pen, 10)
        line = line_of(pen, 3)
        with django_assert_num_queries(6):
            pick(line=line)
        assert not BinMove.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_pickers_at_one_bin_take_what_is_there_once() -> None:
    pen = product()
    stock = stocked(pen, 20)
    put(stock, 5, bin_of("P-1", "pick_face"))
    put(stock, 15, bin_of("R-1"))
    for order in (1, 2, 3, 4):
        planned([demand(pen, 4)], order_id=order)
    picks = [Pick(shipment_id=each) for each in Shipment.objects.values_list("pk", flat=True)]

    def one(wanted: Pick) -> Callable[[], object]:
        return lambda: pick_shipments(picks=[wanted], actor=None, now=NOW)

    results = at_once([one(each) for each in picks], threads=4)

    assert [type(each).__name__ for each in results] == ["PickOutcome"] * 4
    assert lying(stock) == {"R-1": 4}
    assert not broken()

from decimal import Decimal

import pytest

from erp.outbox.models import Message
from inventory.models import ProductCost, Reservation, Shipment, ShipmentLine, Stock, StockMove
from inventory.services import (
    BadPick,
    Pick,
    PickOutcome,
    ShipmentNotReady,
    ShortPick,
    pick_shipments,
    void_shipment,
)
from tests.inventory.factories import NOW, demand, planned, product, stocked

pytestmark = pytest.mark.django_db


def pick(shipment_id: int, *shorts: ShortPick) -> PickOutcome:
    return pick_shipments(picks=[Pick(shipment_id=shipment_id, shorts=shorts)], actor=None, now=NOW)


def short(line: ShipmentLine, picked: str, reason: str = "not_found") -> ShortPick:
    return ShortPick(line_id=line.pk, picked=Decimal(picked), reason=reason)


class TestPickShipments:
    def test_takes_all_lines_in_full_unless_told_otherwise(self) -> None:
        pens = [product(), product()]
        for pen in pens:
            stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4, group_id=1) for pen in pens])
        assert pick(shipment.id) == PickOutcome([shipment.id], [], [])
        assert Shipment.objects.get().state == "picked"
        assert {line.picked for line in ShipmentLine.objects.all()} == {4}
        assert not StockMove.objects.filter(kind="status").exists()

    @pytest.mark.parametrize(
        ("reason", "status"),
        [
            ("not_found", "inspection"),
            ("mismatch", "inspection"),
            ("mislocated", "inspection"),
            ("damaged", "damaged"),
            ("expired", "quarantine"),
        ],
    )
    def test_what_is_short_leaves_available_stock(self, reason: str, status: str) -> None:
        pen = product()
        stock = stocked(pen, 10)
        wanted = demand(pen, 4)
        (shipment,) = planned([wanted])
        line = ShipmentLine.objects.get()

        outcome = pick(shipment.id, short(line, "1.5", reason))

        (missing,) = outcome.shorts
        assert (missing.demand_id, missing.missing) == (wanted.id, Decimal("2.5"))
        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved) == (Decimal("7.5"), Decimal("1.5"))
        assert Stock.objects.get(status=status).on_hand == Decimal("2.5")
        assert Reservation.objects.get().quantity == Decimal("1.5")
        assert list(StockMove.objects.filter(kind="status").values_list("quantity", "value")) == [
            (Decimal("-2.5"), 0),
            (Decimal("2.5"), 0),
        ]
        cost = ProductCost.objects.get()
        assert (cost.quantity, cost.value) == (10, 20)
        line.refresh_from_db()
        assert (line.picked, line.short_reason) == (Decimal("1.5"), reason)

    def test_a_shipment_of_which_nothing_was_found_is_voided(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4)])
        outcome = pick(shipment.id, short(ShipmentLine.objects.get(), "0"))
        assert (outcome.picked_ids, outcome.voided_ids) == ([], [shipment.id])
        assert Shipment.objects.get().state == "void"
        assert Reservation.objects.get().closed_as == "released"
        assert Message.objects.filter(name="inventory.shipment_voided").count() == 1

    def test_tells_what_fell_short(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4, id=7)])
        pick(shipment.id, short(ShipmentLine.objects.get(), "3", "damaged"))
        payload = Message.objects.get(name="inventory.pick_fell_short").payload
        assert (payload["demand_id"], payload["missing"]) == (7, "1.000")

    def test_two_lines_of_one_product_may_both_be_short(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4, group_id=1), demand(pen, 3, group_id=1)])
        lines = ShipmentLine.objects.order_by("id")
        pick(shipment.id, *(short(line, "1") for line in lines))
        assert Stock.objects.get(status="available").on_hand == 5
        assert Stock.objects.get(status="inspection").on_hand == 5

    def test_picks_once(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4)])
        line = ShipmentLine.objects.get()
        pick(shipment.id, short(line, "1"))
        assert pick(shipment.id, short(line, "0")) == PickOutcome([], [], [])
        assert Stock.objects.get(status="available").on_hand == 7

    def test_refuses_what_is_void(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4)])
        void_shipment(shipment_id=shipment.id, reason="Wrong", actor=None, now=NOW)
        with pytest.raises(ShipmentNotReady, match="void"):
            pick(shipment.id)

    @pytest.mark.parametrize(
        ("picked", "reason"),
        [("4.5", "damaged"), ("-1", "damaged"), ("NaN", "damaged"), ("1", "bored"), ("1", "")],
    )
    def test_refuses_a_pick_that_makes_no_sense(self, picked: str, reason: str) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4)])
        with pytest.raises(BadPick, match=pen.code):
            pick(shipment.id, short(ShipmentLine.objects.get(), picked, reason))
        assert Shipment.objects.get().state == "planned"
        assert ShipmentLine.objects.get().picked is None

    def test_refuses_a_line_of_another_shipment(self) -> None:
        pen = product()
        stocked(pen, 10)
        (one,) = planned([demand(pen, 4)], 1)
        (other,) = planned([demand(pen, 4)], 2)
        line = ShipmentLine.objects.get(shipment_id=other.id)
        with pytest.raises(BadPick, match="not of this shipment"):
            pick(one.id, short(line, "1"))

    def test_many_in_few_statements(self, django_assert_max_num_queries) -> None:
        pen = product()
        stocked(pen, 100)
        ids = [planned([demand(pen, 1)], order)[0].id for order in range(1, 11)]
        with django_assert_max_num_queries(8):  # of which four open and close savepoints
            pick_shipments(picks=[Pick(shipment_id=each) for each in ids], actor=None, now=NOW)

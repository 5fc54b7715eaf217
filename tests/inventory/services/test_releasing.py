import pytest

from erp.outbox.models import Message
from inventory.models import Reservation, Shipment, ShipmentLine, Stock
from inventory.services import Pick, pick_shipments, release_reservations, void_shipment
from tests.inventory.factories import (
    KIND,
    NOW,
    demand,
    packed,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db


def release(*demand_ids: int) -> dict[int, object]:
    return release_reservations(demand_kind=KIND, demand_ids=demand_ids, now=NOW)


class TestReleaseReservations:
    def test_gives_stock_back(self) -> None:
        pen = product()
        stock = stocked(pen, 10)
        reserved(demand(pen, 4, id=1), demand(pen, 3, id=2))
        assert release(1) == {1: 4}
        stock.refresh_from_db()
        assert stock.reserved == 3
        assert Reservation.objects.get(demand_id=1).closed_as == "released"
        assert (
            Message.objects.filter(name="inventory.stock_received").latest("id").payload["quantity"]
            == "4.000"
        )

    def test_releasing_again_releases_nothing(self) -> None:
        pen = product()
        stocked(pen, 10)
        reserved(demand(pen, 4, id=1))
        release(1)
        assert release(1) == {}
        assert release() == {}

    def test_takes_it_off_planned_shipments(self) -> None:
        pen, ink = product(), product()
        stocked(pen, 10)
        stocked(ink, 10)
        planned([demand(pen, 4, id=1, group_id=1), demand(ink, 4, id=2, group_id=1)])
        release(1)
        assert ShipmentLine.objects.get().demand_id == 2
        assert Shipment.objects.get().state == "planned"
        release(2)
        assert Shipment.objects.get().state == "void"
        assert Message.objects.filter(name="inventory.shipment_voided").count() == 1

    def test_leaves_what_is_off_the_shelf(self) -> None:
        pen = product()
        stock = stocked(pen, 10)
        (shipment,) = planned([demand(pen, 4, id=1)])
        pick_shipments(picks=[Pick(shipment_id=shipment.id)], actor=None, now=NOW)
        reserved(demand(pen, 2, id=1))
        assert release(1) == {1: 2}
        stock.refresh_from_db()
        assert stock.reserved == 4
        assert Reservation.objects.get().quantity == 4

    def test_gives_back_what_was_packed_once_that_is_void(self) -> None:
        pen = product()
        stocked(pen, 10)
        (shipment_id,) = packed([demand(pen, 4, id=1)])
        void_shipment(shipment_id=shipment_id, reason="Cancelled", actor=None, now=NOW)
        assert Stock.objects.get().reserved == 4
        assert release(1) == {1: 4}
        assert Stock.objects.get().reserved == 0

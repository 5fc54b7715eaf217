from decimal import Decimal

import pytest

from inventory.models import ProductCost, Reservation, Shipment, ShipmentLine, Stock, StockMove
from inventory.services import ShipmentNotReady, ShippedLine, ship_shipments
from tests.inventory.factories import (
    NOW,
    carrier,
    demand,
    node,
    packed,
    picked,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db


def ship(ids: list[int]) -> list[ShippedLine]:
    return ship_shipments(shipment_ids=ids, actor=None, now=NOW)


class TestShipShipments:
    def test_takes_stock_and_its_cost(self) -> None:
        pen = product()
        stock = stocked(pen, 10, unit_value="1.50")
        line = demand(pen, 4)

        (shipped,) = ship(packed([line]))

        stock.refresh_from_db()
        assert (stock.on_hand, stock.reserved) == (6, 0)
        assert (shipped.quantity, shipped.cost, shipped.demand_id) == (4, Decimal("6.00"), line.id)
        cost = ProductCost.objects.get(product=pen)
        assert (cost.quantity, cost.value) == (6, 9)
        move = StockMove.objects.get(kind="shipment")
        assert (move.quantity, move.value, move.cause_id) == (-4, -6, shipped.shipment_line_id)
        assert Reservation.objects.get().closed_as == "shipped"
        assert ShipmentLine.objects.get().cost == 6

    def test_costs_sum_to_what_the_pool_loses(self) -> None:
        pen = product()
        stocked(pen, 3, unit_value="0.3334")  # worth 1.00
        lines = [demand(pen, 1, group_id=1) for _ in range(3)]

        costs = [each.cost for each in ship(packed(lines))]

        assert sum(costs) == 1
        assert ProductCost.objects.get(product=pen).value == 0

    def test_gives_it_a_tracking_number(self) -> None:
        carrier("UPS")
        pen = product()
        stocked(pen, 1)
        ids = packed([demand(pen, 1)])
        ship(ids)
        assert Shipment.objects.get().tracking_number == f"UPS{ids[0]:010d}"

    def test_ships_once(self) -> None:
        pen = product()
        stocked(pen, 5)
        ids = packed([demand(pen, 2)])
        ship(ids)
        assert ship(ids) == []
        assert Stock.objects.get().on_hand == 3

    def test_refuses_what_is_not_packed(self) -> None:
        pen = product()
        stocked(pen, 5)
        ready = packed([demand(pen, 1)], order_id=1)
        ids = picked([demand(pen, 2)], order_id=2)
        with pytest.raises(ShipmentNotReady, match=r"SH-\d+: it is at"):
            ship([*ready, *ids])
        assert Stock.objects.get().on_hand == 5
        assert not Shipment.objects.filter(state="shipped").exists()

    def test_refuses_what_is_not_there(self) -> None:
        with pytest.raises(Shipment.DoesNotExist):
            ship([4711])

    def test_leaves_the_rest_of_a_reservation_open(self) -> None:
        pen = product()
        stocked(pen, 10)
        line = demand(pen, 4, id=7)
        ids = packed([line])
        reserved(demand(pen, 3, id=7))  # more came for the same line, out of the same stock

        ship(ids)

        rows = Reservation.objects.order_by("quantity").values_list("quantity", "closed_as")
        assert list(rows) == [(3, ""), (4, "shipped")]
        assert Stock.objects.get().reserved == 3

    def test_ships_from_several_nodes_and_companies_in_few_statements(
        self, django_assert_max_num_queries
    ) -> None:
        pens = [product() for _ in range(5)]
        for pen in pens:
            stocked(pen, 10, node=node("DC-A"))
        ids = []
        for order in range(1, 6):
            lines = [demand(pen, 1, group_id=order) for pen in pens]
            ids += packed(lines, order_id=order)
        with django_assert_max_num_queries(8):
            assert len(ship(ids)) == 25

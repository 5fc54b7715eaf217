from decimal import Decimal

import pytest

from inventory.models import Carton, Shipment
from inventory.rules import check_digit
from inventory.services import BadCarton, Pack, ShipmentNotReady, pack_shipments
from tests.inventory.factories import NOW, carrier, demand, picked, planned, product, stocked

pytestmark = pytest.mark.django_db


def pack(shipment_id: int, *weights: str) -> list[int]:
    cartons = [Decimal(weight) for weight in weights]
    packs = [Pack(shipment_id=shipment_id, cartons=cartons)]
    return pack_shipments(packs=packs, actor=None, now=NOW)


def one_picked(weight: str = "0.25") -> int:
    pen = product(weight=Decimal(weight))
    stocked(pen, 10)
    return picked([demand(pen, 4)])[0]


class TestPackShipments:
    def test_makes_one_carton_of_the_products_weight(self) -> None:
        carrier(base_rate=5, rate_per_kg="0.5")
        number = one_picked()
        assert pack(number) == [number]
        shipment = Shipment.objects.get()
        assert (shipment.state, shipment.cartons, shipment.weight) == ("packed", 1, 1)
        assert shipment.freight_cost == Decimal("5.50")
        carton = Carton.objects.get()
        assert (carton.number, carton.weight) == (1, 1)
        assert check_digit(carton.sscc[:-1]) == int(carton.sscc[-1])

    def test_makes_as_many_cartons_as_were_weighed(self) -> None:
        carrier(base_rate=5, rate_per_kg=1)
        pack(one_picked(), "2.5", "1")
        shipment = Shipment.objects.get()
        assert (shipment.cartons, shipment.weight, shipment.freight_cost) == (
            2,
            Decimal("3.5"),
            Decimal("8.50"),
        )
        assert [c.number for c in Carton.objects.order_by("id")] == [1, 2]
        assert len({carton.sscc for carton in Carton.objects.all()}) == 2

    def test_costs_nothing_without_a_carrier(self) -> None:
        pack(one_picked())
        assert Shipment.objects.get().freight_cost == 0

    def test_packs_once(self) -> None:
        number = one_picked()
        pack(number)
        assert pack(number, "1", "2") == []
        assert Carton.objects.count() == 1

    def test_refuses_what_is_not_picked(self) -> None:
        pen = product()
        stocked(pen, 1)
        (shipment,) = planned([demand(pen, 1)])
        with pytest.raises(ShipmentNotReady):
            pack(shipment.id)
        assert not Carton.objects.exists()

    @pytest.mark.parametrize("weights", [["-1"], ["NaN"], ["100000"], ["1"] * 1000])
    def test_refuses_a_carton_that_makes_no_sense(self, weights: list[str]) -> None:
        number = one_picked()
        with pytest.raises(BadCarton):
            pack(number, *weights)
        assert Shipment.objects.get().state == "picked"

from datetime import date
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from inventory.models import Shipment, ShipmentLine
from inventory.services import Demand, ShipmentSource, plan_shipments, void_shipment
from tests.inventory.factories import (
    DUE,
    KIND,
    NOW,
    carrier,
    company,
    demand,
    node,
    planned,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db


def order(number: int, *lines: Demand) -> ShipmentSource:
    return ShipmentSource(
        kind="orders.order",
        id=number,
        number=f"SO-{number}",
        entity_id=lines[0].entity_id,
        ship_to={},
        carrier_id=None,
        promised_date=DUE,
        demand_kind=KIND,
        demand_ids=[line.id for line in lines],
    )


class TestPlanShipments:
    def test_one_shipment_per_node(self) -> None:
        pen, ink = product(), product()
        stocked(pen, 5, node=node("A"))
        stocked(pen, 5, node=node("B"))
        stocked(ink, 5, node=node("A"))
        lines = [demand(pen, 8, group_id=1), demand(ink, 1, group_id=1)]

        shipments = planned(lines)

        assert [each.node_id for each in shipments] == [node("A").pk, node("B").pk]
        assert {each.source_id for each in shipments} == {1}
        quantities = ShipmentLine.objects.order_by("shipment_id", "demand_id")
        assert [each.quantity for each in quantities] == [5, 1, 3]
        first = Shipment.objects.get(pk=shipments[0].id)
        assert (first.state, first.source_number, first.promised_date) == ("planned", "SO-1", DUE)
        assert first.ship_to == {"name": "Miller", "city": "Dayton"}
        assert first.planned_date == date(2026, 11, 24)  # NOW is a Sunday; a day to handle it

    def test_plans_again_only_what_is_new(self) -> None:
        pen = product()
        stocked(pen, 10)
        line = demand(pen, 4, id=7)
        planned([line])
        source = order(1, line)
        assert plan_shipments(orders=[source], now=NOW) == []
        reserved(demand(pen, 3, id=7))
        plan_shipments(orders=[source], now=NOW)
        assert list(ShipmentLine.objects.order_by("id").values_list("quantity", flat=True)) == [
            4,
            3,
        ]

    def test_plans_anew_what_was_voided(self) -> None:
        pen = product()
        stocked(pen, 10)
        line = demand(pen, 4, id=7)
        (shipment,) = planned([line])
        assert void_shipment(shipment_id=shipment.id, reason="Wrong", actor=None, now=NOW) == {
            7: KIND
        }
        source = order(1, line)
        (again,) = plan_shipments(orders=[source], now=NOW)
        assert again.id != shipment.id

    def test_takes_the_cheapest_carrier_that_charges_in_the_currency(self) -> None:
        carrier("EURO", currency="EUR", base_rate=1)
        carrier("GONE", base_rate=2, is_active=False)
        carrier("DEAR", base_rate=9)
        cheap = carrier("CHEAP", base_rate=4)
        pen = product()
        stocked(pen, 2)
        planned([demand(pen, 1)], 1)
        planned([demand(pen, 1)], 2, carrier_id=carrier("DEAR").pk)
        carriers = Shipment.objects.order_by("id").values_list("carrier_id", flat=True)
        assert list(carriers) == [cheap.pk, carrier("DEAR").pk]

    def test_is_told_on_the_orders_timeline(self) -> None:
        pen = product()
        stocked(pen, 2)
        planned([demand(pen, 1)], 4711)
        entry = AuditEntry.objects.get(action="inventory.plan")
        assert (entry.thread, entry.entity_id) == ("orders.order:4711", company().pk)

    def test_many_orders_in_few_statements(self, django_assert_max_num_queries) -> None:
        pen = product()
        stocked(pen, 100)
        demands = [demand(pen, Decimal(1), group_id=i) for i in range(30)]
        reserved(*demands)
        sources = [order(place, each) for place, each in enumerate(demands, start=1)]
        with django_assert_max_num_queries(6):  # of which two open and close the audit's savepoint
            assert len(plan_shipments(orders=sources, now=NOW)) == 30

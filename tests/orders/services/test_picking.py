"""orders/services/_picking.py."""

from decimal import Decimal

import pytest

from erp.outbox.models import Message
from inventory.models import Shipment, ShipmentLine, Stock
from inventory.services import Pick, ShortPick
from orders.models import Order
from orders.services import pick_shipments
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def short(order: Order, found: str, reason: str = "not_found") -> None:
    (shipment,) = make.shipments_of(order)
    line = ShipmentLine.objects.get(shipment=shipment)
    pick = Pick(
        shipment_id=shipment,
        shorts=[ShortPick(line_id=line.pk, picked=Decimal(found), reason=reason)],
    )
    pick_shipments(picks=[pick], actor=None, now=make.NOW)


class TestPickShipments:
    def test_starts_the_order(self) -> None:
        part = make.priced()
        make.stocked(part, 2)

        order = make.picked(make.account(), make.line(part, 2))

        assert order.state == "fulfilling"
        assert Shipment.objects.get().state == "picked"

    def test_looks_for_what_is_missing_elsewhere(self) -> None:
        part = make.priced()
        make.stocked(part, 5)
        make.stocked(part, 5, node=make.node("DC-B"))
        order = make.allocated(make.account(), make.line(part, 5))

        short(order, "3")

        order = Order.objects.get(pk=order.pk)
        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.waiting) == ("fulfilling", 5, 0)
        states = dict(Shipment.objects.values_list("node__code", "state"))
        assert sorted(states.values()) == ["picked", "planned"]
        assert not Message.objects.filter(name="orders.line_fell_short").exists()

    def test_backorders_what_is_nowhere(self) -> None:
        part = make.priced()
        make.stocked(part, 5)
        order = make.allocated(make.account(), make.line(part, 5))

        short(order, "3")

        order = Order.objects.get(pk=order.pk)
        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.waiting) == ("fulfilling", 3, 2)
        assert Message.objects.filter(name="orders.line_fell_short").count() == 1
        assert Stock.objects.get(product=part, status="inspection").on_hand == 2

    def test_returns_the_order_to_the_queue_when_nothing_was_found(self) -> None:
        part = make.priced()
        make.stocked(part, 5)
        order = make.allocated(make.account(), make.line(part, 5))

        short(order, "0", "damaged")

        order = Order.objects.get(pk=order.pk)
        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.waiting) == ("backordered", 0, 5)
        assert Shipment.objects.get().state == "void"

    def test_changes_nothing_when_repeated(self) -> None:
        part = make.priced()
        make.stocked(part, 2)
        order = make.picked(make.account(), make.line(part, 2))
        before = Message.objects.count()

        picks = [Pick(shipment_id=pk) for pk in make.shipments_of(order)]
        assert pick_shipments(picks=picks, actor=None, now=make.NOW).picked_ids == []

        assert Message.objects.count() == before

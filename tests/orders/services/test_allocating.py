"""orders/services/_allocating.py, with _demanding."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory.models import AllocationDecision, Reservation, Shipment
from orders.models import Order
from orders.services import allocate_orders, allocate_waiting
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def told(name: str) -> int:
    return Message.objects.filter(name=f"orders.{name}").count()


class TestAllocateOrders:
    def test_keeps_stock_promises_and_plans(self) -> None:
        part = make.priced()
        stock = make.stocked(part, 10)
        order = make.submitted(make.account(), make.line(part, 4))

        found = allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)

        order = Order.objects.get(pk=order.pk)
        (line,) = make.lines_of(order)
        stock.refresh_from_db()
        shipment = Shipment.objects.get()
        assert (order.state, line.reserved, stock.reserved) == ("allocated", 4, 4)
        assert found.given == {line.pk: 4}
        assert found.states == {order.pk: "allocated"}
        assert (shipment.source_id, shipment.source_number) == (order.pk, order.number)
        # a Monday morning, one day's handling, two days on the way
        assert line.promised_date == order.promised_date == date(2026, 11, 26)
        assert line.first_promised_date == line.promised_date
        assert shipment.promised_date == line.promised_date
        assert AllocationDecision.objects.get().demand_id == line.pk
        assert AuditEntry.objects.get(action="orders.allocate").after["state"] == "allocated"
        assert (told("order_allocated"), told("line_fell_short")) == (1, 0)

    def test_promises_no_earlier_than_was_asked(self) -> None:
        part = make.priced()
        make.stocked(part, 1)
        later = make.TODAY + timedelta(days=30)

        order = make.allocated(make.account(), make.line(part), requested_date=later)

        assert order.promised_date == later

    def test_gives_what_there_is_and_says_what_is_missing(self) -> None:
        part = make.priced()
        make.stocked(part, 3)

        order = make.allocated(make.account(), make.line(part, 5))

        (line,) = make.lines_of(order)
        assert (order.state, line.reserved, line.waiting) == ("partly_allocated", 3, 2)
        assert order.promised_date is None
        short = Message.objects.get(name="orders.line_fell_short")
        assert '"missing": "2"' in str(short.payload).replace("'", '"').replace(".000", "")

    def test_backorders_what_is_not_there_at_all(self) -> None:
        order = make.allocated(make.account(), make.line(make.priced(), 5))

        assert order.state == "backordered"
        assert not Shipment.objects.exists()
        assert told("line_fell_short") == 1

    def test_serves_the_most_urgent_first(self) -> None:
        part = make.priced()
        make.stocked(part, 1)
        plain = make.submitted(make.account(), make.line(part))
        gold = make.submitted(make.account(make.customer(tier="A")), make.line(part))

        allocate_orders(order_ids=None, cause="test", now=make.NOW)

        states = dict(Order.objects.values_list("pk", "state"))
        assert (states[gold.pk], states[plain.pk]) == ("allocated", "backordered")

    def test_takes_at_most_so_many_released_orders(self) -> None:
        on, part = make.account(), make.priced()
        orders = [make.submitted(on, make.line(part)) for _ in range(3)]

        first = allocate_orders(order_ids=None, limit=2, cause="test", now=make.NOW)
        second = allocate_orders(order_ids=None, limit=2, cause="test", now=make.NOW)
        third = allocate_orders(order_ids=None, limit=2, cause="test", now=make.NOW)

        assert [len(p.states) for p in (first, second, third)] == [2, 1, 0]
        assert set(first.states) == {order.pk for order in orders[:2]}

    def test_changes_nothing_when_repeated(self) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.allocated(make.account(), make.line(part, 2))
        before = (Message.objects.count(), AuditEntry.objects.count(), Reservation.objects.count())

        again = allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW)

        assert set(again.given.values()) == {0}
        after = (Message.objects.count(), AuditEntry.objects.count(), Reservation.objects.count())
        assert after == before
        assert Order.objects.get().state == "partly_allocated"

    def test_passes_over_what_is_not_released(self) -> None:
        order = make.created(make.account(), make.line(make.priced()))

        assert allocate_orders(order_ids=[order.pk], cause="test", now=make.NOW).states == {}

    def test_plans_an_order_that_leaves_complete_only_when_it_is(self) -> None:
        here, gone = make.priced(), make.priced()
        make.stocked(here, 5)
        order = make.allocated(
            make.account(), make.line(here, 5), make.line(gone, 1), ship_complete=True
        )
        assert (order.state, Shipment.objects.count()) == ("backordered", 0)

        make.stocked(gone, 1)
        allocate_waiting(
            entity_id=order.entity_id, product_ids=[gone.pk], cause="came in", now=make.NOW
        )

        assert Order.objects.get().state == "allocated"
        assert Shipment.objects.get().lines.count() == 2

    def test_serves_many_as_each_alone_but_in_few_statements(
        self, django_assert_max_num_queries
    ) -> None:
        on, parts = make.account(limit="10000000"), [make.priced() for _ in range(5)]
        for part in parts:
            make.stocked(part, 1000)
        ids = [make.submitted(on, *(make.line(p, 2) for p in parts)).pk for _ in range(40)]

        with django_assert_max_num_queries(30):
            found = allocate_orders(order_ids=ids, cause="test", now=make.NOW)

        assert set(found.states.values()) == {"allocated"}
        assert Reservation.objects.count() == 200


class TestAllocateWaiting:
    def test_fills_backorders_in_turn_and_says_so(self) -> None:
        part = make.priced()
        on = make.account()
        first = make.allocated(on, make.line(part, 3))
        second = make.allocated(on, make.line(part, 3))
        make.stocked(part, 4)

        allocate_waiting(
            entity_id=on.entity_id, product_ids=[part.pk], cause="came in", now=make.NOW
        )

        states = dict(Order.objects.values_list("pk", "state"))
        assert (states[first.pk], states[second.pk]) == ("allocated", "partly_allocated")
        assert told("line_covered") == 1
        assert told("line_fell_short") == 3  # two at first, and the second again with less

    def test_leaves_lines_of_other_products_alone(self) -> None:
        here, there = make.priced(), make.priced()
        order = make.allocated(make.account(), make.line(here), make.line(there))
        make.stocked(here, 1)
        make.stocked(there, 1)

        allocate_waiting(
            entity_id=order.entity_id, product_ids=[here.pk], cause="came in", now=make.NOW
        )

        assert [line.reserved for line in make.lines_of(order)] == [1, 0]

    def test_keeps_the_rest_of_an_undivided_order_at_its_node(self) -> None:
        part, far = make.priced(), make.node("DC-B")
        make.stocked(part, 2)
        order = make.allocated(
            make.account(), make.line(part, 2), make.line(part, 2), no_split=True
        )
        assert order.state in {"partly_allocated", "backordered"}
        make.stocked(part, 2, node=far)

        allocate_waiting(
            entity_id=order.entity_id, product_ids=[part.pk], cause="came in", now=make.NOW
        )

        nodes = Reservation.objects.filter(closed_at=None).values_list("stock__node", flat=True)
        assert len(set(nodes)) <= 1

    def test_leaves_other_entities_alone(self) -> None:
        part = make.priced()
        order = make.allocated(make.account(), make.line(part))
        other = make.company("US02")
        make.stocked(part, 5, entity=other)

        allocate_waiting(entity_id=other.pk, product_ids=[part.pk], cause="x", now=make.NOW)

        assert Order.objects.get(pk=order.pk).state == "backordered"


class TestHandlers:
    def test_release_leads_to_allocation_and_receipt_fills_the_rest(self, deliver_all) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.submitted(make.account(), make.line(part, 2))

        deliver_all()
        assert Order.objects.get(pk=order.pk).state == "partly_allocated"

        make.stocked(part, 5)
        deliver_all()

        order = Order.objects.get(pk=order.pk)
        assert order.state == "allocated"
        assert sum(line.reserved for line in make.lines_of(order)) == Decimal(2)

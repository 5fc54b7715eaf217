"""inventory/services/sourcing/_asking.py and _ending.py, as handlers call them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from inventory.models import Inbound, Sourcing, Transfer
from inventory.services.sourcing import ask_transfer
from inventory.services.transferring import cancel_transfer
from orders.models import OrderLine
from orders.services import allocate_orders, cancel_order
from procurement.models import PurchaseOrder
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make

pytestmark = pytest.mark.django_db

Deliver = Callable[[], int]


def by_itself(limit: str = "0") -> None:
    scenes.says([{"when": [], "then": scenes.act("automatic", limit)}])


def of_a_sister() -> OrderLine:
    part = make.priced("10")
    other, there = scenes.sister()
    make.stocked(part, 30, node=there, entity=other, unit_value="4")
    scenes.lane(there, make.node(), days=3)
    return scenes.short(part)


def from_another_node() -> OrderLine:
    part = make.priced("10")
    make.stocked(part, 10, node=make.node("DC-B"))
    scenes.lane(make.node("DC-B"), make.node(), days=1)
    on = make.account()
    scenes.only_from(on, "DC-A")
    return make.lines_of(make.allocated(on, make.line(part, 10)))[0]


def again(line: OrderLine) -> OrderLine:
    allocate_orders(order_ids=[line.order_id], cause="test", now=make.NOW)
    return OrderLine.objects.get(pk=line.pk)


class TestPropose:
    def test_asks_for_nothing_by_itself(self, deliver_all: Deliver) -> None:
        of_a_sister()

        deliver_all()

        assert Sourcing.objects.get().state == "proposed"
        assert not Transfer.objects.exists()


class TestTransfer:
    def test_is_asked_for_once_and_the_promise_follows(self, deliver_all: Deliver) -> None:
        by_itself()

        line = from_another_node()
        deliver_all()

        transfer, sourcing = Transfer.objects.get(), Sourcing.objects.get()
        assert (transfer.state, transfer.reason) == (
            "approved", f"For {line.order.number}, which is short.",
        )  # fmt: skip
        assert (sourcing.state, sourcing.document_label) == ("asked", transfer.number)
        # there on Wednesday the 25th, leaves on the 26th, two days away
        assert transfer.expected_date == date(2026, 11, 25)
        assert Inbound.objects.get().source_label == transfer.number
        promised = OrderLine.objects.get(pk=line.pk).promised_date
        assert promised == sourcing.arrives_on == date(2026, 11, 28)

    def test_is_not_asked_for_again_while_it_is_on_its_way(self, deliver_all: Deliver) -> None:
        by_itself()
        line = from_another_node()
        deliver_all()

        again(line)
        deliver_all()

        assert (Transfer.objects.count(), Sourcing.objects.count()) == (1, 1)
        (kept, *_rest) = scenes.receipt(line).candidates
        assert (kept["document"], kept["taken"]) == (Transfer.objects.get().number, "10")

    def test_is_asked_for_once_however_often_it_is_told(self, deliver_all: Deliver) -> None:
        by_itself()
        from_another_node()
        deliver_all()

        assert ask_transfer(sourcing_id=Sourcing.objects.get().pk, now=make.NOW) is None
        assert Transfer.objects.count() == 1

    def test_is_only_proposed_again_once_somebody_called_it_off(self, deliver_all: Deliver) -> None:
        by_itself()
        line = from_another_node()
        deliver_all()
        transfer = Transfer.objects.get()
        cancel_transfer(transfer_id=transfer.pk, reason="No truck", actor=None, now=make.NOW)
        deliver_all()

        again(line)
        deliver_all()

        states = list(Sourcing.objects.order_by("pk").values_list("state", flat=True))
        assert (states, Transfer.objects.count()) == (["withdrawn", "proposed"], 1)

    def test_is_called_off_with_the_order(self, deliver_all: Deliver) -> None:
        by_itself()
        line = from_another_node()
        deliver_all()

        cancel_order(order_id=line.order_id, actor=None, reason="Changed mind", now=make.NOW)
        deliver_all()

        assert Transfer.objects.get().state == "cancelled"
        assert Sourcing.objects.get().state == "withdrawn"
        assert not Inbound.objects.exists()


class TestAffiliate:
    def test_waits_for_who_has_to_agree_and_is_promised_by_then(self, deliver_all: Deliver) -> None:
        by_itself()

        line = of_a_sister()
        deliver_all()

        transfer, sourcing = Transfer.objects.get(), Sourcing.objects.get()
        assert (transfer.state, transfer.is_sale) == ("requested", True)
        assert (transfer.entity.code, transfer.to_entity.code) == ("US02", "US01")
        assert (sourcing.state, sourcing.document_id) == ("asked", transfer.pk)
        assert not Inbound.objects.exists()
        line = OrderLine.objects.get(pk=line.pk)
        assert line.promised_date == date(2026, 12, 2)
        assert line.promise_basis is not None
        assert line.promise_basis["supplies"][0]["label"] == transfer.number

    def test_is_proposed_where_it_is_worth_more_than_the_limit(self, deliver_all: Deliver) -> None:
        by_itself("41.99")

        of_a_sister()
        deliver_all()

        assert Sourcing.objects.get().state == "proposed"
        assert Sourcing.objects.get().value == Decimal("42.00")
        assert not Transfer.objects.exists()

    def test_goes_by_itself_up_to_the_limit(self, deliver_all: Deliver) -> None:
        by_itself("42.00")

        of_a_sister()
        deliver_all()

        assert Sourcing.objects.get().state == "asked"


class TestBuy:
    def test_orders_whole_packs_and_submits_them(self, deliver_all: Deliver) -> None:
        by_itself()
        part = make.priced("10")
        scenes.offered(part, "6", days=10, moq=Decimal(8), multiple=Decimal(4))

        line = scenes.short(part)
        deliver_all()

        order, sourcing = PurchaseOrder.objects.get(), Sourcing.objects.get()
        assert order.lines.get().quantity == sourcing.buys == 12
        assert sourcing.quantity == 10
        assert sourcing.state == "asked"
        assert sourcing.document_label == order.number
        assert OrderLine.objects.get(pk=line.pk).promised_date == date(2026, 12, 6)

    def test_is_not_bought_again(self, deliver_all: Deliver) -> None:
        by_itself()
        part = make.priced("10")
        scenes.offered(part)
        line = scenes.short(part)
        deliver_all()

        again(line)
        deliver_all()

        assert (PurchaseOrder.objects.count(), Sourcing.objects.count()) == (1, 1)

    def test_is_left_to_a_person_where_it_is_refused(self, deliver_all: Deliver) -> None:
        by_itself()
        part = make.priced("10")
        supplier = scenes.offered(part)
        scenes.short(part)
        supplier.is_blocked = True
        supplier.save()

        deliver_all()

        sourcing = Sourcing.objects.get()
        assert (sourcing.state, sourcing.why) == ("proposed", "supplier: This supplier is blocked.")
        assert not PurchaseOrder.objects.exists()


class TestDropShip:
    def test_is_ordered_by_itself_with_the_address_of_the_customer(
        self, deliver_all: Deliver
    ) -> None:
        by_itself()
        part = make.priced("10")
        scenes.offered(part, drop_ships=True)

        line = scenes.short(part)
        deliver_all()

        order, sourcing = PurchaseOrder.objects.get(), Sourcing.objects.get()
        assert (sourcing.mode, sourcing.state) == ("drop_ship", "asked")
        assert (order.for_kind, order.for_id) == ("orders.order", line.order_id)
        assert order.for_label == line.order.number
        assert order.ship_to is not None
        assert order.ship_to["city"] == line.order.ship_to["city"]
        assert (order.node.is_direct, order.node.is_active) == (True, False)
        bought = order.lines.get()
        assert (bought.demand_kind, bought.demand_id) == ("orders.line", line.pk)
        assert bought.quantity == 10
        assert not Inbound.objects.exists()
        assert OrderLine.objects.get(pk=line.pk).direct == 0  # the supplier is not told yet

    def test_is_left_to_a_person_where_the_supplier_sells_more_than_is_waited_for(
        self, deliver_all: Deliver
    ) -> None:
        by_itself()
        part = make.priced("10")
        scenes.offered(part, drop_ships=True, moq=Decimal(12))
        scenes.short(part)

        deliver_all()

        sourcing = Sourcing.objects.get()
        assert (sourcing.mode, sourcing.state) == ("drop_ship", "proposed")
        assert sourcing.why == (
            "The supplier sells 12 at least: what is more than 10 would lie nowhere."
        )
        assert not PurchaseOrder.objects.exists()

"""procurement/services/dropping/: bought for one line, and kept for it once the supplier knows."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from erp.kernel.sql import run
from exceptions.models import ExceptionCase
from exceptions.selectors import plays_of
from exceptions.services import refresh
from finance.services import adjust_stock, confirm_direct_shipment
from inventory.models import Inbound, Sourcing
from orders.services import (
    Amendment,
    LineCancel,
    allocate_orders,
    amend_order,
    cancel_lines,
    cancel_order,
)
from orders.services.dropping import SentBySupplier
from procurement.models import PurchaseOrder
from procurement.services import (
    BadOrder,
    NotDraft,
    PurchaseLine,
    close_order,
    reduce_order,
    reschedule_order,
    send_order,
    write_order,
)
from procurement.services import (
    cancel_order as call_off,
)
from procurement.services.dropping import CannotDropShip, NotWaitedFor, drop_ship
from tests.finance import drops, factories
from tests.finance.drops import line_of
from tests.finance.factories import NOW, World, adjustment, product
from tests.procurement.factories import make_person

pytestmark = pytest.mark.django_db

Deliver = Callable[[], int]


@pytest.fixture
def world() -> World:
    return factories.world()


def comes_in(world: World, part: object, quantity: str) -> None:
    adjust_stock(
        adjustments=[adjustment(world, part, quantity, "4")],  # type: ignore[arg-type]
        kind="adjustment",
        actor=None,
        now=NOW,
    )


class TestDropShip:
    def test_is_written_once(self, world: World) -> None:
        line = drops.proposed(world)
        drops.written(line)

        with pytest.raises(CannotDropShip, match="not proposed any more"), transaction.atomic():
            drop_ship(sourcing_id=Sourcing.objects.get().pk, actor=None, now=NOW)

        assert PurchaseOrder.objects.count() == 1

    def test_is_refused_where_the_order_leaves_complete(self, world: World) -> None:
        line = drops.proposed(world)
        run("UPDATE orders_order SET ship_complete = true WHERE id = %s", [line.order_id])

        with pytest.raises(CannotDropShip, match="leave complete"), transaction.atomic():
            drops.written(line)

        assert not PurchaseOrder.objects.exists()

    def test_is_not_rewritten_nor_written_by_hand(self, world: World) -> None:
        order = drops.written(drops.proposed(world))
        line = order.lines.get()
        given = {
            "entity_id": order.entity_id, "supplier_id": order.supplier_id,
            "node_id": order.node_id, "lines": [PurchaseLine(line.product_id, Decimal(1))],
            "actor": None, "now": NOW,
        }  # fmt: skip

        with pytest.raises(BadOrder, match="There is no such node"), transaction.atomic():
            write_order(**given)
        with pytest.raises((NotDraft, BadOrder)), transaction.atomic():
            write_order(**given, order_id=order.pk)

    def test_the_database_keeps_the_two_kinds_of_purchase_apart(self, world: World) -> None:
        order = drops.written(drops.proposed(world))
        nowhere = "UPDATE procurement_purchaseorder SET ship_to = NULL WHERE id = %s"
        for_none = (
            "UPDATE procurement_purchaseorder SET ship_to = NULL, for_id = NULL, for_kind = ''"
            " WHERE id = %s"
        )
        for_nobody = (
            "UPDATE procurement_purchaseorderline SET demand_id = NULL, demand_kind = ''"
            " WHERE order_id = %s"
        )

        for statement in (nowhere, for_none, for_nobody):
            with pytest.raises(IntegrityError), transaction.atomic():
                run(statement, [order.pk])


class TestSend:
    def test_keeps_it_for_the_line_so_that_stock_goes_to_others(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world)
        drops.sent(line)

        comes_in(world, line.product, "10")
        deliver_all()
        allocate_orders(order_ids=[line.order_id], cause="test", now=NOW)

        kept = line_of(line)
        assert (kept.direct, kept.reserved, kept.waiting) == (10, 0, 10)
        assert drops.order_of(line).state == "backordered"
        assert not Inbound.objects.exists()
        deliver_all()
        assert drops.broken() == {}

    def test_promises_the_line_by_the_supplier_and_follows_its_day(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world)
        order = drops.sent(line)
        first = line_of(line).promised_date
        assert first is not None
        bought = order.lines.get()

        later = bought.expected_date + timedelta(days=5)
        reschedule_order(order_id=order.pk, dates={bought.pk: later}, actor=None, now=NOW)

        kept = line_of(line)
        assert kept.promised_date == first + timedelta(days=5)
        assert kept.promise_basis is not None
        assert kept.promise_basis["supplies"][0]["label"] == f"Acme · {order.number}"
        deliver_all()
        assert line_of(line).promised_date == first + timedelta(days=5)

    def test_is_refused_where_the_line_does_not_wait_any_more(self, world: World) -> None:
        line = drops.proposed(world)
        order = drops.written(line)
        comes_in(world, line.product, "4")
        allocate_orders(order_ids=[line.order_id], cause="test", now=NOW)

        with pytest.raises(NotWaitedFor, match="waits for 6"), transaction.atomic():
            send_order(order_id=order.pk, actor=None, now=NOW)

        assert PurchaseOrder.objects.get().state == "approved"
        assert line_of(line).direct == 0

    def test_sent_again_holds_no_more(self, world: World) -> None:
        line = drops.proposed(world)
        order = drops.sent(line)

        send_order(order_id=order.pk, actor=None, now=NOW)

        assert line_of(line).direct == 10


class TestAfterTheSupplierWasTold:
    def test_the_line_is_neither_cancelled_nor_changed_nor_sent_elsewhere(
        self, world: World
    ) -> None:
        line = drops.proposed(world)
        drops.sent(line)
        less = [LineCancel(line.pk, Decimal(1))]
        elsewhere = Amendment(ship_to={"city": "Reno", "country": "US"})

        with pytest.raises(SentBySupplier), transaction.atomic():
            cancel_order(order_id=line.order_id, actor=None, reason="No", now=NOW)
        with pytest.raises(SentBySupplier), transaction.atomic():
            cancel_lines(order_id=line.order_id, lines=less, actor=None, reason="No", now=NOW)
        with pytest.raises(Exception, match="straight to the customer"), transaction.atomic():
            amend_order(order_id=line.order_id, amendment=elsewhere, actor=None, now=NOW)

        kept = line_of(line)
        assert (kept.cancelled, kept.direct) == (0, 10)

    def test_calling_the_purchase_off_lets_stock_serve_the_line(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world)
        order = drops.sent(line)
        comes_in(world, line.product, "10")
        deliver_all()

        call_off(order_id=order.pk, actor=None, reason="They cannot", now=NOW)
        deliver_all()

        kept = line_of(line)
        assert (kept.direct, kept.reserved) == (0, 10)
        assert Sourcing.objects.get(document_id=order.pk).state == "withdrawn"
        assert drops.broken() == {}

    def test_what_is_taken_off_or_not_sent_waits_for_stock_again(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world)
        order = drops.sent(line)
        bought = order.lines.get()

        reduce_order(
            order_id=order.pk, quantities={bought.pk: Decimal(3)}, actor=None, reason="", now=NOW
        )
        assert line_of(line).direct == 7

        confirm_direct_shipment(
            order_id=order.pk, lines=[(bought.pk, Decimal(2))], actor=None, now=NOW
        )
        close_order(order_id=order.pk, actor=None, now=NOW, reason="No more")
        deliver_all()

        kept = line_of(line)
        assert (kept.direct, kept.shipped, kept.waiting) == (0, 2, 8)
        assert drops.broken() == {}

    def test_the_database_keeps_no_stock_for_what_the_supplier_sends(self, world: World) -> None:
        line = drops.proposed(world)
        drops.sent(line)

        with pytest.raises(IntegrityError, match="direct"), transaction.atomic():
            run("UPDATE orders_orderline SET reserved = 1 WHERE id = %s", [line.pk])

    def test_a_released_order_that_wants_no_stock_goes_on(self, world: World) -> None:
        line = drops.proposed(world)
        drops.sent(line)
        run("UPDATE orders_order SET state = 'released' WHERE id = %s", [line.order_id])

        allocate_orders(order_ids=None, cause="test", now=NOW)

        assert drops.order_of(line).state == "backordered"


def test_of_other_goods_of_the_order_nothing_changes(world: World, deliver_all: Deliver) -> None:
    part, other = product(world, on_hand="0"), product(world, on_hand="5")
    drops.offered(world, part)
    drops.says(world)
    order = factories.allocated(world, (part, "10", "10"), (other, "5", "3"))
    line = order.lines.get(product=part)
    drops.sent(line)

    confirm_direct_shipment(
        order_id=PurchaseOrder.objects.get().pk,
        lines=[(PurchaseOrder.objects.get().lines.get().pk, Decimal(10))],
        actor=None,
        now=NOW,
    )
    deliver_all()

    rest = order.lines.get(product=other)
    assert (rest.reserved, rest.shipped) == (5, 0)
    assert drops.order_of(line).state == "partly_shipped"
    assert drops.broken() == {}


def test_being_late_is_the_case_of_a_late_supplier_with_its_order_behind_it(
    world: World, deliver_all: Deliver
) -> None:
    line = drops.proposed(world)
    order = drops.sent(line)
    other = factories.allocated(world, (line.product, "5", "10"))
    deliver_all()
    late = NOW + timedelta(days=30)

    refresh(type="procurement.late_supply", subject_ids=[order.pk], now=late)

    case = ExceptionCase.objects.get(type="procurement.late_supply", subject_id=order.pk)
    # not the one that waits for stock of the same product
    assert "1 orders wait behind it" in case.summary
    assert other.state == "backordered"
    buyer = make_person("late", world.entity, "procurement.write_purchase_order")
    keys = {play.key for play in plays_of(case, user=buyer, now=late)}
    assert keys <= {"accept_late", "close_rest"}
    assert "accept_late" in keys

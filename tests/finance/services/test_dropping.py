"""Tests finance/services/_dropping.py."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from erp.kernel.sql import rows, run
from finance.models import Invoice
from finance.services import (
    LotOnGoods,
    NotSentStraight,
    SentDirectly,
    SentStraight,
    adjust_stock,
    confirm_direct_shipment,
    post_late_costs,
    receive_purchase_order,
)
from inventory.models import ProductCost, Shipment, Sourcing, Stock
from inventory.services.costing import LateCostDraft
from orders.services import cancel_order
from orders.services.dropping import SentBySupplier
from procurement.models import PurchaseOrder
from procurement.services import BadReceipt, NotIncoming
from tests.finance import drops
from tests.finance.factories import NOW, World, adjustment, balance, entry, product
from tests.finance.purchases import sent_order

Deliver = Callable[[], int]


def confirm(order: PurchaseOrder, quantity: str, **values: object) -> SentDirectly:
    line = order.lines.get()
    return confirm_direct_shipment(
        order_id=order.pk, lines=[(line.pk, Decimal(quantity))], actor=None, now=NOW, **values
    )  # type: ignore[arg-type]


class TestConfirmDirectShipment:
    def test_receives_and_ships_in_one_commit_and_all_promises_hold(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world, "10", price="9.99")
        order = drops.sent(line)

        done = confirm(order, "10", tracking="1Z999")

        kept = drops.line_of(line)
        assert (kept.shipped, kept.reserved, kept.direct, kept.waiting) == (10, 0, 0, 0)
        assert drops.order_of(line).state == "shipped"
        assert PurchaseOrder.objects.get(pk=order.pk).state == "received"
        shipment = Shipment.objects.get(pk=done.shipment_id)
        assert (shipment.state, shipment.tracking_number) == ("shipped", "1Z999")
        assert (shipment.carrier_id, shipment.cartons, shipment.freight_cost) == (None, 0, 0)
        assert drops.moves(line.product) == [
            ("receipt", "DROP-US01", Decimal(10), Decimal(60)),
            ("shipment", "DROP-US01", Decimal(-10), Decimal(-60)),
        ]
        assert entry("inventory.shipment", shipment.pk) == {
            "cost": Decimal(60), "inventory": Decimal(-60),
            "unbilled": Decimal("99.90"), "revenue": Decimal("-99.90"),
        }  # fmt: skip
        assert balance(world, "inventory") == 0
        assert balance(world, "received") == Decimal(-60)
        deliver_all()
        assert drops.broken() == {}
        assert Invoice.objects.get(order=line.order_id).net == Decimal("99.90")
        assert Sourcing.objects.get().state == "fulfilled"

    def test_costs_what_was_paid_for_it_and_leaves_the_cost_of_the_shelf(
        self, world: World
    ) -> None:
        part = product(world, on_hand="4", unit_value="2")
        line = drops.proposed(world, "10", part=part)
        order = drops.sent(line)

        done = confirm(order, "6")

        cost = ProductCost.objects.get(product=part)
        assert (done.cost, cost.quantity, cost.value) == (Decimal(36), 4, Decimal(8))
        assert drops.broken() == {}

    def test_takes_partial_notices_each_a_shipment_of_its_own(
        self, world: World, deliver_all: Deliver
    ) -> None:
        line = drops.proposed(world, "10")
        order = drops.sent(line)

        first = confirm(order, "4")

        kept = drops.line_of(line)
        assert (kept.shipped, kept.direct, kept.waiting) == (4, 6, 6)
        assert drops.order_of(line).state == "partly_shipped"
        assert (first.state, first.cost) == ("partly_received", Decimal(24))
        deliver_all()
        assert drops.broken() == {}
        assert drops.line_of(line).direct == 6

        second = confirm(PurchaseOrder.objects.get(pk=order.pk), "6")

        assert (second.state, drops.order_of(line).state) == ("received", "shipped")
        assert Shipment.objects.count() == 2
        deliver_all()
        assert drops.broken() == {}

    def test_refuses_more_than_was_ordered_and_leaves_nothing_behind(self, world: World) -> None:
        line = drops.proposed(world, "10")
        order = drops.sent(line)

        with pytest.raises(BadReceipt), transaction.atomic():
            confirm(order, "10.001")

        assert drops.line_of(line).direct == 10
        assert not Shipment.objects.exists()
        assert drops.moves(line.product) == []

    def test_is_refused_a_second_time(self, world: World) -> None:
        order = drops.sent(drops.proposed(world, "10"))
        confirm(order, "10")

        with pytest.raises(NotIncoming), transaction.atomic():
            confirm(order, "10")

        assert Shipment.objects.count() == 1

    def test_refuses_what_comes_to_us_and_receiving_refuses_what_does_not(
        self, world: World
    ) -> None:
        ours = sent_order(world, (product(world, on_hand="0"), "10", "2"))
        theirs = drops.sent(drops.proposed(world, "10"))

        with pytest.raises(NotSentStraight), transaction.atomic():
            confirm(ours, "10")
        with pytest.raises(SentStraight), transaction.atomic():
            receive_purchase_order(
                order_id=theirs.pk,
                lines=[(theirs.lines.get().pk, Decimal(10))],
                actor=None,
                now=NOW,
            )

        assert not Shipment.objects.exists()

    def test_nothing_can_lie_where_it_passes_through(self, world: World) -> None:
        line = drops.proposed(world, "10")
        confirm(drops.sent(line), "10")
        shelf = Stock.objects.get(product=line.product, is_direct=True)

        with pytest.raises(IntegrityError, match="lies nowhere"), transaction.atomic():
            run("UPDATE inventory_stock SET on_hand = 1 WHERE id = %s", [shelf.pk])
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_the_order_cannot_be_cancelled_once_the_supplier_was_told(self, world: World) -> None:
        line = drops.proposed(world, "10")
        drops.sent(line)

        with pytest.raises(SentBySupplier), transaction.atomic():
            cancel_order(order_id=line.order_id, actor=None, reason="No", now=NOW)

        assert drops.line_of(line).cancelled == 0


class TestTracking:
    def test_goods_kept_by_lot_pass_in_the_lot_that_is_named(self, world: World) -> None:
        part = product(world, on_hand="0")
        run("UPDATE inventory_product SET tracking = 'lot' WHERE id = %s", [part.pk])
        order = drops.sent(drops.proposed(world, "10", part=part))
        line_id = order.lines.get().pk

        confirm(order, "10", lots={line_id: LotOnGoods(code="L-7")})

        assert Stock.objects.get(product=part).lot.code == "L-7"  # type: ignore[union-attr]
        assert drops.broken() == {}

    def test_pieces_with_numbers_are_those_that_were_named(self, world: World) -> None:
        part = product(world, on_hand="0")
        run("UPDATE inventory_product SET tracking = 'serial' WHERE id = %s", [part.pk])
        order = drops.sent(drops.proposed(world, "2", part=part))
        line_id = order.lines.get().pk

        confirm(order, "2", serials={line_id: ["S-1", "S-2"]})

        where = "SELECT number FROM inventory_serial WHERE stock_id IS NULL ORDER BY number"
        assert [row[0] for row in rows(where)] == ["S-1", "S-2"]
        assert drops.broken() == {}

    def test_first_in_first_out_it_takes_its_own_layer(self, world: World) -> None:
        part = product(world, on_hand="0")
        run(
            "INSERT INTO inventory_productcost (entity_id, product_id, method, quantity, value)"
            " VALUES (%s, %s, 'fifo', 0, 0)",
            [world.entity.pk, part.pk],
        )
        line = drops.proposed(world, "10", part=part)
        order = drops.sent(line)
        adjust_stock(
            adjustments=[adjustment(world, part, "4", "2")], kind="adjustment", actor=None, now=NOW
        )

        done = confirm(order, "10")

        assert done.cost == Decimal(60)
        left = "SELECT quantity_left, value_left FROM inventory_costlayer ORDER BY id"
        assert rows(left) == [(Decimal(4), Decimal(8)), (Decimal(0), Decimal(0))]
        assert drops.broken() == {}

    def test_a_late_cost_of_it_is_all_cost_of_goods(self, world: World) -> None:
        part = product(world, on_hand="20", unit_value="2")
        order = drops.sent(drops.proposed(world, "30", part=part))
        confirm(order, "10")
        (line,) = rows("SELECT id FROM inventory_receiptline WHERE product_id = %s", [part.pk])
        draft = LateCostDraft(
            receipt_line_id=line[0], amount=Decimal("5.00"), reason="Freight", reference="B-1",
        )  # fmt: skip

        post_late_costs(drafts=[draft], actor=None, now=NOW)

        assert ProductCost.objects.get(product=part).value == Decimal(40)
        assert balance(world, "cost") == Decimal(65)
        assert drops.broken() == {}

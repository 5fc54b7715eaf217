"""Tests finance/services/_receiving.py and _adjusting.py."""

from decimal import Decimal

import pytest
from django.db import transaction

from erp.kernel.sql import rows
from finance.models import JournalEntry
from finance.services import (
    ForeignCurrency,
    PeriodClosed,
    adjust_stock,
    receive_purchase_order,
)
from inventory.models import ProductCost
from inventory.services import NotThatMuch
from orders.models import Order
from procurement.models import PurchaseOrder
from procurement.services import BadReceipt
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    World,
    adjustment,
    allocated,
    balance,
    close_month,
    drift,
    entry,
    product,
)
from tests.finance.purchases import sent_order


def receive(order: PurchaseOrder, *quantities: str) -> object:
    lines = order.lines.order_by("position").values_list("pk", flat=True)
    came = [(pk, Decimal(q)) for pk, q in zip(lines, quantities, strict=False)]
    return receive_purchase_order(order_id=order.pk, lines=came, actor=None, now=NOW)


class TestReceivePurchaseOrder:
    def test_posts_inventory_against_what_is_not_billed(self, world: World) -> None:
        goods = product(world, on_hand="0")
        order = sent_order(world, (goods, "10", "2.345"))

        done = receive(order, "10")

        assert entry("inventory.receipt", done.receipt_id) == {  # type: ignore[attr-defined]
            "inventory": Decimal("23.45"),
            "received": Decimal("-23.45"),
        }
        assert PurchaseOrder.objects.get(pk=order.pk).state == "received"
        assert ProductCost.objects.get(product=goods).value == Decimal("23.45")
        assert drift() == {}

    def test_values_parts_so_that_they_make_the_whole(self, world: World) -> None:
        order = sent_order(world, (product(world, on_hand="0"), "3", "0.335"))

        for _ in range(3):
            receive(order, "1")

        assert balance(world, "received") == Decimal("-1.01")
        assert JournalEntry.objects.filter(kind="receipt").count() == 3
        assert drift() == {}

    def test_lets_what_waits_for_it_be_served(self, world: World, deliver_all: object) -> None:
        goods = product(world, on_hand="0")
        order = allocated(world, (goods, "4", "9.99"))
        assert order.state == "backordered"

        receive(sent_order(world, (goods, "10", "2.00")), "10")
        deliver_all()  # type: ignore[operator]

        assert Order.objects.get(pk=order.pk).state == "allocated"

    def test_refuses_more_than_is_due_and_leaves_nothing_behind(self, world: World) -> None:
        order = sent_order(world, (product(world, on_hand="0"), "10", "2"))

        with pytest.raises(BadReceipt), transaction.atomic():
            receive(order, "11")

        assert rows("SELECT count(*) FROM inventory_receipt") == [(0,)]
        assert balance(world, "received") == 0

    def test_refuses_a_closed_month(self, world: World) -> None:
        order = sent_order(world, (product(world, on_hand="0"), "10", "2"))
        close_month("2026-11-01")

        with pytest.raises(PeriodClosed), transaction.atomic():
            receive(order, "10")

        assert PurchaseOrder.objects.get(pk=order.pk).state == "sent"
        assert rows("SELECT count(*) FROM inventory_receipt") == [(0,)]

    def test_refuses_a_currency_without_a_rate(self, world: World) -> None:
        order = sent_order(world, (product(world, on_hand="0"), "10", "2"))
        PurchaseOrder.objects.filter(pk=order.pk).update(currency="EUR")

        with pytest.raises(ForeignCurrency), transaction.atomic():
            receive(order, "10")

        assert PurchaseOrder.objects.get(pk=order.pk).state == "sent"


class TestAdjustStock:
    def test_posts_what_was_found_and_lost_apart(self, world: World) -> None:
        one, two = product(world, unit_value="2"), product(world, unit_value="3")

        done = adjust_stock(
            adjustments=[adjustment(world, one, "-10"), adjustment(world, two, "5", "4")],
            kind="adjustment",
            actor=None,
            now=NOW,
        )

        posted = JournalEntry.objects.get(kind="adjustment")
        sides = posted.lines.values_list("account__purpose", "debit", "credit").order_by("pk")
        assert list(sides) == [
            ("inventory", Decimal(20), Decimal(0)),
            ("variance", Decimal(0), Decimal(20)),
            ("variance", Decimal(20), Decimal(0)),
            ("inventory", Decimal(0), Decimal(20)),
        ]
        assert {each.value for each in done} == {Decimal(-20), Decimal(20)}
        assert drift() == {}

    def test_takes_in_opening_balances_of_several_entities(self, world: World) -> None:
        other = factories.world("DE01", "EUR")
        goods = product(world, on_hand="0")

        adjust_stock(
            adjustments=[
                adjustment(world, goods, "10", "1.005"), adjustment(other, goods, "3", "2"),
            ],
            kind="opening",
            actor=None,
            now=NOW,
        )  # fmt: skip

        assert balance(world, "opening") == Decimal("-10.05")
        assert balance(other, "opening") == Decimal(-6)
        assert drift() == {}

    def test_refuses_to_lose_what_is_not_there(self, world: World) -> None:
        goods = product(world, on_hand="1")

        with pytest.raises(NotThatMuch), transaction.atomic():
            adjust_stock(
                adjustments=[adjustment(world, goods, "-2")],
                kind="adjustment",
                actor=None,
                now=NOW,
            )

        assert not JournalEntry.objects.filter(kind="adjustment").exists()
        assert drift() == {}

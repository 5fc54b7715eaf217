"""Tests finance/services/_shipping.py."""

from decimal import Decimal

import pytest

from erp.kernel.sql import run
from finance.models import Invoice, JournalEntry
from finance.rules import cents_of, rounded
from finance.services import (
    BooksNotOpen,
    ForeignCurrency,
    adjust_stock,
    invoice_shipments,
    ship_shipments,
)
from orders.models import CreditAccount, Order
from orders.services import allocate_waiting
from tests.finance.factories import (
    NOW,
    World,
    adjustment,
    allocated,
    balance,
    drift,
    entry,
    pack,
    packed,
    product,
    shipments_of,
)


class TestShipShipments:
    def test_posts_cost_and_accrual_in_one_entry(self, world: World) -> None:
        goods = product(world, unit_value="2.50")
        order, shipments = packed(world, (goods, "4", "9.99"))

        done = ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        assert [(each.amount, each.cost, each.currency) for each in done] == [
            (Decimal("39.96"), Decimal("10.00"), "USD")
        ]
        assert entry("inventory.shipment", shipments[0]) == {
            "cost": Decimal("10.00"),
            "inventory": Decimal("-10.00"),
            "unbilled": Decimal("39.96"),
            "revenue": Decimal("-39.96"),
        }
        assert Order.objects.get(pk=order.pk).state == "shipped"

    def test_drafts_the_invoice_with_the_cents_it_accrued(self, world: World) -> None:
        goods = product(world)
        _, shipments = packed(world, (goods, "3", "0.3333"), (product(world), "1", "0.005"))

        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        draft = Invoice.objects.get(shipment_id=shipments[0])
        assert (draft.state, draft.number, draft.net) == ("draft", None, Decimal("1.00"))
        assert sum(line.amount for line in draft.lines.all()) == draft.net
        account = CreditAccount.objects.get(pk=world.account_id)
        assert (account.unbilled, account.committed) == (Decimal("1.00"), Decimal(0))

    def test_ships_once(self, world: World) -> None:
        _, shipments = packed(world, (product(world), "4", "9.99"))
        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        again = ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        assert again == []
        assert JournalEntry.objects.filter(kind="shipment").count() == 1
        assert drift() == {}

    def test_ships_many_at_once(self, world: World) -> None:
        goods = [product(world, unit_value="0.333") for _ in range(3)]
        shipments = [
            packed(world, *[(each, str(n + 1), "1.115") for each in goods])[1][0] for n in range(8)
        ]

        done = ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        assert len(done) == 8
        assert balance(world, "unbilled") == sum(each.amount for each in done)
        assert drift() == {}

    def test_all_parts_of_an_order_make_its_rounded_subtotal(self, world: World) -> None:
        goods = product(world, on_hand="1")
        order = allocated(world, (goods, "3", "0.335"))
        for _ in range(3):
            ship_shipments(shipment_ids=pack(shipments_of(order)), actor=None, now=NOW)
            adjust_stock(
                adjustments=[adjustment(world, goods, "1")], kind="adjustment", actor=None, now=NOW
            )
            allocate_waiting(
                entity_id=world.entity.pk, product_ids={goods.pk}, cause="test", now=NOW
            )

        nets = list(Invoice.objects.order_by("id").values_list("net", flat=True))
        assert len(nets) == 3
        assert sum(nets) == Decimal("1.01")  # 1.005 rounded once
        assert drift() == {}

    def test_cuts_cents_as_the_rule_in_python_does(self, world: World) -> None:
        prices = ["0.3333", "0.005", "1.115", "0.0049", "2.675", "0.1", "0.0001", "9.9999"]
        order, shipments = packed(
            world, *[(product(world), str(place + 1), price) for place, price in enumerate(prices)]
        )

        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        lines = Invoice.objects.get().lines.order_by("order_line__position")
        exact = order.lines.order_by("position").values_list("amount", flat=True)
        assert [line.amount for line in lines] == cents_of(exact)
        assert Invoice.objects.get().net == rounded(sum(exact))

    def test_gives_nothing_away_of_an_order_of_nothing(self, world: World) -> None:
        free = product(world, unit_value="0")
        order, shipments = packed(world, (free, "2", "0"))

        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)
        invoice_shipments(shipment_ids=shipments, now=NOW)

        assert Invoice.objects.get(order=order).state == "paid"
        assert Order.objects.get(pk=order.pk).state == "closed"
        assert drift() == {}

    def test_refuses_a_currency_without_a_rate(self, world: World) -> None:
        order, shipments = packed(world, (product(world), "1", "5"))
        Order.objects.filter(pk=order.pk).update(currency="EUR")

        with pytest.raises(ForeignCurrency, match=r"is in EUR, the books are in USD"):
            ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        assert shipments_of(order, "packed") == shipments
        assert not JournalEntry.objects.filter(kind="shipment").exists()

    def test_refuses_without_books(self, world: World) -> None:
        order, shipments = packed(world, (product(world), "1", "5"))
        run("UPDATE finance_account SET purpose = 'x' || purpose")

        with pytest.raises(BooksNotOpen):
            ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        assert shipments_of(order, "packed") == shipments

"""Tests finance/services/_transferring.py: what leaves, what comes, and both companies' books."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.invariants import by_code, check
from erp.outbox.models import Message
from finance.models import GroupSale, JournalEntry
from finance.selectors import INVARIANTS as MONEY
from finance.services import (
    NoRate,
    PeriodClosed,
    RateRow,
    ReceivedTransfer,
    adjust_stock,
    receive_transfer,
    save_rates,
    ship_transfers,
)
from inventory.models import Inbound, ProductCost, Stock, StockMove, Transfer
from inventory.rules import sold_at
from inventory.selectors import INVARIANTS as GOODS
from inventory.services.transferring import BadTransferReceipt, Came
from orders.models import Order
from tests.finance import factories
from tests.finance.factories import (
    NOW,
    TODAY,
    World,
    adjustment,
    allocated,
    balance,
    close_month,
    product,
)
from tests.finance.transfers import came, on_hand, picked, piece_of, second_node, sent


def broken() -> dict[str, int]:
    """Return every broken promise of stock and money, by code."""
    found = by_code([check(each) for each in [*GOODS, *MONEY]])
    return {code: count for code, count in found.items() if count}


def receive(
    transfer: Transfer, *what: Came, is_last: bool = False, said: str = ""
) -> ReceivedTransfer:
    return receive_transfer(
        transfer_id=transfer.pk, came=what, is_last=is_last, actor=None, now=NOW, said=said
    )


def told(name: str) -> int:
    return Message.objects.filter(name=name).count()


class TestShipTransfers:
    def test_puts_goods_on_their_way_without_touching_the_ledger(self, world: World) -> None:
        goods, there = product(world, on_hand="10", unit_value="2"), second_node(world)
        before = JournalEntry.objects.count()

        transfer = sent(world, (goods, "4"), to=there)

        assert transfer.state == "in_transit"
        assert on_hand(goods, world.node) == 6
        assert on_hand(goods, there) == 0
        assert on_hand(goods, there, "in_transit") == 4
        cost = ProductCost.objects.get(product=goods)
        assert (cost.quantity, cost.value) == (10, 20)
        assert JournalEntry.objects.count() == before
        assert Inbound.objects.get().quantity == 4
        assert broken() == {}

    def test_ships_once_however_often_it_is_said(self, world: World) -> None:
        transfer = picked(world, (product(world), "4"), to=second_node(world))

        first = ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)
        again = ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)

        assert ([each.number for each in first], again) == ([transfer.number], [])
        assert StockMove.objects.filter(kind="transfer").count() == 2
        assert told("inventory.transfer_shipped") == 1

    def test_sends_many_in_one_go(self, world: World) -> None:
        goods, there = product(world, on_hand="100"), second_node(world)
        waiting = [picked(world, (goods, "3"), to=there).pk for _ in range(5)]

        done = ship_transfers(transfer_ids=waiting, actor=None, now=NOW)

        assert len(done) == 5
        assert on_hand(goods, there, "in_transit") == 15
        assert broken() == {}


class TestSale:
    @pytest.fixture
    def sister(self, world: World) -> World:
        save_rates(rates=[RateRow("USD", "EUR", TODAY - timedelta(days=3), Decimal("0.91"))])
        return factories.world("DE01", "EUR")

    def test_posts_both_sides_in_one_commit(self, world: World, sister: World) -> None:
        goods = product(world, on_hand="10", unit_value="2.01")

        transfer = sent(world, (goods, "3"), to=sister.node, buyer=sister.entity)

        sale = GroupSale.objects.get(transfer=transfer)
        assert (sale.cost, sale.price, sale.landed) == (
            Decimal("6.03"), Decimal("6.33"), Decimal("5.76"),
        )  # fmt: skip
        assert balance(world, "due_from") == Decimal("6.33")
        assert balance(world, "group_revenue") == Decimal("-6.33")
        assert balance(world, "group_cost") == Decimal("6.03")
        assert balance(world, "inventory") == Decimal("14.07")
        assert balance(sister, "due_to") == Decimal("-5.76")
        assert balance(sister, "inventory") == Decimal("5.76")
        moving = Stock.objects.get(entity=sister.entity, status="in_transit")
        assert (moving.node, moving.on_hand) == (sister.node, 3)
        assert broken() == {}

    def test_leaves_nothing_behind_when_one_side_is_closed(
        self, world: World, sister: World
    ) -> None:
        goods = product(world, on_hand="10")
        transfer = picked(world, (goods, "3"), to=sister.node, buyer=sister.entity)
        close_month("2026-11-01", sister.entity)

        with pytest.raises(PeriodClosed), transaction.atomic():
            ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)

        assert Transfer.objects.get(pk=transfer.pk).state == "picked"
        assert on_hand(goods, world.node) == 10
        assert not GroupSale.objects.exists()
        assert broken() == {}

    def test_wants_a_rate(self, world: World) -> None:
        other = factories.world("JP01", "JPY")
        transfer = picked(world, (product(world), "3"), to=other.node, buyer=other.entity)

        with pytest.raises(NoRate), transaction.atomic():
            ship_transfers(transfer_ids=[transfer.pk], actor=None, now=NOW)

        assert Transfer.objects.get(pk=transfer.pk).state == "picked"

    def test_takes_the_newest_rate_that_is_not_of_tomorrow(
        self, world: World, sister: World
    ) -> None:
        save_rates(
            rates=[
                RateRow("USD", "EUR", date(2026, 11, 23), Decimal("0.5")),
                RateRow("EUR", "USD", TODAY, Decimal("1.25")),
            ]
        )

        transfer = sent(world, (product(world), "3"), to=sister.node, buyer=sister.entity)

        assert GroupSale.objects.get(transfer=transfer).rate == Decimal("0.8")

    def test_changes_only_the_owner_within_one_node(self, world: World, sister: World) -> None:
        goods = product(world, on_hand="10")

        transfer = sent(world, (goods, "3"), to=world.node, buyer=sister.entity)
        receive(transfer, came(transfer, "3"))

        theirs = Stock.objects.get(entity=sister.entity, status="available")
        assert (theirs.node, theirs.on_hand) == (world.node, 3)
        assert broken() == {}

    def test_loses_what_the_buyer_owns(self, world: World, sister: World) -> None:
        transfer = sent(
            world, (product(world, unit_value="2"), "10"), to=sister.node, buyer=sister.entity
        )

        done = receive(
            transfer,
            came(transfer, "9"),
            came(transfer, "1", "lost"),
            said="Fell off",
            is_last=True,
        )

        assert (done.state, done.lost) == ("closed", Decimal("1.91"))
        assert balance(sister, "variance") == Decimal("1.91")
        assert balance(world, "variance") == 0
        assert broken() == {}


class TestReceiveTransfer:
    def test_closes_once_everything_came(
        self, world: World, deliver_all: Callable[[], int]
    ) -> None:
        goods, there = product(world, on_hand="10"), second_node(world)
        transfer = sent(world, (goods, "4"), to=there)

        first = receive(transfer, came(transfer, "1"))
        second = receive(transfer, came(transfer, "3"))

        assert (first.state, second.state) == ("in_transit", "closed")
        assert on_hand(goods, there) == 4
        assert on_hand(goods, there, "in_transit") == 0
        assert not Inbound.objects.exists()
        assert told("inventory.transfer_received") == 1
        assert told("inventory.transfer_fell_short") == 0
        assert broken() == {}

    def test_fills_what_waits_there(self, world: World, deliver_all: Callable[[], int]) -> None:
        goods, there = product(world, on_hand="0"), second_node(world)
        order = allocated(world, (goods, "3", "9.99"))
        assert order.state == "backordered"
        adjust_stock(
            adjustments=[adjustment(world, goods, "4", "2")], kind="opening", actor=None, now=NOW
        )
        transfer = sent(world, (goods, "4"), to=there)

        receive(transfer, came(transfer, "4"))
        deliver_all()

        assert Order.objects.get(pk=order.pk).state == "allocated"
        assert broken() == {}

    def test_keeps_a_short_one_open_until_somebody_says_what_became_of_it(
        self, world: World
    ) -> None:
        goods, there = product(world, on_hand="10", unit_value="3"), second_node(world)
        transfer = sent(world, (goods, "10"), to=there)

        short = receive(transfer, came(transfer, "6"), came(transfer, "1", "damaged"), is_last=True)
        assert short.state == "received"
        assert not Inbound.objects.exists()
        assert told("inventory.transfer_fell_short") == 1
        assert on_hand(goods, there, "in_transit") == 3

        settled = receive(
            transfer,
            came(transfer, "1"),
            came(transfer, "1", "returned"),
            came(transfer, "1", "lost"),
            said="One was behind the door, one never left, one is gone",
        )

        assert (settled.state, settled.lost) == ("closed", Decimal(3))
        assert on_hand(goods, there) == 7
        assert on_hand(goods, there, "damaged") == 1
        assert on_hand(goods, world.node) == 1
        assert balance(world, "variance") == 3
        assert broken() == {}

    def test_finds_what_came_over(self, world: World) -> None:
        goods, there = product(world, on_hand="10", unit_value="3"), second_node(world)
        transfer = sent(world, (goods, "4"), to=there)

        done = receive(
            transfer, came(transfer, "4"), came(transfer, "2", "over"), said="Six in the box"
        )

        assert (done.state, done.found) == ("closed", Decimal(6))
        assert on_hand(goods, there) == 6
        assert balance(world, "variance") == -6
        assert broken() == {}

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ([("received", "5")], ""),
            ([("received", "3"), ("damaged", "2")], ""),
            ([("received", "0")], ""),
            ([("received", "0.0001")], ""),
            ([("lost", "1")], " "),
            ([("over", "1")], ""),
            ([("eaten", "1")], "So it is"),
            ([], ""),
        ],
    )
    def test_refuses_what_cannot_be(
        self, world: World, what: Sequence[tuple[str, str]], said: str
    ) -> None:
        goods, there = product(world, on_hand="10"), second_node(world)
        transfer = sent(world, (goods, "4"), to=there)

        with pytest.raises(BadTransferReceipt), transaction.atomic():
            receive(
                transfer, *(came(transfer, quantity, outcome) for outcome, quantity in what),
                said=said,
            )  # fmt: skip

        assert on_hand(goods, there, "in_transit") == 4
        assert piece_of(transfer).received == 0
        assert broken() == {}

    def test_refuses_another_transfer_s_goods_and_one_that_has_not_left(self, world: World) -> None:
        there = second_node(world)
        transfer = sent(world, (product(world), "4"), to=there)
        other = picked(world, (product(world), "4"), to=there)

        for wrong in (transfer, other):
            with pytest.raises(BadTransferReceipt), transaction.atomic():
                receive(wrong, came(other, "1"))


@given(
    cost=st.integers(0, 10**9),
    markup=st.integers(-100, 300),
    rate=st.integers(1, 10**12),
)
def test_the_buyer_s_value_is_the_price_at_the_rate(cost: int, markup: int, rate: int) -> None:
    paid, exact = Decimal(cost) / 100, Decimal(rate) / 10**9

    price, landed = sold_at(paid, Decimal(markup) / 100, exact)

    assert abs(price - paid * (100 + markup) / 100) <= Decimal("0.005")
    assert abs(landed - price * exact) <= Decimal("0.005")
    assert price == round(price, 2) >= 0
    assert sold_at(paid, Decimal(0), Decimal(1)) == (paid, paid)

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from erp.outbox.models import Message
from inventory.models import Adjustment, Product, ProductCost, Stock, StockMove
from inventory.services import (
    Adjusted,
    BadAdjustment,
    NotThatMuch,
    StockAdjustment,
    adjust_stock,
)
from tests.inventory.factories import NOW, company, demand, node, product, reserved, stocked

pytestmark = pytest.mark.django_db


def change(product_id: int, quantity: str, **values: object) -> StockAdjustment:
    defaults = {
        "entity_id": company().pk,
        "node_id": node().pk,
        "product_id": product_id,
        "quantity": Decimal(quantity),
        "reason": "Counted",
    }
    return StockAdjustment(**defaults | values)


def adjust(*adjustments: StockAdjustment, kind: str = "adjustment") -> list[Adjusted]:
    return adjust_stock(adjustments=adjustments, kind=kind, actor=None, now=NOW)


class TestAdjustStock:
    def test_what_is_found_is_worth_what_is_said_or_the_average(self) -> None:
        pen = product()
        priced, averaged = adjust(
            change(pen.pk, "3", unit_value=Decimal("1.50")), change(pen.pk, "2")
        )
        assert (priced.value, averaged.value) == (Decimal("4.50"), Decimal("3.00"))
        cost = ProductCost.objects.get()
        assert (cost.quantity, cost.value) == (5, Decimal("7.50"))

    def test_what_is_lost_costs_the_average(self) -> None:
        pen = product()
        stock = stocked(pen, 3, unit_value="0.3334")
        values = [each.value for each in adjust(*[change(pen.pk, "-1")] * 3)]
        assert sum(values) == -1
        stock.refresh_from_db()
        assert stock.on_hand == 0
        assert ProductCost.objects.get().value == 0

    def test_keeps_a_record_and_a_move_of_each(self) -> None:
        pen = product()
        stocked(pen, 5)
        (made,) = adjust(change(pen.pk, "-2", reason="Broken"))
        row = Adjustment.objects.get(pk=made.adjustment_id)
        assert (row.quantity, row.value, row.reason) == (-2, -4, "Broken")
        assert StockMove.objects.get(kind="adjustment").cause_id == row.pk

    def test_never_takes_what_is_reserved(self) -> None:
        pen = product("PEN")
        stock = stocked(pen, 5)
        reserved(demand(pen, 4))
        with pytest.raises(NotThatMuch, match="Only 1 of PEN at DC-A"):
            adjust(change(product().pk, "9"), change(pen.pk, "-2"))
        stock.refresh_from_db()
        assert stock.on_hand == 5
        assert Adjustment.objects.count() == 1

    def test_may_take_what_the_same_set_brings(self) -> None:
        pen = product()
        adjust(change(pen.pk, "2"), change(pen.pk, "-2"))
        assert Stock.objects.get().on_hand == 0

    @pytest.mark.parametrize(
        "values",
        [
            {"quantity": Decimal(0)},
            {"quantity": Decimal("NaN")},
            {"quantity": Decimal("0.0005")},
            {"unit_value": Decimal("NaN")},
            {"reason": " "},
            {"status": "lost"},
            {"unit_value": Decimal(-1)},
        ],
    )
    def test_refuses_what_makes_no_sense(self, values: dict[str, object]) -> None:
        pen = product()
        with pytest.raises(BadAdjustment):
            adjust(change(pen.pk, "1"), replace(change(pen.pk, "1"), **values))
        assert not Stock.objects.exists()

    def test_refuses_another_kind(self) -> None:
        with pytest.raises(BadAdjustment):
            adjust(change(product().pk, "1"), kind="shipment")

    def test_tells_what_came_and_what_fell(self) -> None:
        pen, ink = product(), product()
        stocked(pen, 5)
        stocked(ink, 5)
        adjust(change(pen.pk, "-1"), change(ink.pk, "1"))
        fell = Message.objects.get(name="inventory.stock_fell").payload
        came = Message.objects.filter(name="inventory.stock_received").latest("id").payload
        assert (fell["product_ids"], came["product_id"]) == (str(pen.pk), ink.pk)

    def test_thousands_in_few_statements(self, django_assert_max_num_queries) -> None:
        pens = Product.objects.bulk_create(Product(code=f"P-{n}", name="P") for n in range(200))
        changes = [change(pen.pk, "1") for pen in pens]
        with django_assert_max_num_queries(10):
            adjust(*changes, kind="opening")
        assert Stock.objects.count() == 200


class TestAnySequence(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(
                st.integers(-5000, 5000).filter(bool),
                st.none() | st.integers(0, 99999).map(lambda n: Decimal(n) / 10000),
            ),
            max_size=8,
        )
    )
    def test_leaves_balances_costs_and_moves_equal(self, steps) -> None:
        pen = product()
        for thousandths, unit_value in steps:
            try:
                adjust(change(pen.pk, str(Decimal(thousandths) / 1000), unit_value=unit_value))
            except NotThatMuch:
                continue
        moves = StockMove.objects.filter(product=pen)
        on_hand = sum(stock.on_hand for stock in Stock.objects.filter(product=pen))
        assert on_hand == sum(move.quantity for move in moves)
        for cost in ProductCost.objects.filter(product=pen):
            assert cost.quantity == on_hand
            assert cost.value == sum(move.value for move in moves)
            assert cost.value == round(cost.value, 2)

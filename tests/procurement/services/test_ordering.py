"""procurement/services/_ordering.py: writing purchase orders."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from procurement.models import PurchaseOrder
from procurement.services import BadOrder, NotDraft, PurchaseLine, submit_order, write_order
from tests.conftest import NOW
from tests.procurement.factories import (
    Need,
    make_entity,
    make_need,
    make_node,
    make_order,
    make_product,
    make_supplier,
)

pytestmark = pytest.mark.django_db


def write(need: Need, *lines: PurchaseLine, **values: Any) -> PurchaseOrder:
    asked = {
        "entity_id": need.entity.pk,
        "supplier_id": need.supplier.pk,
        "node_id": need.node.pk,
        "actor": None,
        "now": NOW,
    }
    return write_order(lines=lines, **{**asked, **values})


class TestWriteOrder:
    def test_takes_price_and_date_from_the_offer(self) -> None:
        need = make_need(unit_price=Decimal("3.3333"), lead_time_days=5)

        order = write(need, PurchaseLine(need.product.pk, Decimal(10)))

        order.refresh_from_db()
        assert order.number.startswith("PO-")
        assert order.total == Decimal("33.33")
        assert order.currency == "USD"
        assert order.expected_date == (NOW + timedelta(days=5)).date()

    def test_rewrites_a_draft(self) -> None:
        need = make_need()
        order = write(need, PurchaseLine(need.product.pk, Decimal(1)))

        write(need, PurchaseLine(need.product.pk, Decimal(4), Decimal(1)), order_id=order.pk)

        assert PurchaseOrder.objects.get().total == 4
        assert order.lines.get().quantity == 4

    def test_does_not_rewrite_what_was_submitted(self) -> None:
        order = make_order()
        submit_order(order_id=order.pk, actor=None, now=NOW)
        line = order.lines.get()

        with pytest.raises(NotDraft):
            write_order(
                entity_id=order.entity_id,
                supplier_id=order.supplier_id,
                node_id=order.node_id,
                lines=[PurchaseLine(line.product_id, Decimal(99), Decimal(1))],
                actor=None,
                now=NOW,
                order_id=order.pk,
            )

        assert order.lines.get().quantity == 10

    @pytest.mark.parametrize(
        ("quantity", "price", "field"),
        [
            ("0", "1", "lines[0].quantity"),
            ("-3", "1", "lines[0].quantity"),
            ("NaN", "1", "lines[0].quantity"),
            ("1e12", "1", "lines[0].quantity"),
            ("1.0001", "1", "lines[0].quantity"),
            ("1", "-1", "lines[0].price"),
            ("1", "Infinity", "lines[0].price"),
            ("1", "0.00001", "lines[0].price"),
            ("999999999999", "999999999999", "lines"),
        ],
    )
    def test_names_the_field_that_cannot_be(self, quantity: str, price: str, field: str) -> None:
        need = make_need()
        line = PurchaseLine(need.product.pk, Decimal(quantity), Decimal(price))

        with pytest.raises(BadOrder) as refused:
            write(need, line)

        assert refused.value.errors[0]["field"] == field
        assert not PurchaseOrder.objects.exists()

    def test_refuses_what_does_not_exist_by_name(self) -> None:
        need = make_need()
        line = PurchaseLine(need.product.pk, Decimal(1))
        blocked = make_supplier(is_blocked=True)

        for values, field in [
            ({"supplier_id": 0}, "supplier"),
            ({"supplier_id": blocked.pk}, "supplier"),
            ({"node_id": 0}, "node"),
            ({"entity_id": 0}, "entity"),
        ]:
            with pytest.raises(BadOrder) as refused:
                write(need, line, **values)
            assert refused.value.errors[0]["field"] == field
        with pytest.raises(BadOrder, match="no such product"):
            write(need, PurchaseLine(0, Decimal(1)))
        with pytest.raises(BadOrder, match="offers no price"):
            write(need, PurchaseLine(make_product().pk, Decimal(1)))
        with pytest.raises(BadOrder, match="at least one"):
            write(need)
        assert not PurchaseOrder.objects.exists()

    def test_ten_thousand_lines_are_one_statement(self, django_assert_max_num_queries) -> None:
        need = make_need()
        lines = [PurchaseLine(need.product.pk, Decimal(1), Decimal(1), date(2027, 1, 1))] * 10_000

        with django_assert_max_num_queries(10):
            order = write(need, *lines)

        assert order.total == 10_000
        with pytest.raises(BadOrder):
            write(need, *lines, lines[0])


def test_factories_make_nodes_of_the_entity() -> None:
    entity = make_entity()

    assert make_node(entity).entity == entity

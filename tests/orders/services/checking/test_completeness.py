"""orders/services/_checking/_completeness.py."""

from dataclasses import fields
from decimal import Decimal

import pytest

from inventory.models import ProductUom
from orders.models import Hold, Order
from orders.services import submit_order
from orders.services._checking import Case
from orders.services._checking._case import COLUMNS
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def held_for(order: Order) -> set[tuple[str, str]]:
    return set(Hold.objects.filter(order=order).values_list("kind", "owner_role"))


def test_reads_each_column_into_the_field_of_its_name() -> None:
    assert list(COLUMNS) == [field.name for field in fields(Case)]


@pytest.mark.parametrize(
    ("rules", "quantity", "kinds"),
    [
        ({"order_min": 5}, "5", set()),
        ({"order_min": 5}, "4.999", {("completeness", "order_desk")}),
        ({"order_multiple": 6}, "12", set()),
        ({"order_multiple": 6}, "12.001", {("completeness", "order_desk")}),
        ({"order_multiple": "0.5"}, "1.5", set()),
        ({}, "0.001", set()),
    ],
)
def test_asks_for_least_quantities_and_multiples(rules, quantity, kinds) -> None:
    part = make.priced("1", **rules)

    order = make.submitted(make.account(), make.line(part, quantity))

    assert held_for(order) == kinds


def test_looks_at_what_is_left_of_a_line() -> None:
    part = make.priced("1", order_min=5)
    order = make.created(make.account(), make.line(part, 8))
    order.lines.update(cancelled=Decimal("3.001"))

    found = submit_order(order_id=order.pk, actor=None, now=make.NOW)

    assert found.holds == ["completeness"]


def test_holds_a_line_in_a_unit_that_its_product_lost() -> None:
    part = make.priced("1")
    unit = ProductUom.objects.create(product=part, code="BOX", numerator=10)
    good = make.submitted(make.account(), make.line(part, 1, uom="BOX"))
    order = make.created(make.account(), make.line(part, 1, uom="BOX"))
    unit.delete()

    found = submit_order(order_id=order.pk, actor=None, now=make.NOW)

    assert (held_for(good), found.holds) == (set(), ["completeness"])


@pytest.mark.parametrize(
    ("country", "tax_id", "kinds"),
    [
        ("BR", "", {("completeness", "customer_service")}),
        ("BR", "12.345.678/0001-95", set()),
        ("US", "", set()),
    ],
)
def test_asks_for_the_tax_number_where_the_country_needs_it(country, tax_id, kinds) -> None:
    buyer = make.customer(country=country, tax_id=tax_id)

    order = make.submitted(make.account(buyer), make.line(make.priced()))

    assert held_for(order) == kinds


def test_asks_for_agreed_payment_terms() -> None:
    part = make.priced()
    without = make.submitted(make.account(agreed_terms_days=None, terms_days=0), make.line(part))
    cash = make.submitted(make.account(agreed_terms_days=0, terms_days=0), make.line(part))

    assert held_for(without) == {("completeness", "credit")}
    assert held_for(cash) == set()

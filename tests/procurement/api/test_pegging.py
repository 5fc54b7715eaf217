"""procurement/api/views/_pegging.py: who waits for a purchase order."""

from datetime import timedelta
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory.models import Inbound, Product
from orders.models import Order
from orders.services.promising import promise_orders
from procurement import permissions
from procurement.models import PurchaseOrder
from tests.conftest import grant
from tests.orders import factories as orders
from tests.procurement.factories import make_entity, make_sent_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyer(clerk: User, entity: Entity) -> User:
    grant(clerk, permissions.VIEW, entity)
    return clerk


@pytest.fixture
def bought(entity: Entity) -> PurchaseOrder:
    """Ten are on their way; ACME waits for four of them, at 10 each."""
    made = make_sent_order(entity=entity)
    waiting(made, 4)
    return made


def waiting(on: PurchaseOrder, quantity: int) -> Order:
    product = Product.objects.get(pk=on.lines.get().product_id)
    orders.listed(product, "10")
    buyer = orders.account(orders.customer("ACME"))
    wanted = Inbound.objects.get().expected_date + timedelta(days=6)
    order = orders.allocated(buyer, orders.line(product, quantity), requested_date=wanted)
    promise_orders(order_ids=[order.pk], cause="Allocation", now=orders.NOW)
    return order


def at(order: PurchaseOrder, what: str) -> str:
    return f"/api/v1/purchase-orders/{order.number}/{what}/"


class TestPegs:
    def test_names_who_waits_for_which_line(
        self, buyer: User, api: APIClient, bought: PurchaseOrder
    ) -> None:
        answer = api.get(at(bought, "pegs"))

        assert answer.status_code == 200
        (peg,) = answer.json()["results"]
        assert (peg["line"], peg["quantity"]) == (1, "4.000")
        assert peg["document"] == Order.objects.get().number
        assert "ACME" in peg["party"]

    def test_an_order_nobody_waits_for_has_none(self, buyer, api, entity) -> None:
        answer = api.get(at(make_sent_order(entity=entity), "pegs")).json()
        assert answer == {"results": [], "next": None, "previous": None}


class TestImpact:
    def test_says_what_hangs_on_it_and_who_would_be_late(self, buyer, api, bought) -> None:
        in_time = api.get(at(bought, "impact")).json()
        late = api.get(at(bought, "impact"), {"days": 30}).json()

        assert (in_time["documents"], in_time["lines"], in_time["late_documents"]) == (1, 1, 0)
        assert Decimal(in_time["values"]["USD"]) == 40
        assert (late["days"], late["late_documents"]) == (30, 1)
        assert Decimal(late["late_values"]["USD"]) == 40

    @pytest.mark.parametrize("days", ["366", "-1", "x", "1.5"])
    def test_names_a_delay_that_cannot_be(self, buyer, api, bought, days) -> None:
        answer = api.get(at(bought, "impact"), {"days": days})

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["errors"][0]["field"] == "days"

    def test_up_to_a_year_is_a_delay(self, buyer, api, bought) -> None:
        assert api.get(at(bought, "impact"), {"days": 365}).status_code == 200


@pytest.mark.parametrize("what", ["pegs", "impact"])
class TestScope:
    def test_another_companys_order_is_not_there(self, buyer, api, what) -> None:
        there = make_sent_order(entity=make_entity("US02"))

        for path in (at(there, what), f"/api/v1/purchase-orders/PO-0/{what}/"):
            answer = api.get(path)
            assert (answer.status_code, answer.json()["status"]) == (404, 404)

    def test_needs_the_right(self, clerk, api, bought, what) -> None:
        assert api.get(at(bought, what)).status_code == 403

    def test_refuses_a_parameter_it_does_not_know(self, buyer, api, bought, what) -> None:
        answer = api.get(at(bought, what), {"wrong": "1"})
        assert answer.json()["errors"][0]["field"] == "wrong"

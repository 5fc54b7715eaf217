"""procurement/api/views: purchasing over REST."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from procurement import permissions
from procurement.models import PurchaseOrder, Supplier
from procurement.services import replenish, submit_order
from tests.conftest import NOW, grant
from tests.procurement.factories import (
    make_entity,
    make_need,
    make_order,
    make_person,
    make_sent_order,
)

pytestmark = pytest.mark.django_db
ALL = [
    permissions.VIEW,
    permissions.WRITE,
    permissions.SEND,
    permissions.VIEW_PROPOSAL,
    permissions.DECIDE,
    permissions.VIEW_SUPPLIER,
    permissions.CHANGE_SUPPLIER,
]


@pytest.fixture
def buyer(clerk: User, entity: Entity) -> User:
    for permission in ALL:
        grant(clerk, permission, entity)
    return clerk


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def body_for(need) -> dict:
    return {
        "entity": need.entity.code,
        "supplier": need.supplier.code,
        "node": need.node.code,
        "lines": [{"product": need.product.code, "quantity": "12", "price": "1.25"}],
    }


class TestPurchaseOrders:
    def test_goes_from_draft_to_acknowledged(self, buyer: User, api: APIClient) -> None:
        need = make_need()
        boss = make_person("boss", need.entity, permissions.VIEW, permissions.APPROVE)

        made = api.post("/api/v1/purchase-orders/", body_for(need), format="json")
        assert made.status_code == 201, made.content
        number = made.json()["number"]
        assert made.json()["total"] == "15.00"
        at = f"/api/v1/purchase-orders/{number}"
        assert api.post(f"{at}/submit/").json()["state"] == "pending"
        assert api.post(f"{at}/approve/").status_code == 403
        assert client_of(boss).post(f"{at}/approve/").json()["state"] == "approved"
        assert api.post(f"{at}/send/").json()["state"] == "sent"
        body = {"lines": [{"line": 1, "date": "2027-02-01"}]}
        done = api.post(f"{at}/acknowledge/", body, format="json").json()

        assert (done["state"], done["expected_date"]) == ("acknowledged", "2027-02-01")
        story = api.get(f"{at}/timeline/").json()["results"]
        assert [e["action"] for e in story][-2:] == ["procurement.submit", "procurement.write"]

    def test_names_the_wrong_field(self, buyer: User, api: APIClient) -> None:
        need = make_need()
        cases = [
            ({"supplier": "NOBODY"}, "supplier"),
            ({"node": "NOWHERE"}, "node"),
            ({"lines": []}, "lines"),
            ({"lines": [{"product": "NOTHING", "quantity": "1"}]}, "lines[0].product"),
            ({"lines": [{"product": need.product.code, "quantity": "NaN"}]}, "lines[0].quantity"),
            ({"lines": [{"product": need.product.code, "quantity": "-1"}]}, "lines[0].quantity"),
            ({"surprise": 1}, "surprise"),
        ]
        for change, field in cases:
            answer = api.post(
                "/api/v1/purchase-orders/", {**body_for(need), **change}, format="json"
            )
            assert answer.status_code in {400, 409}, answer.content
            assert answer.json()["errors"][0]["field"] == field, answer.content
        assert not PurchaseOrder.objects.exists()

    def test_the_same_key_writes_one_order(self, buyer: User, api: APIClient) -> None:
        need = make_need()

        numbers = {
            api.post(
                "/api/v1/purchase-orders/",
                body_for(need),
                format="json",
                headers={"Idempotency-Key": "k1"},
            ).json()["number"]
            for _ in range(2)
        }

        assert len(numbers) == 1
        assert PurchaseOrder.objects.count() == 1

    def test_an_order_of_another_entity_is_not_there(self, buyer: User, api: APIClient) -> None:
        order = make_order(entity=make_entity("DE01", "EUR"))

        assert api.get(f"/api/v1/purchase-orders/{order.number}/").status_code == 404
        assert api.post(f"/api/v1/purchase-orders/{order.number}/submit/").status_code == 404
        assert api.get("/api/v1/purchase-orders/").json()["results"] == []
        need = make_need(entity=order.entity)
        made = api.post("/api/v1/purchase-orders/", body_for(need), format="json")
        assert made.status_code == 404
        assert PurchaseOrder.objects.get().state == "draft"

    def test_rewrites_a_draft_unless_it_changed(self, buyer: User, api: APIClient) -> None:
        order = make_order(lines=[("10", "2.50")])
        order.refresh_from_db(fields=["number"])
        at = f"/api/v1/purchase-orders/{order.number}/"
        seen = api.get(at)["ETag"]
        code = order.lines.get().product.code
        body = {"lines": [{"product": code, "quantity": "3", "price": "1"}]}

        first = api.patch(at, body, format="json", headers={"If-Match": seen})
        second = api.patch(at, body, format="json", headers={"If-Match": seen})

        assert (first.status_code, first.json()["total"]) == (200, "3.00")
        assert second.status_code == 412

    def test_a_refusal_is_a_problem(self, buyer: User, api: APIClient) -> None:
        order = make_sent_order()
        order.refresh_from_db(fields=["number"])

        answer = api.post(f"/api/v1/purchase-orders/{order.number}/close/")

        assert answer.status_code == 409
        assert answer["Content-Type"] == "application/problem+json"

    def test_lists_by_state_in_few_queries(
        self, buyer: User, api: APIClient, django_assert_max_num_queries
    ) -> None:
        orders = [make_order() for _ in range(5)]
        submit_order(order_id=orders[0].pk, actor=None, now=NOW)

        with django_assert_max_num_queries(4):
            found = api.get("/api/v1/purchase-orders/?state=draft").json()["results"]

        assert len(found) == 4
        product = orders[1].lines.get().product.code
        found = api.get(f"/api/v1/purchase-orders/?product={product}").json()["results"]
        assert len(found) == 1


class TestProposals:
    def test_is_accepted_with_another_quantity(self, buyer: User, api: APIClient) -> None:
        (pk,) = replenish(keys=[make_need().key], now=NOW)
        at = f"/api/v1/purchase-proposals/{pk}"

        assert api.get(f"{at}/").json()["reasons"]["projected"] == "0.000"
        done = api.post(f"{at}/accept/", {"quantity": "12"}, format="json").json()

        assert (done["state"], done["quantity"]) == ("accepted", "12.000")
        assert done["order"] == PurchaseOrder.objects.get().number

    def test_is_rejected_with_a_reason(self, buyer: User, api: APIClient) -> None:
        (pk,) = replenish(keys=[make_need().key], now=NOW)
        at = f"/api/v1/purchase-proposals/{pk}"

        assert api.post(f"{at}/reject/", {}, format="json").status_code == 400
        done = api.post(f"{at}/reject/", {"reason": "old"}, format="json").json()

        assert (done["state"], done["decision_reason"]) == ("rejected", "old")
        assert api.post(f"{at}/accept/").status_code == 409

    def test_of_another_entity_is_not_there(self, buyer: User, api: APIClient) -> None:
        need = make_need(entity=make_entity("DE01", "EUR"))
        (pk,) = replenish(keys=[need.key], now=NOW)

        assert api.post(f"/api/v1/purchase-proposals/{pk}/accept/").status_code == 404
        assert api.get("/api/v1/purchase-proposals/").json()["results"] == []


class TestSuppliers:
    def test_is_added_once_and_changed(self, buyer: User, api: APIClient) -> None:
        made = api.post("/api/v1/suppliers/", {"code": "ACME", "name": "Acme"}, format="json")
        again = api.post("/api/v1/suppliers/", {"code": "ACME", "name": "Other"}, format="json")
        changed = api.patch("/api/v1/suppliers/ACME/", {"city": "Oslo"}, format="json")

        assert (made.status_code, again.status_code) == (201, 400)
        assert (changed.json()["city"], changed.json()["name"]) == ("Oslo", "Acme")
        assert Supplier.objects.count() == 1

    def test_offers_are_replaced(self, buyer: User, api: APIClient) -> None:
        need = make_need(unit_price=Decimal(9))
        body = {
            "entity": "US01",
            "supplier": need.supplier.code,
            "product": need.product.code,
            "unit_price": "7.5",
            "currency": "USD",
        }

        unknown = api.post("/api/v1/supplier-products/", body, format="json")
        body.pop("currency")
        made = api.post("/api/v1/supplier-products/", body, format="json")

        assert unknown.status_code == 400
        assert made.json()["unit_price"] == "7.5000"
        assert len(api.get("/api/v1/supplier-products/").json()["results"]) == 1

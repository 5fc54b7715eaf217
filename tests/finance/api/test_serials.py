"""Tests finance/api: pieces are named from the dock to the customer, and refused by name."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from finance.selectors import shipment_paper
from finance.services import adjust_stock, packing_slip_pdf
from inventory.models import Product, Serial
from inventory.services import StockAdjustment
from tests.finance.api.test_views import BASE, number_of, post
from tests.finance.factories import NOW, World, allocated, drift, product, shipments_of
from tests.finance.purchases import sent_order


@pytest.fixture
def api(world: World) -> APIClient:
    """A client of somebody who may do anything on the floor."""
    user = User.objects.create_user("lead")
    for role in (Role.OPERATIONS_LEAD, Role.WAREHOUSE):
        assign_role(user=user, entity=world.entity, role=role)
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def drill(world: World) -> Product:
    goods = product(world, on_hand="0")
    Product.objects.filter(pk=goods.pk).update(tracking="serial")
    return goods


def test_pieces_go_from_the_dock_to_the_customer(
    world: World, api: APIClient, drill: Product
) -> None:
    order = sent_order(world, (drill, "3", "2.50"))
    receive = f"purchase-orders/{order.number}/receive/"
    line = {"line": 1, "quantity": "3"}

    refused = post(api, receive, {"lines": [line | {"serials": ["A", "B"]}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "serials_needed")
    assert not Serial.objects.exists()
    came = post(api, receive, {"lines": [line | {"serials": ["A", "B", "C"]}]})
    assert came.status_code == 201

    number = number_of(shipments_of(allocated(world, (drill, "2", "9.99")))[0])
    pick = f"shipments/{number}/pick/"
    wanted = {
        "line": api.get(f"{BASE}/shipments/{number}/").json()["lines"][0]["line"],
        "quantity": "2",
    }
    assert post(api, pick, {}).json()["code"] == "serials_needed"
    wrong = post(api, pick, {"lines": [wanted | {"serials": ["A", "Z"]}]}).json()
    assert wrong["code"] == "bad_serial"
    assert wrong["errors"][0]["field"] == "serials"
    assert "'Z' is not known" in wrong["errors"][0]["message"]

    picked = post(api, pick, {"lines": [wanted | {"serials": ["C", "A"]}]}).json()
    assert picked["lines"][0]["serials"] == ["A", "C"]
    for verb in ("pack", "ship"):
        assert post(api, f"shipments/{number}/{verb}/").status_code == 200

    told = api.get(f"{BASE}/serials/A/").json()["serials"][0]
    assert (told["state"], told["document"]) == ("shipped", number)
    assert [step["kind"] for step in told["steps"]] == ["shipment", "pick", "receipt"]
    paper = shipment_paper(number=number, entity_ids=[world.entity.pk])
    assert paper is not None
    assert packing_slip_pdf(shipment=paper).startswith(b"%PDF")
    assert drift() == {}


def test_what_is_corrected_is_named(world: World, api: APIClient, drill: Product) -> None:
    line = {"product": drill.code, "quantity": "1"}
    body = {"entity": world.entity.code, "node": world.node.code, "reason": "Found"}

    without = post(api, "adjustments/", body | {"lines": [line]})
    named = post(api, "adjustments/", body | {"lines": [line | {"serials": ["A"]}]})

    assert without.json()["code"] == "serials_needed"
    assert named.status_code == 201


def test_what_is_counted_is_named(world: World, api: APIClient, drill: Product) -> None:
    place = {"entity": world.entity.code, "node": world.node.code}
    opening = StockAdjustment(
        entity_id=world.entity.pk,
        node_id=world.node.pk,
        product_id=drill.pk,
        quantity=Decimal(3),
        reason="Opening",
        serials=["A", "B", "C"],
    )
    adjust_stock(adjustments=[opening], kind="opening", actor=None, now=NOW)
    made = post(api, "counts/", place)
    assert made.status_code == 201, made.json()
    number = made.json()["number"]
    record = f"counts/{number}/record/"

    bare = post(api, record, {"lines": [{"line": 1, "quantity": "3"}]}).json()
    twice = {"line": 1, "quantity": "2", "serials": ["A", "A"]}
    doubled = post(api, record, {"lines": [twice]}).json()
    assert (bare["code"], bare["errors"][0]["field"]) == ("serials_needed", "serials")
    assert doubled["code"] == "bad_serial"
    assert api.get(f"{BASE}/counts/{number}/").json()["lines"][0]["counted"] is None

    neither = post(api, record, {"lines": [{"line": 1}]})
    assert neither.status_code == 400
    assert neither.json()["errors"][0]["field"] == "lines[0].quantity"

    scanned = {"line": 1, "serials": ["A", "C", "X"]}  # as many as are named
    blind = post(api, record, {"lines": [scanned]}).json()["lines"][0]
    assert (blind["serials"], blind["counted"]) == (["A", "C", "X"], "3.000")
    assert not {"missing", "found", "expected"} & blind.keys()
    assert post(api, f"counts/{number}/submit/").json()["state"] == "approved"
    seen = api.get(f"{BASE}/counts/{number}/").json()["lines"][0]
    new = {"number": "X", "state": "new", "lies_at": None, "document": None}
    assert (seen["missing"], seen["found"]) == (["B"], [new])
    assert post(api, f"counts/{number}/post/").status_code == 200

    lying = {row.number for row in Serial.objects.filter(stock__isnull=False)}
    assert lying == {"A", "C", "X"}
    assert drift() == {}

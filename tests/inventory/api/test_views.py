from datetime import date

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Carrier, Node, Product, Protection, Segment
from tests.conftest import grant
from tests.inventory.factories import (
    carrier,
    company,
    demand,
    node,
    product,
    reserved,
    stocked,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(clerk: User, entity: Entity, api: APIClient) -> APIClient:
    for permission in permissions.GRANTS:
        grant(clerk, permission, entity)
    return api


PEN = {"code": "PEN", "name": "Pen", "weight": "0.01", "uoms": [{"code": "BOX", "numerator": 12}]}


class TestProducts:
    def test_create_read_change(self, everything: APIClient) -> None:
        made = everything.post("/api/v1/products/", PEN, format="json")
        assert made.status_code == 201
        assert made.json() == {
            "code": "PEN",
            "name": "Pen",
            "base_uom": "EA",
            "category": "",
            "tracking": "none",
            "weight": "0.0100",
            "barcode": "",
            "pack_note": "",
            "is_blocked": False,
            "is_discontinued": False,
            "export_code": "",
            "hazmat_class": "",
            "licence_required": False,
            "controlled_share": "1.000000",
            "order_min": "0.000",
            "order_multiple": "0.000",
            "uoms": [{"code": "BOX", "numerator": 12, "denominator": 1}],
        }
        changed = everything.patch("/api/v1/products/PEN/", {"name": "Ink pen"}, format="json")
        assert changed.json() == made.json() | {"name": "Ink pen"}
        listed = everything.get("/api/v1/products/", {"name": "INK"}).json()
        assert [each["code"] for each in listed["results"]] == ["PEN"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("code", ""),
            ("name", None),
            ("weight", "NaN"),
            ("weight", "-1"),
            ("weight", "999999999"),
            ("tracking", "maybe"),
            ("uoms", [{"code": "BOX", "numerator": 0}]),
            ("colour", "red"),
        ],
    )
    def test_names_a_wrong_field(self, everything: APIClient, field: str, value: object) -> None:
        answer = everything.post("/api/v1/products/", PEN | {field: value}, format="json")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"].startswith(field)
        assert not Product.objects.exists()

    def test_a_code_is_taken_once(self, everything: APIClient) -> None:
        product("PEN")
        answer = everything.post("/api/v1/products/", PEN, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "taken")

    def test_many_are_answered_one_by_one(self, everything: APIClient) -> None:
        items = [PEN, PEN, {"code": "INK", "name": "Ink"}, {"code": "X"}]
        answer = everything.post("/api/v1/products/bulk/", items, format="json").json()
        assert [each["status"] for each in answer["results"]] == [201, 400, 201, 400]
        assert Product.objects.count() == 2

    def test_an_old_version_is_not_changed(self, everything: APIClient) -> None:
        product("PEN")
        answer = everything.patch(
            "/api/v1/products/PEN/", {"name": "x"}, format="json", HTTP_IF_MATCH='"old"'
        )
        assert answer.status_code == 412

    def test_its_stock(self, everything: APIClient) -> None:
        pen = product("PEN")
        stocked(pen, 5)
        stocked(pen, 5, entity=company("DE01", "EUR"))
        (row,) = everything.get("/api/v1/products/PEN/stock/").json()["results"]
        assert (row["entity"], row["available"]) == ("US01", "5.000")
        assert everything.get("/api/v1/products/NONE/stock/").status_code == 404

    def test_only_stewards_change(self, api: APIClient, clerk: User, entity: Entity) -> None:
        grant(clerk, permissions.VIEW_PRODUCT, entity)
        assert api.post("/api/v1/products/", PEN, format="json").status_code == 403
        assert api.get("/api/v1/products/").status_code == 200
        assert api.get("/api/v1/stock/").status_code == 403


class TestNodesAndCarriers:
    def test_a_node(self, everything: APIClient) -> None:
        body = {"code": "N1", "name": "North", "entity": "US01", "country": "US"}
        made = everything.post("/api/v1/nodes/", body, format="json")
        assert (made.status_code, made.json()["cutoff"]) == (201, "15:00:00")
        changed = everything.patch("/api/v1/nodes/N1/", {"cutoff": "11:30"}, format="json")
        assert (changed.status_code, changed.json()["cutoff"]) == (200, "11:30:00")
        assert Node.objects.get().entity.code == "US01"

    def test_a_node_of_another_company_is_not_changed(self, everything: APIClient) -> None:
        node("N2", entity=company("DE01", "EUR"))
        assert everything.get("/api/v1/nodes/N2/").status_code == 200
        answer = everything.patch("/api/v1/nodes/N2/", {"name": "Mine"}, format="json")
        assert answer.status_code == 404
        body = {"code": "N3", "name": "North", "entity": "DE01", "country": "US"}
        assert everything.post("/api/v1/nodes/", body, format="json").status_code == 404

    def test_a_bad_zone_is_refused(self, everything: APIClient) -> None:
        body = {"code": "N1", "name": "N", "entity": "US01", "country": "US", "time_zone": "Mars"}
        answer = everything.post("/api/v1/nodes/", body, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "time_zone")

    def test_a_carrier(self, everything: APIClient) -> None:
        body = {"code": "UPS", "name": "UPS", "currency": "USD", "base_rate": "4.5"}
        made = everything.post("/api/v1/carriers/", body, format="json")
        assert (made.status_code, made.json()["base_rate"]) == (201, "4.5000")
        everything.patch("/api/v1/carriers/UPS/", {"is_active": False}, format="json")
        assert not Carrier.objects.get().is_active


class TestStock:
    def test_is_the_callers_own(self, everything: APIClient) -> None:
        pen = product("PEN")
        stocked(pen, 5)
        stocked(pen, 6, entity=company("DE01", "EUR"))
        reserved(demand(pen, 2))
        (row,) = everything.get("/api/v1/stock/").json()["results"]
        assert row == {
            "id": row["id"],
            "entity": "US01",
            "product": "PEN",
            "node": "DC-A",
            "lot": None,
            "expires_on": None,
            "is_barred": False,
            "status": "available",
            "on_hand": "5.000",
            "reserved": "2.000",
            "available": "3.000",
        }
        assert everything.get("/api/v1/stock/", {"has_available": "false"}).json()["results"] == []
        assert everything.get("/api/v1/stock/", {"entity": "DE01"}).status_code == 404

    def test_moves(self, everything: APIClient) -> None:
        stocked(product("PEN"), 5)
        (row,) = everything.get("/api/v1/stock-moves/", {"kind": "opening"}).json()["results"]
        assert (row["quantity"], row["value"], row["currency"]) == ("5.000", "10.0000", "USD")
        assert row["cause"].startswith("inventory.adjustment:")


class TestAvailability:
    def ask(self, api: APIClient, *lines: dict[str, object], entity: str = "US01") -> object:
        body = {"entity": entity, "lines": list(lines)}
        return api.post("/api/v1/availability/", body, format="json")

    def test_says_where_when_and_at_what_cost(self, everything: APIClient) -> None:
        carrier("UPS")
        pen = product("PEN")
        stocked(pen, 5, node=node("A"))
        stocked(pen, 9, node=node("B"))
        answer = self.ask(everything, {"product": "PEN", "quantity": "12"})
        (line,) = answer.json()["lines"]
        assert (line["available"], line["short"]) == ("14.000", "0")
        assert line["date"] == line["options"][0]["leaves_on"]
        assert [(o["kind"], o["node"], o["quantity"]) for o in line["options"]] == [
            ("split", "B + A", "12.000"),
            ("node", "A", "5.000"),
            ("node", "B", "9.000"),
        ]
        assert line["atp"] == [{"date": line["atp"][0]["date"], "quantity": "14.000"}]
        assert line["promised_date"] == line["options"][0]["arrives_on"]

    def test_offers_what_is_kept_for_the_segment_that_asks(self, everything: APIClient) -> None:
        pen = product("PEN")
        stocked(pen, 9, node=node("B"))
        top = Segment.objects.create(code="top", name="Top")
        Protection.objects.create(
            segment=top, entity=company(), product=pen, floor=6,
            first_day=date(2020, 1, 1), last_day=date(2099, 1, 1),
        )  # fmt: skip
        body = {"entity": "US01", "lines": [{"product": "PEN", "quantity": "9"}]}
        free = {}
        for named in ({}, {"segment": "top"}):
            answer = everything.post("/api/v1/availability/", body | named, format="json").json()
            free[named.get("segment", "")] = answer["lines"][0]["available"]

        assert free == {"": "3.000", "top": "9.000"}
        wrong = everything.post("/api/v1/availability/", body | {"segment": "x"}, format="json")
        assert [each["field"] for each in wrong.json()["errors"]] == ["segment"]

    def test_narrows_to_a_node_and_a_date(self, everything: APIClient) -> None:
        pen = product("PEN")
        stocked(pen, 5, node=node("A"))
        stocked(pen, 9, node=node("B"))
        wanted = {"product": "PEN", "quantity": "6", "node": "A", "date": "2020-01-01"}
        (line,) = self.ask(everything, wanted).json()["lines"]
        assert (line["available"], line["short"], line["by_date"]) == ("5.000", "1.000", "0")
        assert line["date"] is None

    def test_names_an_unknown_product(self, everything: APIClient) -> None:
        product("PEN")
        answer = self.ask(
            everything,
            {"product": "PEN", "quantity": "1"},
            {"product": "NO", "quantity": "1"},
        )
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "lines[1].product"

    def test_another_company_is_not_there(self, everything: APIClient) -> None:
        company("DE01", "EUR")
        product("PEN")
        answer = self.ask(everything, {"product": "PEN", "quantity": "1"}, entity="DE01")
        assert answer.status_code == 404


class TestAllocationRuns:
    def test_with_receipts(self, everything: APIClient) -> None:
        pen = product("PEN")
        stocked(pen, 3)
        run = reserved(demand(pen, 5, id=7, label="SO-1")).run_id
        (row,) = everything.get("/api/v1/allocation-passes/").json()["results"]
        assert (row["id"], row["lines"], row["short"], row["given"]) == (run, 1, 1, "3.000")
        assert everything.get(f"/api/v1/allocation-passes/{run}/").json() == row
        answer = everything.get(f"/api/v1/allocation-passes/{run}/receipts/").json()
        (receipt,) = answer["results"]
        assert (receipt["document"], receipt["flip"]) == ("SO-1", "2 more of PEN at DC-A")
        assert receipt["candidates"] == [
            {
                "node": "DC-A",
                "available": "3",
                "taken": "3",
                "rejected": "",
                "mode": "",
                "product": "",
            }
        ]

    def test_of_another_company_is_not_there(self, everything: APIClient) -> None:
        other = company("DE01", "EUR")
        run = reserved(demand(product("PEN"), 5, entity_id=other.pk)).run_id
        assert everything.get("/api/v1/allocation-passes/").json()["results"] == []
        assert everything.get(f"/api/v1/allocation-passes/{run}/").status_code == 404
        assert everything.get(f"/api/v1/allocation-passes/{run}/receipts/").status_code == 404

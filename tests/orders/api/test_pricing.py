"""orders/api/views/_pricing.py, and prices with groups, lists and approval."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import User
from erp.governance.models import Approval, ChangeRequest
from orders import permissions
from orders.models import Customer, CustomerGroup, Price, Promotion
from tests.conftest import grant
from tests.orders import factories as make
from tests.orders.api.test_customers import agree

pytestmark = pytest.mark.django_db
PRICES, LISTS = "/api/v1/prices/", "/api/v1/price-lists/"
GROUPS, PROMOTIONS = "/api/v1/customer-groups/", "/api/v1/promotions/"


@pytest.fixture
def pricing(clerk: User) -> User:
    for permission in (permissions.VIEW_PRICE, permissions.CHANGE_PRICE):
        grant(clerk, permission, make.company())
    return clerk


def price(**values: Any) -> dict[str, Any]:
    return {"entity": "US01", "product": "HX-110", "valid_from": "2026-06-01"} | values


def agree_all(deliver_all: Any) -> None:
    for waiting in Approval.objects.filter(state="pending"):
        agree(waiting)
    deliver_all()


class TestPrices:
    @pytest.mark.parametrize(("asked", "status"), [("10.50", 201), ("10.5001", 202), ("9.4", 202)])
    def test_beyond_the_tolerance_somebody_else_agrees(
        self, pricing, api: APIClient, asked: str, status: int
    ) -> None:
        make.priced("10", "HX-110")

        told = api.post(PRICES, price(unit_price=asked, reason="resin"), format="json")

        assert told.status_code == status, told.json()
        current = Price.objects.get(valid_until=None).unit_price
        assert current == (Decimal(asked) if status == 201 else 10)
        assert ChangeRequest.objects.count() == (status == 202)

    def test_apply_once_agreed_unless_the_price_moved(self, pricing, api, deliver_all) -> None:
        part = make.priced("10", "HX-110")
        told = api.post(PRICES, price(unit_price="8"), format="json").json()
        (waiting,) = told["change_requests"]
        assert waiting["before"] == {"HX-110 2026-06-01": "10"}
        assert waiting["after"] == {"HX-110 2026-06-01": "8"}
        (effect,) = Approval.objects.get().effects
        assert effect["text"] == "HX-110 2026-06-01: 10 → 8"
        assert (effect["kind"], Decimal(effect["amount"]), effect["currency"]) == (
            "change", -2, "USD",
        )  # fmt: skip

        agree(Approval.objects.get())
        deliver_all()

        assert Price.objects.get(valid_until=None).unit_price == 8
        api.post(PRICES, price(unit_price="5"), format="json")
        make.listed(part, "7", valid_from=date(2026, 6, 1))
        agree(Approval.objects.get(state="pending"))
        deliver_all()
        assert ChangeRequest.objects.latest("id").state == "void"
        assert not Price.objects.filter(unit_price=5).exists()

    def test_a_new_contract_is_measured_by_the_list(self, pricing, api) -> None:
        make.account(make.customer("ACME"))
        make.priced("10", "HX-110")

        near = api.post(PRICES, price(customer="ACME", unit_price="9.5"), format="json")
        far = api.post(PRICES, price(customer="ACME", unit_price="9", uom="case"), format="json")

        assert (near.status_code, far.status_code) == (201, 202)
        assert Price.objects.filter(kind="contract").count() == 1

    def test_are_a_group_s_or_of_a_list(self, pricing, api) -> None:
        make.product("HX-110")
        make.group("RETAIL")
        make.price_list("WEB")
        for values in ({"group": "RETAIL"}, {"price_list": "WEB"}):
            price_kind = api.post(PRICES, price(unit_price="9", **values), format="json")
            assert price_kind.status_code in {201, 202}
        (one,) = api.get(PRICES, {"price_list": "WEB"}).json()["results"]

        assert (one["kind"], one["price_list"], one["group"]) == ("list", "WEB", None)
        for values, field in (
            ({"group": "NO"}, "group"),
            ({"price_list": "NO"}, "price_list"),
            ({"group": "RETAIL", "price_list": "WEB"}, "group"),
            ({"valid_to": "2026-06-01"}, "valid_to"),
        ):
            told = api.post(PRICES, price(unit_price="9", **values), format="json")
            assert (told.status_code, told.json()["errors"][0]["field"]) == (400, field)

    def test_who_read_an_older_one_is_told(self, pricing, api) -> None:
        make.priced("10", "HX-110")
        (seen,) = [each["revision"] for each in api.get(PRICES).json()["results"]]
        api.post(PRICES, price(unit_price="10.1", seen=seen), format="json")

        late = api.post(PRICES, price(unit_price="10.2", seen=seen), format="json")

        assert (late.status_code, late.json()["code"]) == (409, "price_changed")


class TestListsAndGroups:
    def test_are_written_read_and_changed(self, pricing, api, deliver_all) -> None:
        make.account(make.customer("ACME"))
        make.customer("FAR")  # no account here: not shown
        group = {"code": "RETAIL", "name": "Retail", "members": ["ACME", "FAR"]}
        told = api.post(GROUPS, group, format="json")
        assert (told.status_code, CustomerGroup.objects.count()) == (202, 0)
        agree_all(deliver_all)
        child = {"code": "WEB", "name": "Web shops", "parent": "RETAIL"}
        assert api.post(GROUPS, child, format="json").json()["parent"] == "RETAIL"
        held = {"entity": "US01", "code": "L1", "name": "One", "groups": ["RETAIL"]}

        made = api.post(LISTS, held | {"customers": ["ACME"]}, format="json")

        assert made.status_code == 202
        agree_all(deliver_all)
        assert api.get(f"{LISTS}L1/").json()["groups"] == ["RETAIL"]
        assert api.get(f"{LISTS}L1/").json()["customers"] == ["ACME"]
        assert api.get(f"{GROUPS}RETAIL/").json()["members"] == ["ACME"]
        assert Customer.objects.get(code="FAR").group == CustomerGroup.objects.get(code="RETAIL")
        api.post(LISTS, held | {"name": "Uno", "customers": []}, format="json")
        agree_all(deliver_all)
        again = api.get(f"{LISTS}L1/").json()
        assert (again["name"], again["customers"], again["groups"]) == ("Uno", [], ["RETAIL"])

    def test_refuse_a_loop(self, pricing, api) -> None:
        top = make.group("TOP")
        make.group("LEAF", top)

        told = api.post(GROUPS, {"code": "TOP", "name": "T", "parent": "LEAF"}, format="json")

        assert (told.status_code, told.json()["code"]) == (409, "group_loop")
        assert CustomerGroup.objects.get(code="TOP").parent is None

    def test_are_not_another_company_s(self, pricing, api) -> None:
        make.price_list("MINE")
        make.PriceList.objects.update(entity=make.company("US02"))

        assert api.get(LISTS).json()["results"] == []
        assert api.get(f"{LISTS}MINE/").status_code == 404


class TestPromotions:
    def test_are_written_listed_and_ended(self, pricing, api, deliver_all) -> None:
        make.product("HX-110")
        asked = {
            "entity": "US01",
            "code": "SPRING",
            "name": "Spring",
            "kind": "percent",
            "percent": "0.1",
            "product": "HX-110",
            "valid_from": "2026-03-01",
        }

        asked_for = api.post(PROMOTIONS, asked, format="json")
        assert (asked_for.status_code, Promotion.objects.count()) == (202, 0)
        agree_all(deliver_all)
        ended = api.post(PROMOTIONS, asked | {"valid_to": "2026-06-01"}, format="json")

        assert ended.status_code == 201, ended.json()
        made = Promotion.objects.get()
        assert (ended.json()["id"], ended.json()["valid_to"]) == (made.pk, "2026-06-01")
        assert [p["code"] for p in api.get(PROMOTIONS).json()["results"]] == ["SPRING"]

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"kind": "percent"}, "percent"),
            ({"kind": "amount", "amount": "1"}, "currency"),
            ({"kind": "free", "buy_quantity": "5"}, "free_quantity"),
            ({"kind": "percent", "percent": "0.1", "valid_to": "2026-01-01"}, "valid_to"),
            ({"kind": "percent", "percent": "0.1", "product": "NO"}, "product"),
        ],
    )
    def test_name_the_field_that_is_wrong(self, pricing, api, values: Any, field: str) -> None:
        asked = {"entity": "US01", "code": "P", "name": "P", "valid_from": "2026-01-01"}

        told = api.post(PROMOTIONS, asked | values, format="json")

        assert (told.status_code, told.json()["errors"][0]["field"]) == (400, field)
        assert not Promotion.objects.exists()

"""orders/api/views/_customers.py and _prices.py."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import User
from orders import permissions
from orders.models import CreditAccount, Customer, Price
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/customers/"


@pytest.fixture
def steward(clerk: User) -> User:
    for permission in (permissions.VIEW_CUSTOMER, permissions.CHANGE_CUSTOMER):
        grant(clerk, permission, make.company())
    return clerk


class TestCustomers:
    def test_are_added_changed_and_listed(self, steward, api: APIClient) -> None:
        asked = {"code": "ACME", "name": "Acme", "entity": "US01", "tier": "A", "city": "Bonn"}

        made = api.post(URL, asked, format="json")
        again = api.post(URL, asked, format="json")
        changed = api.patch(f"{URL}ACME/", {"name": "Acme Ltd"}, format="json")

        assert made.status_code == 201, made.json()
        assert again.json()["errors"][0]["field"] == "code"
        assert (changed.json()["name"], changed.json()["city"]) == ("Acme Ltd", "Bonn")
        assert [each["code"] for each in api.get(URL).json()["results"]] == ["ACME"]

    def test_keep_their_terms_from_who_may_not_change_them(self, steward, api) -> None:
        make.account(make.customer("ACME"), limit="5")
        change = {"entity": "US01", "credit_limit": "9"}

        refused = api.patch(f"{URL}ACME/", change, format="json")
        assert refused.status_code == 403
        assert CreditAccount.objects.get().credit_limit == 5

        grant(steward, permissions.CHANGE_LIMIT, make.company())
        assert api.patch(f"{URL}ACME/", change, format="json").status_code == 200
        assert CreditAccount.objects.get().credit_limit == 9
        assert api.patch(f"{URL}ACME/", {"credit_limit": "1"}, format="json").status_code == 400

    def test_undo_all_of_a_refused_change(self, steward, api) -> None:
        asked = {"code": "NEW", "name": "New", "entity": "US01", "credit_limit": "5"}

        assert api.post(URL, asked, format="json").status_code == 403
        assert not Customer.objects.exists()

    def test_show_their_exposure_and_addresses(self, steward, api) -> None:
        make.account(make.customer("ACME"), limit="100", receivable=Decimal(40))

        api.post(f"{URL}ACME/ship-tos/", {"code": "1", "name": "Dock"}, format="json")

        (credit,) = api.get(f"{URL}ACME/exposure/").json()["results"]
        assert (credit["exposure"], credit["available"]) == ("40.0000", "60.0000")
        assert api.get(f"{URL}ACME/ship-tos/").json()["results"][0]["name"] == "Dock"

    def test_are_stopped_and_let_go_on(self, steward, api) -> None:
        on = make.account(make.customer("ACME"))
        grant(steward, permissions.CHANGE_LIMIT, make.company())
        order = make.created(on, make.line(make.priced()))
        why = {"entity": "US01", "reason": "Bounced"}

        held = api.post(f"{URL}ACME/hold/", why, format="json").json()
        free = api.post(f"{URL}ACME/unhold/", why, format="json").json()

        assert (held["accounts"][0]["on_hold"], free["accounts"][0]["on_hold"]) == (True, False)
        assert order.pk

    def test_are_hidden_from_other_entities(self, steward, api) -> None:
        make.account(make.customer("FAR"), make.company("US02"))

        assert api.get(URL).json()["results"] == []
        assert api.get(f"{URL}FAR/").status_code == 404
        assert api.get(f"{URL}FAR/exposure/").status_code == 404


class TestPrices:
    URL = "/api/v1/prices/"

    def test_are_written_with_breaks_and_listed(self, clerk, api) -> None:
        for permission in (permissions.VIEW_PRICE, permissions.CHANGE_PRICE):
            grant(clerk, permission, make.company())
        make.product("HX-110")
        asked = {
            "entity": "US01",
            "product": "HX-110",
            "valid_from": "2026-01-01",
            "breaks": [
                {"min_quantity": "0", "unit_price": "10"},
                {"min_quantity": "100", "unit_price": "9.50"},
            ],
        }

        made = api.post(self.URL, asked, format="json")

        assert made.status_code == 201, made.json()
        prices = [each["unit_price"] for each in made.json()["results"]]
        assert prices == ["10.0000", "9.5000"]
        assert len(api.get(self.URL, {"product": "HX-110"}).json()["results"]) == 2
        for change, field in (
            ({"product": "NOPE"}, "product"),
            ({"valid_to": "2025-01-01"}, "valid_to"),
            ({"unit_price": "1"}, "unit_price"),
        ):
            answer = api.post(self.URL, asked | change, format="json")
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert Price.objects.count() == 2

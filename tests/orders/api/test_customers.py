"""orders/api/views/_customers.py and _prices.py."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import User
from erp.governance.models import Approval, ChangeRequest
from erp.governance.services import approve
from orders import permissions
from orders.models import CreditAccount, Customer, Price
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/customers/"


def agree(approval: Approval) -> None:
    other = User.objects.get_or_create(username="other")[0]
    grant(other, approval.permission, make.company())
    approve(approval_id=approval.pk, actor=other, fingerprint=approval.fingerprint, now=make.NOW)


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

    def test_change_sensitive_fields_with_two_people(self, steward, api, deliver_all) -> None:
        make.account(make.customer("ACME"), limit="5")
        change = {
            "entity": "US01",
            "credit_limit": "9",
            "tax_id": "DE7",
            "city": "Bonn",
            "reason": "grows",
        }

        asked = api.patch(f"{URL}ACME/", change, format="json")

        assert asked.status_code == 202, asked.json()
        assert [
            (each["field"], each["before"], each["after"], each["role"], each["state"])
            for each in asked.json()["change_requests"]
        ] == [
            ("credit_limit", "5", "9", "credit", "pending"),
            ("tax_id", "", "DE7", "steward", "pending"),
        ]
        assert CreditAccount.objects.get().credit_limit == 5
        assert (Customer.objects.get().tax_id, Customer.objects.get().city) == ("", "Bonn")
        for approval in Approval.objects.all():
            agree(approval)
        deliver_all()
        assert CreditAccount.objects.get().credit_limit == 9
        assert Customer.objects.get().tax_id == "DE7"
        assert api.patch(f"{URL}ACME/", change, format="json").status_code == 200
        assert api.patch(f"{URL}ACME/", {"credit_limit": "1"}, format="json").status_code == 400

    def test_a_limit_that_moved_meanwhile_makes_the_request_void(
        self, steward, api, deliver_all
    ) -> None:
        make.account(make.customer("ACME"), limit="5")
        api.patch(f"{URL}ACME/", {"entity": "US01", "credit_limit": "9"}, format="json")
        CreditAccount.objects.update(credit_limit=7)

        agree(Approval.objects.get())
        deliver_all()

        assert CreditAccount.objects.get().credit_limit == 7
        assert ChangeRequest.objects.get().note == "It is 7 by now: ask again."

    def test_keep_their_own_part_numbers(self, steward, api) -> None:
        make.account(make.customer("ACME"))
        make.product("HX-110")
        url = f"{URL}ACME/part-numbers/"

        made = api.post(url, {"code": "h-1", "product": "HX-110"}, format="json")

        assert made.status_code == 201, made.json()
        assert api.get(url).json()["results"] == [{"code": "H-1", "product": "HX-110"}]
        wrong = api.post(url, {"code": "h-2", "product": "NOPE"}, format="json")
        assert wrong.json()["errors"][0]["field"] == "product"
        api.post(url, {"code": "H-1"}, format="json")
        assert api.get(url).json()["results"] == []

    def test_name_those_whom_a_new_one_resembles(self, steward, api) -> None:
        make.account(make.customer("HALDEN", name="Halden Medical", tax_id="DE 12.3"))
        other = {"code": "H2", "name": "Halden Medical Inc", "entity": "US01"}
        same_tax = {"code": "H3", "name": "Somebody Else", "entity": "US01", "tax_id": "de123"}

        alike = api.post(URL, other, format="json").json()
        taxed = api.post(URL, same_tax, format="json").json()

        assert [(each["code"], each["why"]) for each in alike["lookalikes"]] == [("HALDEN", "name")]
        assert ("HALDEN", "tax_id") in [(e["code"], e["why"]) for e in taxed["lookalikes"]]
        assert (alike["completeness"], alike["missing"][0]) == (20, "address")

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

"""orders/views/_customers.py, orders/views/_asking.py and orders/api/views/_terms.py"""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import Entity
from erp.governance.models import Approval, ChangeRequest
from orders.models import CreditAccount, Customer
from orders.selectors import order_trend
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def signed_in(client: Client, role: str) -> Client:
    client.force_login(make.person(f"the-{role}", role))
    return client


class TestCustomer:
    def test_shows_credit_trend_contacts_and_what_waits(self, client: Client) -> None:
        on = make.account(make.customer("C-1", contact="Ada", email="a@b.example"), limit="100")
        make.submitted(on, make.line(make.priced("40")))

        page = signed_in(client, "credit").get("/orders/customers/C-1/").content.decode()

        assert "1 order in 12 months" in page
        assert "Ada" in page
        assert "up to $60.00" in page
        assert reverse("finance:of_customer", args=["C-1"]) in page
        assert reverse("exceptions:of_customer", args=["C-1"]) in page

    def test_names_who_may_be_the_same(self, client: Client) -> None:
        make.account(make.customer("C-1", name="Halden Medical", tax_id="US 12"))
        make.account(make.customer("C-2", name="Other", tax_id="us-12"))

        page = signed_in(client, "credit").get("/orders/customers/C-1/").content.decode()

        assert "C-2 Other" in page

    def test_counts_no_order_of_another_entity(self) -> None:
        other = Entity.objects.create(code="XX", name="X", currency="EUR", country="DE")
        on = make.account()
        make.account(on.customer, other)
        make.submitted(on, make.line(make.priced("40")))

        asked = {"customer_id": on.customer_id, "now": make.NOW}
        ours = order_trend(entity_ids=[on.entity_id], **asked)
        theirs = order_trend(entity_ids=[other.pk], **asked)

        assert (len(ours), ours[-1].orders, ours[-1].amount) == (12, 1, Decimal(40))
        assert {each.orders for each in theirs} == {0}


class TestAskTerms:
    def test_puts_what_is_typed_otherwise_before_somebody_else(self, client: Client) -> None:
        on = make.account(make.customer("C-1"), limit="100")
        desk = signed_in(client, "customer_service")
        assert desk.get("/orders/customers/C-1/terms/").status_code == 200

        answer = desk.post("/orders/customers/C-1/terms/", typed(insured_amount="50"))

        assert answer.status_code == 302
        on.refresh_from_db()
        assert (on.credit_limit, on.insured_amount) == (100, 0)
        asked = {each.field for each in ChangeRequest.objects.all()}
        assert asked == {"credit_limit", "credit_terms"}

    @pytest.mark.parametrize("account", ["DE89370400440532013001", "12-34"])
    def test_keeps_what_was_typed_where_a_bank_account_cannot_be(
        self, client: Client, account: str
    ) -> None:
        make.account(make.customer("C-1"))

        answer = signed_in(client, "credit").post(
            "/orders/customers/C-1/terms/", typed(bank_account=account)
        )

        assert answer.status_code == 422
        assert account in answer.content.decode()
        assert not ChangeRequest.objects.exists()

    def test_is_not_there_for_another_entity_s_customer(self, client: Client) -> None:
        other = Entity.objects.create(code="XX", name="X", currency="EUR", country="DE")
        make.company()
        make.account(make.customer("C-9"), other)

        answer = signed_in(client, "credit").get("/orders/customers/C-9/terms/")

        assert answer.status_code == 404

    def test_is_asked_over_rest_too(self) -> None:
        on = make.account(make.customer("C-1"), limit="100")
        api = APIClient()
        api.force_authenticate(make.person("asks", "customer_service"))
        body = {
            "entity": make.company().code,
            "reason": "Insurer agreed",
            "insured_amount": "50.00",
            "bank_account": "de89 3704 0044 0532 0130 00",
        }

        answer = api.post("/api/v1/customers/C-1/terms/", body, format="json")

        assert answer.status_code == 202, answer.json()
        assert len(answer.json()["change_requests"]) == 2
        assert answer.json()["insured_amount"] == "0.0000"
        assert CreditAccount.objects.get(pk=on.pk).insured_amount == 0
        assert api.get("/api/v1/customers/C-1/terms/").json()["currency"] == "USD"


class TestEraseCustomer:
    def test_asks_a_second_person_after_the_code_was_typed(self, client: Client) -> None:
        make.account(make.customer("C-1", contact="Ada"))
        steward = signed_in(client, "steward")
        url, said = "/orders/customers/C-1/erase/", {"reason": "Asked by her", "entity": "US01"}
        assert "Erase personal data" in steward.get("/orders/customers/C-1/").content.decode()

        steward.post(url, said | {"code": "C-2"})
        assert not Approval.objects.exists()
        steward.post(url, said | {"code": "C-1"})

        assert Approval.objects.get().document_kind == "orders.customer.erasure"
        assert Customer.objects.get(code="C-1").contact == "Ada"

    def test_is_offered_to_nobody_else(self, client: Client) -> None:
        make.account(make.customer("C-1"))
        desk = signed_in(client, "credit")

        assert "Erase personal data" not in desk.get("/orders/customers/C-1/").content.decode()
        assert desk.post("/orders/customers/C-1/erase/", {"code": "C-1"}).status_code == 403


def typed(**values: str) -> dict[str, str]:
    return {
        "credit_limit": "250",
        "terms_days": "30",
        "penalty_rate": "0",
        "agreed_terms_days": "30",
        "reason": "They grow",
    } | values

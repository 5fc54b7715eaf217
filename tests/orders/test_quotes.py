"""Quotes on their pages and over REST."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import User
from orders import permissions
from orders.models import Order, Quote
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/quotes/"


@pytest.fixture
def desk(clerk: User) -> User:
    for permission in (
        permissions.VIEW,
        permissions.SUBMIT,
        permissions.VIEW_QUOTE,
        permissions.WRITE_QUOTE,
        permissions.ANSWER_QUOTE,
        permissions.VIEW_CUSTOMER,
    ):
        grant(clerk, permission, make.company())
    make.account(make.customer("ACME"))
    make.priced("10", "HX-110")
    return clerk


@pytest.fixture
def page(desk: User, client: Client) -> Client:
    client.force_login(desk)
    return client


def until() -> str:
    return (timezone.now() + timedelta(days=20)).date().isoformat()


def typed(**values: object) -> dict:
    return {
        "entity": "US01",
        "customer": "ACME",
        "client_key": "k-1",
        "product": ["hx-110", ""],
        "quantity": ["3", ""],
        "uom": ["", ""],
        "price": ["", ""],
        "discount": ["", ""],
        "valid_until": until(),
        "then": "draft",
    } | values


def body(**values: object) -> dict:
    return {
        "entity": "US01",
        "customer": "ACME",
        "valid_until": until(),
        "lines": [{"product": "HX-110", "quantity": "5"}],
    } | values


class TestPages:
    def test_from_writing_to_the_order(self, page) -> None:
        saved = page.post(reverse("orders:new_quote"), typed())
        quote = Quote.objects.get()
        assert (saved.status_code, quote.state, quote.total) == (302, "draft", 30)

        page.post(reverse("orders:edit_quote", args=[quote.number]), typed(quantity=["4", ""]))
        page.post(reverse("orders:send_quote", args=[quote.number]))
        shown = page.get(reverse("orders:quote", args=[quote.number])).content.decode()
        assert "Order it" in shown
        assert "Sent to the customer" in shown

        wish = {"take-1": "3", "customer_po": "PO-9"}
        answer = page.post(reverse("orders:order_quote", args=[quote.number]), wish)

        order = Order.objects.get()
        assert answer["Location"] == reverse("orders:page", args=[order.number])
        assert (order.state, order.total, order.customer_po) == ("released", 30, "PO-9")
        assert Quote.objects.get().state == "accepted"
        listed = page.get(reverse("orders:quotes")).content.decode()
        assert quote.number in listed

    def test_the_next_version_is_written_from_the_one_before(self, page) -> None:
        page.post(reverse("orders:new_quote"), typed(then="send"))
        first = Quote.objects.get()

        form = page.get(reverse("orders:edit_quote", args=[first.number])).content.decode()
        page.post(reverse("orders:edit_quote", args=[first.number]), typed(quantity=["9", ""]))

        second = Quote.objects.order_by("-pk")[0]
        assert f"Next version of {first.number}" in form
        assert (second.version, second.total, second.state) == (2, 90, "draft")
        assert page.get(reverse("orders:quotes")).content.decode().count(first.number + "<") == 0

    def test_what_is_wrong_stands_beside_its_field(self, page) -> None:
        wrong = page.post(reverse("orders:new_quote"), typed(product=["NOPE", ""]))
        past = page.post(reverse("orders:new_quote"), typed(valid_until="2020-01-01"))

        assert (wrong.status_code, past.status_code) == (422, 422)
        assert "There is no such product." in wrong.content.decode()
        assert "It holds through today at least." in past.content.decode()
        assert not Quote.objects.exists()

    def test_prints(self, page) -> None:
        page.post(reverse("orders:new_quote"), typed(then="send"))
        quote = Quote.objects.get()

        first, again = (
            page.get(reverse("orders:quote_pdf", args=[quote.number])) for _ in range(2)
        )

        assert first["Content-Type"] == "application/pdf"
        assert first.content.startswith(b"%PDF-1.")
        assert first.content == again.content

    def test_another_company_s_quote_is_not_there(self, page, desk) -> None:
        page.post(reverse("orders:new_quote"), typed())
        stranger = User.objects.create_user("stranger")
        other = make.company("DE01")
        for permission in (permissions.VIEW_QUOTE, permissions.SUBMIT, permissions.VIEW):
            grant(stranger, permission, other)
        page.force_login(stranger)
        number = Quote.objects.get().number

        assert page.get(reverse("orders:quote", args=[number])).status_code == 404
        assert page.post(reverse("orders:order_quote", args=[number])).status_code == 404


class TestRest:
    def test_create_change_send_and_order_in_parts(self, desk, api: APIClient) -> None:
        made = api.post(URL, body(), format="json")
        number = made.json()["number"]
        changed = api.patch(f"{URL}{number}/", {"freight": "2.50"}, format="json").json()
        sent = api.post(f"{URL}{number}/send/", {}, format="json").json()
        wish = {"lines": [{"line": 1, "quantity": "2"}], "submit": True, "client_key": "k"}
        first = api.post(f"{URL}{number}/order/", wish, format="json")
        again = api.post(f"{URL}{number}/order/", wish, format="json")
        rest = api.post(f"{URL}{number}/order/", {}, format="json")
        over = api.post(f"{URL}{number}/order/", {}, format="json")

        assert (made.status_code, changed["total"], sent["state"]) == (201, "52.5000", "sent")
        assert (first.status_code, first.json()["state"], again.status_code) == (
            201,
            "released",
            200,
        )
        assert first.json()["order"] == again.json()["order"]
        assert rest.status_code == 201
        assert (over.status_code, over.json()["code"]) == (409, "not_orderable")
        shown = api.get(f"{URL}{number}/").json()
        assert shown["lines"][0]["left"] == "0.000"
        assert [order["number"] for order in shown["orders"]] == [
            first.json()["order"],
            rest.json()["order"],
        ]
        assert len(api.get(f"{URL}{number}/timeline/").json()["results"]) == 6

    def test_accept_and_decline_and_revise(self, desk, api: APIClient) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        early = api.post(f"{URL}{number}/accept/", {}, format="json")
        api.post(f"{URL}{number}/send/", {}, format="json")
        declined = api.post(f"{URL}{number}/decline/", {"reason": "Too dear"}, format="json")
        next_one = api.post(f"{URL}{number}/revise/", {"freight": "1"}, format="json").json()

        assert (early.status_code, declined.json()["state"]) == (409, "declined")
        assert (next_one["number"], next_one["version"]) == (f"{number}-2", 2)
        states = {q["number"]: q["state"] for q in api.get(URL).json()["results"]}
        assert states == {number: "superseded", f"{number}-2": "draft"}

    def test_names_what_is_wrong(self, desk, api: APIClient) -> None:
        past = api.post(URL, body(valid_until="2020-01-01"), format="json")
        number = api.post(URL, body(), format="json").json()["number"]
        api.post(f"{URL}{number}/send/", {}, format="json")
        wish = {"lines": [{"line": 7, "quantity": "1"}]}
        lost = api.post(f"{URL}{number}/order/", wish, format="json")

        assert (past.status_code, past.json()["errors"][0]["field"]) == (409, "valid_until")
        assert (lost.status_code, lost.json()["errors"][0]["field"]) == (400, "lines[0].line")

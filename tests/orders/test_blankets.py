"""Blanket orders on their pages and over REST."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from orders import permissions
from orders.models import Blanket, CallOff, Order
from orders.selectors import blanket_board, blanket_pace, blanket_page
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/blanket-orders/"
RIGHTS = (
    permissions.VIEW,
    permissions.SUBMIT,
    permissions.VIEW_CUSTOMER,
    permissions.VIEW_BLANKET,
    permissions.WRITE_BLANKET,
    permissions.CALL_OFF,
)


@pytest.fixture
def desk(clerk: User) -> User:
    for permission in RIGHTS:
        grant(clerk, permission, make.company())
    make.account(make.customer("ACME"))
    make.priced("10", "HX-110")
    return clerk


@pytest.fixture
def page(desk: User, client: Client) -> Client:
    client.force_login(desk)
    return client


def day(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).date().isoformat()


def typed(**values: object) -> dict:
    return {
        "entity": "US01",
        "customer": "ACME",
        "client_key": "k-1",
        "valid_from": day(-10),
        "valid_until": day(90),
        "product": ["hx-110", ""],
        "quantity": ["100", ""],
        "value": ["", ""],
        "price": ["9", ""],
        "tolerance": ["5", ""],
        "then": "activate",
    } | values


def body(**values: object) -> dict:
    return {
        "entity": "US01",
        "customer": "ACME",
        "valid_from": day(-10),
        "valid_until": day(90),
        "activate": True,
        "lines": [{"product": "HX-110", "quantity": "100", "price": "9", "tolerance": "0.05"}],
    } | values


class TestPages:
    def test_from_writing_to_the_order(self, page) -> None:
        saved = page.post(reverse("orders:new_blanket"), typed())
        blanket = Blanket.objects.get()
        assert saved["Location"] == reverse("orders:blanket", args=[blanket.number])
        line = blanket.lines.get()
        assert (blanket.state, line.quantity, line.unit_price, line.tolerance) == (
            "active", 100, 9, Decimal("0.05"),
        )  # fmt: skip

        wish = {"take-1": "30", "customer_po": "PO-9", "requested_date": day(3)}
        answer = page.post(reverse("orders:call_off", args=[blanket.number]), wish)

        order = Order.objects.get()
        assert answer["Location"] == reverse("orders:page", args=[order.number])
        assert (order.total, order.customer_po, order.channel) == (270, "PO-9", "blanket")
        shown = page.get(reverse("orders:blanket", args=[blanket.number])).content.decode()
        assert order.number in shown
        assert "30 %" in shown.replace("\xa0", " ") or "30%" in shown
        assert (
            blanket.number in page.get(reverse("orders:page", args=[order.number])).content.decode()
        )
        listed = page.get(reverse("orders:blankets")).content.decode()
        assert blanket.number in listed

    def test_a_refused_form_keeps_what_was_typed_and_names_the_field(self, page) -> None:
        answer = page.post(
            reverse("orders:new_blanket"),
            typed(product=["NOPE", ""], quantity=["7", ""], valid_until=day(-20)),
        )

        text = answer.content.decode()
        assert answer.status_code == 422
        assert "It ends before it begins." in text
        assert 'value="NOPE"' in text
        answer = page.post(reverse("orders:new_blanket"), typed(product=["NOPE", ""]))
        assert "There is no such product." in answer.content.decode()
        answer = page.post(reverse("orders:new_blanket"), typed(quantity=["many", ""]))
        assert "Write a number such as 12.5." in answer.content.decode()
        assert not Blanket.objects.exists()

    def test_a_delivery_is_planned_tried_and_dropped(self, page) -> None:
        page.post(reverse("orders:new_blanket"), typed())
        blanket = Blanket.objects.get()
        address = reverse("orders:plan_call_off", args=[blanket.number])
        page.post(address, {"line": "1", "quantity": "5", "order_date": day(1), "due_date": day(4)})
        row = CallOff.objects.get()
        assert (row.state, row.quantity) == ("planned", 5)

        change = reverse("orders:drop_call_off", args=[blanket.number, row.pk])
        page.post(change)

        assert CallOff.objects.get().state == "dropped"
        other = reverse("orders:drop_call_off", args=[blanket.number, row.pk + 1])
        assert page.post(other).status_code == 404
        refused = page.post(address, {"line": "1", "quantity": "5", "due_date": ""})
        assert refused.status_code == 409

    @pytest.mark.parametrize("take", [{}, {"take-1": "x"}, {"take-1": "105.001"}])
    def test_a_call_off_that_cannot_be_is_refused(self, page, take) -> None:
        page.post(reverse("orders:new_blanket"), typed())

        answer = page.post(reverse("orders:call_off", args=[Blanket.objects.get().number]), take)

        assert answer.status_code == 409
        assert not Order.objects.exists()

    def test_ended_it_offers_nothing(self, page) -> None:
        page.post(reverse("orders:new_blanket"), typed(then="draft"))
        blanket = Blanket.objects.get()
        page.post(reverse("orders:activate_blanket", args=[blanket.number]))
        page.post(reverse("orders:end_blanket", args=[blanket.number]), {"reason": "Over"})

        shown = page.get(reverse("orders:blanket", args=[blanket.number])).content.decode()

        assert Blanket.objects.get().state == "closed"
        assert 'name="take-1"' not in shown
        assert "Over" in shown

    def test_another_company_s_is_not_there(self, page, desk) -> None:
        other = Entity.objects.create(code="DE01", name="Other", currency="EUR", country="DE")
        page.post(reverse("orders:new_blanket"), typed())
        Blanket.objects.update(entity=other)
        number = Blanket.objects.get().number

        assert page.get(reverse("orders:blanket", args=[number])).status_code == 404
        assert page.post(reverse("orders:call_off", args=[number])).status_code == 404
        assert number not in page.get(reverse("orders:blankets")).content.decode()

    def test_the_page_takes_a_fixed_number_of_queries(
        self, page, django_assert_max_num_queries
    ) -> None:
        page.post(reverse("orders:new_blanket"), typed())
        number = Blanket.objects.get().number
        for take in ("1", "2", "3"):
            page.post(reverse("orders:call_off", args=[number]), {"take-1": take})
        page.get(reverse("orders:blanket", args=[number]))

        with django_assert_max_num_queries(20):
            page.get(reverse("orders:blanket", args=[number]))


class TestRest:
    def test_the_whole_life(self, desk, api: APIClient) -> None:
        made = api.post(URL, body())
        assert made.status_code == 201
        number = made.json()["number"]
        line = made.json()["lines"][0]
        assert (made.json()["state"], line["left"], line["unit_price"]) == (
            "active",
            "100.000",
            "9.0000",
        )

        wish = {"lines": [{"line": 1, "quantity": "40"}], "client_key": "c-1"}
        first = api.post(f"{URL}{number}/call-off/", wish)
        again = api.post(f"{URL}{number}/call-off/", wish)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["order"] == again.json()["order"] == Order.objects.get().number

        shown = api.get(f"{URL}{number}/").json()
        assert (shown["lines"][0]["left"], shown["called_off"]) == ("60.000", "0.4000")
        planned = api.post(
            f"{URL}{number}/schedule/",
            {"call_offs": [{"line": 1, "quantity": "5", "due_date": day(20)}]},
        )
        row = planned.json()["call_offs"][0]
        assert (row["state"], row["order_date"]) == ("planned", day(20))
        dropped = api.post(f"{URL}{number}/call-offs/{row['id']}/drop/", {})
        assert dropped.json()["call_offs"][0]["state"] == "dropped"
        closed = api.post(f"{URL}{number}/close/", {"reason": "Done"})
        assert (closed.json()["state"], closed.json()["end_reason"]) == ("closed", "Done")
        refused = api.post(f"{URL}{number}/call-off/", wish | {"client_key": "c-2"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_active")
        told = api.get(f"{URL}{number}/timeline/").json()["results"]
        assert told[0]["action"] == "orders.end_blanket"

    def test_an_idempotency_key_answers_the_same(self, desk, api: APIClient) -> None:
        first = api.post(URL, body(), headers={"Idempotency-Key": "a"})
        again = api.post(URL, body(), headers={"Idempotency-Key": "a"})
        other = api.post(URL, body(customer_po="X"), headers={"Idempotency-Key": "a"})

        assert first.json() == again.json()
        assert (other.status_code, Blanket.objects.count()) == (422, 1)

    def test_what_is_wrong_is_named(self, desk, api: APIClient) -> None:
        number = api.post(URL, body()).json()["number"]

        for wish, field in (
            (body(lines=[{"product": "NOPE", "quantity": "1"}]), "lines[0].product"),
            (body(lines=[{"product": "HX-110"}]), "lines[0].quantity"),
            (body(valid_until=day(-30)), "valid_until"),
            (body(customer="NOPE"), "customer"),
        ):
            answer = api.post(URL, wish)
            assert answer.status_code in {400, 409}, wish
            assert answer.json()["errors"][0]["field"] == field
        answer = api.post(f"{URL}{number}/call-off/", {"lines": [{"line": 2, "quantity": "1"}]})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "lines[0].line")

    def test_lists_are_filtered(self, desk, api: APIClient) -> None:
        number = api.post(URL, body()).json()["number"]

        assert [r["number"] for r in api.get(URL, {"state": "active"}).json()["results"]] == [
            number
        ]
        assert api.get(URL, {"state": "draft"}).json()["results"] == []
        assert api.get(URL, {"valid_before": day(90)}).json()["results"] == []

    def test_calling_off_is_a_right_of_its_own(self, clerk, api: APIClient) -> None:
        grant(clerk, permissions.VIEW_BLANKET, make.company())

        assert api.get(URL).status_code == 200
        assert api.post(URL, body()).status_code == 403
        assert api.post(f"{URL}BO-1/call-off/", {}).status_code == 403


class TestSelectors:
    def test_ending_soon_lists_active_ones_within_thirty_days(self, desk, api: APIClient) -> None:
        for last in (30, 31):
            api.post(URL, body(valid_until=day(last)))
        api.post(URL, body(valid_until=day(5), activate=False))

        rows, _more = blanket_board(
            entity_ids=[make.company().pk], now=timezone.now(), state="ending", limit=10
        )

        assert [row.days_left for row in rows] == [30]
        assert rows[0].is_ending

    def test_the_pace_adds_up_and_a_cancelled_order_gives_back(self, desk, api: APIClient) -> None:
        number = api.post(URL, body()).json()["number"]
        for quantity in ("10", "20"):
            wish = {"lines": [{"line": 1, "quantity": quantity}], "client_key": quantity}
            api.post(f"{URL}{number}/call-off/", wish)

        page = blanket_page(number=number, entity_ids=[make.company().pk], now=timezone.now())
        assert page is not None

        assert [share for _day, share in blanket_pace(page=page)] == [Decimal("0.3")]
        assert page.called == Decimal("0.3")

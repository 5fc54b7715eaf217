"""orders/services/reserving/_keeping.py, its resource and its page."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import User
from inventory.models import Product, Reservation, Stock
from inventory.services.keeping import release_lapsed
from orders import permissions
from orders.models import CreditAccount, Order, SetAside
from orders.services.reserving import (
    NotEnoughFree,
    NotKeptAnyMore,
    NotTheirOrder,
    SetAsideDraft,
    TooLong,
    extend_set_aside,
    give_back_set_aside,
    set_aside,
    use_set_aside,
)
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
NOW = make.NOW
FRIDAY = NOW + timedelta(days=4)


@pytest.fixture
def acme() -> CreditAccount:
    return make.account(make.customer("ACME"))


@pytest.fixture
def pen() -> Product:
    return make.priced("10", "PEN")


def drafted(on: CreditAccount, part: Product, quantity: int, **values: object) -> SetAsideDraft:
    base: dict = {
        "entity_id": on.entity_id, "customer_id": on.customer_id, "product_id": part.pk,
        "quantity": Decimal(quantity), "until": FRIDAY,
    }  # fmt: skip
    return SetAsideDraft(**base | values)


def kept(on: CreditAccount, part: Product, quantity: int = 4, **values: object) -> SetAside:
    return set_aside(draft=drafted(on, part, quantity, **values), actor=None, now=NOW)


def reserved() -> Decimal:
    return sum((stock.reserved for stock in Stock.objects.all()), Decimal(0))


class TestSetAside:
    def test_keeps_stock_until_its_moment(self, acme, pen) -> None:
        make.stocked(pen, 5)
        made = kept(acme, pen)

        (reservation,) = Reservation.objects.all()
        assert made.number.startswith("KP-")
        assert (reservation.quantity, reservation.expires_at) == (4, FRIDAY)
        assert reserved() == 4

    def test_all_or_nothing(self, acme, pen) -> None:
        make.stocked(pen, 3)
        make.stocked(pen, 0 + 3, node=make.node("B"))

        with pytest.raises(NotEnoughFree):
            kept(acme, pen, node_id=make.node().pk)

        assert reserved() == 0
        assert not SetAside.objects.exists()
        kept(acme, pen, 6)
        assert reserved() == 6

    @pytest.mark.parametrize("days", [0, 61, -1])
    def test_refuses_a_moment_that_is_over_or_too_far(self, acme, pen, days) -> None:
        make.stocked(pen, 5)
        with pytest.raises(TooLong):
            kept(acme, pen, until=NOW + timedelta(days=days))
        assert reserved() == 0
        kept(acme, pen, until=NOW + timedelta(days=60))

    def test_refuses_a_customer_of_another_company(self, acme, pen) -> None:
        make.stocked(pen, 5)
        stranger = make.account(entity=make.company("US02"))
        with pytest.raises(NotTheirOrder):
            kept(acme, pen, customer_id=stranger.customer_id)
        assert reserved() == 0


class TestGiveBack:
    def test_frees_it_once(self, acme, pen) -> None:
        make.stocked(pen, 5)
        made = kept(acme, pen)
        for _ in range(2):
            give_back_set_aside(set_aside_id=made.pk, actor=None, now=NOW)

        assert reserved() == 0
        assert SetAside.objects.get().state == "released"

    def test_the_clock_gives_back_what_is_left(
        self, acme, pen, deliver_all: Callable[[], int]
    ) -> None:
        make.stocked(pen, 5)
        made = kept(acme, pen)
        release_lapsed(now=FRIDAY - timedelta(seconds=1))
        assert reserved() == 4

        release_lapsed(now=FRIDAY)
        deliver_all()

        assert reserved() == 0
        assert SetAside.objects.get().state == "lapsed"
        with pytest.raises(NotKeptAnyMore):
            give_back_set_aside(set_aside_id=made.pk, actor=None, now=NOW)

    def test_extended_it_stays_longer_never_shorter(self, acme, pen) -> None:
        make.stocked(pen, 5)
        made = kept(acme, pen)
        later = FRIDAY + timedelta(days=7)
        extend_set_aside(set_aside_id=made.pk, until=later, actor=None, now=NOW)

        assert Reservation.objects.get().expires_at == later
        with pytest.raises(TooLong):
            extend_set_aside(set_aside_id=made.pk, until=FRIDAY, actor=None, now=NOW)


class TestUse:
    def test_goes_to_their_order_and_to_nobody_else(self, acme, pen) -> None:
        make.stocked(pen, 4)
        made = kept(acme, pen)
        other = make.allocated(make.account(), make.line(pen, 4))
        order = make.allocated(acme, make.line(pen, 4))
        assert {other.state, order.state} == {"backordered"}

        for _ in range(2):
            use_set_aside(set_aside_id=made.pk, order_id=order.pk, actor=None, now=NOW)

        order, other = Order.objects.get(pk=order.pk), Order.objects.get(pk=other.pk)
        assert (order.state, other.state) == ("allocated", "backordered")
        assert (SetAside.objects.get().state, SetAside.objects.get().order) == ("used", order)
        assert reserved() == 4

    def test_refuses_anothers_order_and_one_that_does_not_wait(self, acme, pen) -> None:
        make.stocked(pen, 4)
        made = kept(acme, pen)
        other = make.allocated(make.account(), make.line(pen, 4))
        draft = make.created(acme, make.line(pen, 4))

        for order in (other, draft):
            with pytest.raises(NotTheirOrder):
                use_set_aside(set_aside_id=made.pk, order_id=order.pk, actor=None, now=NOW)
        assert SetAside.objects.get().state == "kept"
        assert reserved() == 4


@pytest.fixture
def seller(clerk: User) -> User:
    for permission in (permissions.VIEW, permissions.SET_ASIDE):
        grant(clerk, permission, make.company())
    return clerk


URL = "/api/v1/set-asides/"


def body(**values: object) -> dict:
    until = (timezone.now() + timedelta(days=3)).isoformat()
    asked = {"entity": "US01", "customer": "ACME", "product": "PEN", "quantity": "4"}
    return asked | {"until": until} | values


class TestRest:
    def test_kept_listed_extended_and_given_back(self, seller, api: APIClient, acme, pen) -> None:
        make.stocked(pen, 5)
        made = api.post(URL, body(node="DC-A", note="For the fair"), format="json")
        at = f"{URL}{made.json()['number']}/"

        assert made.status_code == 201
        assert (made.json()["places"], made.json()["quantity"]) == ("DC-A", "4.000")
        (row,) = api.get(URL, {"state": "kept", "product": "PEN"}).json()["results"]
        assert row["number"] == made.json()["number"]
        later = (timezone.now() + timedelta(days=9)).isoformat()
        assert api.post(f"{at}extend/", {"until": later}, format="json").status_code == 200
        assert api.post(f"{at}release/", {}, format="json").json()["state"] == "released"
        assert reserved() == 0

    def test_a_shortage_is_a_refusal(self, seller, api, acme, pen) -> None:
        answer = api.post(URL, body(), format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_enough_free")

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"quantity": "0"}, "quantity"),
            ({"product": "NONE"}, "product"),
            ({"customer": "NONE"}, "customer"),
            ({"node": "NONE"}, "node"),
            ({"quote": "QT-0"}, "quote"),
            ({"until": "soon"}, "until"),
        ],
    )
    @pytest.mark.usefixtures("seller", "acme", "pen")
    def test_names_the_field_that_is_wrong(self, api, change, field) -> None:
        answer = api.post(URL, body(**change), format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)

    def test_another_companys_are_not_there(self, seller, api, pen) -> None:
        there = make.account(entity=make.company("US02"))
        make.stocked(pen, 5, node=make.node("X", entity=there.entity), entity=there.entity)
        made = kept(there, pen)

        assert api.get(URL).json()["results"] == []
        assert api.get(f"{URL}{made.number}/").status_code == 404
        assert api.post(f"{URL}{made.number}/release/", {}, format="json").status_code == 404
        assert SetAside.objects.get().state == "kept"


class TestPage:
    def test_reserved_from_the_finder_shown_and_given_to_an_order(
        self, seller: User, client: Client, acme, pen
    ) -> None:
        make.stocked(pen, 4)
        client.force_login(seller)
        day = (timezone.localdate() + timedelta(days=3)).isoformat()
        typed = {"entity": acme.entity_id, "product": "PEN", "quantity": "4", "node": "DC-A",
                 "customer": "ACME", "until": day}  # fmt: skip

        assert client.post("/orders/set-asides/new/", typed | {"until": ""}).status_code == 422
        assert client.post("/orders/set-asides/new/", typed).status_code == 302
        made = SetAside.objects.get()
        assert made.number in client.get("/orders/set-asides/", {"product": "PEN"}).text
        order = make.allocated(acme, make.line(pen, 4))
        answer = client.post(f"/orders/set-asides/{made.number}/use/", {"reason": order.number})

        assert answer["Location"] == f"/orders/{order.number}/"
        assert Order.objects.get().state == "allocated"

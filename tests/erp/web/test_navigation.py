"""erp/web/navigation.py"""

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import include, path

from erp.accounts.middleware import scope
from erp.accounts.models import Entity, Role, User
from erp.kernel.access import requires
from erp.web.navigation import GROUPS, navigation, page_of

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


@requires("orders.view_order")
def board(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@requires("finance.post_payment")
def payments(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def unguarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


OF_ORDERS = [path("", board, name="board"), path("q/", board, name="quotes")]
OF_FINANCE = [path("p/", payments, name="payments"), path("i/", unguarded, name="invoices")]
urlpatterns = [
    path("orders/", include((OF_ORDERS, "orders"))),
    path("finance/", include((OF_FINANCE, "finance"))),
    path("", include("erp.web.urls")),
]


def request_of(user: User, where: str = "/") -> HttpRequest:
    request: Any = RequestFactory().get(where)
    request.user, request.session = user, {}
    request.scope = lambda permission: scope(request, permission)
    return request


def labels(user: User, where: str = "/") -> list[str]:
    return [line.label for _g, lines in navigation(request_of(user, where)) for line in lines]


@pytest.mark.urls(__name__)
class TestNavigation:
    def test_shows_what_the_person_may_open(self, entity: Entity, person: Person) -> None:
        assert labels(person(Role.BUYER, entity)) == ["My day", "Orders", "Quotes"]
        assert labels(person(Role.AR, entity, name="ar")) == [
            "My day", "Orders", "Quotes", "Payments",
        ]  # fmt: skip

    def test_shows_a_person_without_a_role_their_day(self, person: Person) -> None:
        assert labels(person()) == ["My day"]

    def test_offers_no_page_that_names_no_permission(self, admin_user: User) -> None:
        assert "Invoices" not in labels(admin_user)

    def test_leaves_out_what_has_no_page(self, admin_user: User) -> None:
        assert "Control tower" not in labels(admin_user)

    @pytest.mark.parametrize(
        ("where", "label"),
        [("/", "My day"), ("/orders/", "Orders"), ("/orders/SO-1/", "Orders"),
         ("/orders/q/7/", "Quotes")],
    )  # fmt: skip
    def test_marks_where_the_person_is(self, admin_user: User, where: str, label: str) -> None:
        lines = [line for _g, ls in navigation(request_of(admin_user, where)) for line in ls]

        assert [line.label for line in lines if line.current] == [label]

    def test_counts_once_in_a_while(
        self, entity: Entity, person: Person, django_assert_num_queries: Callable[..., Any]
    ) -> None:
        user = person(Role.BUYER, entity)
        navigation(request_of(user))

        with django_assert_num_queries(0):
            navigation(request_of(user))

    def test_is_drawn_without_a_cache(self, entity: Entity, person: Person) -> None:
        with patch("erp.web.counts.cache.get_many", side_effect=ConnectionError):
            assert "Orders" in labels(person(Role.BUYER, entity))


class TestPartial:
    def test_is_as_for_the_page_it_stands_on(self, client: Client, person: Person) -> None:
        client.force_login(person())

        assert 'aria-current="page"' in client.get("/navigation/?at=/").content.decode()
        assert 'aria-current="page"' not in client.get("/navigation/?at=/x/").content.decode()


@pytest.mark.parametrize("item", [i for _g, items in GROUPS for i in items], ids=lambda i: i.url)
class TestItem:
    def test_its_page_names_a_permission_if_it_exists(self, item: Any) -> None:
        page = page_of(item.url)

        assert page is None or page[1] != "-"

    def test_has_an_icon(self, item: Any) -> None:
        from lucide import _load_icon  # noqa: PLC0415

        assert _load_icon(item.icon) is not None

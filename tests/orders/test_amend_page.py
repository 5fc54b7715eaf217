"""orders/views/_amend.py: changing an order on its page."""

import pytest
from django.test import Client
from django.urls import reverse

from erp.accounts.models import User
from orders import permissions
from orders.models import CreditAccount, Order
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(clerk: User, client: Client) -> Client:
    for permission in (permissions.VIEW, permissions.SUBMIT, permissions.VIEW_CUSTOMER):
        grant(clerk, permission, make.company())
    client.force_login(clerk)
    return client


def order() -> Order:
    part = make.priced("10", "HX-110")
    make.stocked(part, 9)
    return make.allocated(make.account(), make.line(part, 3))


def typed(of: Order, **values: object) -> dict:
    return {
        "revision": of.revision,
        "quantity-1": "3",
        "price-1": "10.0000",
        "disposition-1": "backorder",
        "requested_date": of.requested_date.isoformat(),
        "freight": "0.00",
    } | values


def test_the_order_is_edited_in_place_and_does_not_refresh_meanwhile(page) -> None:
    made = order()
    address = reverse("orders:page", args=[made.number])

    shown = page.get(address).content.decode()
    edited = page.get(address, {"amend": "1"}).content.decode()

    assert 'href="?amend=1#lines"' in shown
    assert "live:orders" in shown
    assert 'name="quantity-1"' in edited
    assert "live:orders" not in edited


def test_a_quantity_and_a_new_line_are_taken(page) -> None:
    made = order()
    make.priced("7", "HX-220")
    wish = typed(made, **{"quantity-1": "5", "reason": "They called"})
    wish |= {"new-product": ["hx-220", ""], "new-quantity": ["2", ""], "new-price": ["", ""]}

    answer = page.post(reverse("orders:amend", args=[made.number]), wish)

    first, added = make.lines_of(made)
    assert answer.status_code == 302
    assert (first.quantity, first.reserved, added.quantity, added.unit_price) == (5, 5, 2, 7)
    assert CreditAccount.objects.get(pk=made.account_id).committed == 64
    assert "revision 1" in page.get(answer["Location"]).content.decode()


def test_what_nobody_changed_stays(page) -> None:
    made = order()

    page.post(reverse("orders:amend", args=[made.number]), typed(made))

    assert Order.objects.get(pk=made.pk).revision == 0


@pytest.mark.parametrize(
    "wrong",
    [{"quantity-1": "many"}, {"price-1": "1e9"}, {"ship_to": "NOPE"}, {"revision": "7"}],
)
def test_what_cannot_be_is_a_sentence(page, wrong) -> None:
    made = order()

    answer = page.post(reverse("orders:amend", args=[made.number]), typed(made, **wrong))

    assert answer.status_code == 409
    assert Order.objects.get(pk=made.pk).revision == 0


def test_who_may_only_look_sees_no_way_to_change(client, clerk) -> None:
    grant(clerk, permissions.VIEW, make.company())
    client.force_login(clerk)
    made = order()

    assert "amend=1" not in client.get(reverse("orders:page", args=[made.number])).content.decode()
    assert client.post(reverse("orders:amend", args=[made.number]), {}).status_code == 403

"""Pages about a drop-ship: the purchase, the order, and the supplier's notice."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from inventory.models import Shipment
from tests.finance import drops, factories
from tests.finance.factories import World

SignIn = Callable[..., Client]


@pytest.fixture
def signed_in(world: World) -> SignIn:
    """Sign somebody in who has these roles in the world's entity, or another one."""

    def sign_in(*roles: Role, where: World = world) -> Client:
        user = User.objects.create_user(f"user-{User.objects.count()}")
        for role in roles:
            assign_role(user=user, entity=where.entity, role=role)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def test_the_purchase_says_where_it_goes_and_for_which_order(
    world: World, signed_in: SignIn
) -> None:
    line = drops.proposed(world, "10")
    number = drops.written(line).number

    page = signed_in(Role.BUYER).get(reverse("procurement:order", args=[number])).content.decode()

    assert "straight to the customer of" in page
    assert "1 Dock Road" in page
    assert line.order.number in page


def test_the_order_says_which_supplier_sends_the_line_and_when(
    world: World, signed_in: SignIn
) -> None:
    line = drops.proposed(world, "10")
    order = drops.sent(line)

    page = signed_in(Role.ORDER_DESK).get(reverse("orders:page", args=[line.order.number]))

    shown = page.content.decode()
    assert "10 straight from the supplier" in shown
    assert f"Acme · {order.number}" in shown


def test_the_suppliers_notice_is_taken_on_the_page(world: World, signed_in: SignIn) -> None:
    line = drops.proposed(world, "10")
    order = drops.sent(line)
    client = signed_in(Role.WAREHOUSE)
    address = reverse("finance:receive", args=[order.number])
    field = f"came_{order.lines.get().pk}"

    shown = client.get(address).content.decode()
    over = client.post(address, {field: "11"})
    done = client.post(address, {field: "10", "tracking": "1Z9"}, follow=True)

    assert "Supplier sent it" in shown
    assert over.status_code == 422
    shipment = Shipment.objects.get()
    assert (shipment.state, shipment.tracking_number) == ("shipped", "1Z9")
    assert shipment.number in done.content.decode()


def test_it_is_not_there_for_another_company(world: World, signed_in: SignIn) -> None:
    order = drops.sent(drops.proposed(world, "10"))
    other = signed_in(Role.WAREHOUSE, where=factories.world("US02"))

    assert other.get(reverse("finance:receive", args=[order.number])).status_code == 404
    assert other.get(reverse("procurement:order", args=[order.number])).status_code == 404

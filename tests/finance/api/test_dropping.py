"""finance/api/views/_floor.py: what a supplier sent straight to a customer, told over REST."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from inventory.models import Shipment
from tests.finance import drops, factories
from tests.finance.factories import World

Client = Callable[..., APIClient]
BASE = "/api/v1/purchase-orders"


@pytest.fixture
def client(world: World) -> Client:
    """Sign somebody in who has these roles in the world's entity, or another one."""

    def sign_in(*roles: Role, where: World = world) -> APIClient:
        user = User.objects.create_user(f"user-{User.objects.count()}")
        for role in roles:
            assign_role(user=user, entity=where.entity, role=role)
        api = APIClient()
        api.force_authenticate(user)
        return api

    return sign_in


def told(quantity: str, **more: object) -> dict[str, object]:
    return {"lines": [{"line": 1, "quantity": quantity}], **more}


class TestReceive:
    def test_takes_the_suppliers_notice_and_names_the_shipment(
        self, world: World, client: Client
    ) -> None:
        line = drops.proposed(world, "10")
        number = drops.sent(line).number
        api = client(Role.WAREHOUSE)

        done = api.post(f"{BASE}/{number}/receive/", told("10", tracking="1Z9"), format="json")

        shipment = Shipment.objects.get()
        assert done.status_code == 201
        assert done.json()["shipment"] == shipment.number
        assert (done.json()["order"], done.json()["value"]) == (number, "60.0000")
        assert shipment.tracking_number == "1Z9"
        shown = api.get(f"{BASE}/{number}/").json()
        assert (shown["drop_ship"], shown["state"]) == (True, "received")
        assert shown["sales_order"] == line.order.number
        assert shown["ship_to"]["city"] == "Dayton"

    def test_sent_again_with_its_key_is_answered_as_before(
        self, world: World, client: Client
    ) -> None:
        number = drops.sent(drops.proposed(world, "10")).number
        api = client(Role.WAREHOUSE)
        key = {"Idempotency-Key": "notice-1"}

        answers = [
            api.post(f"{BASE}/{number}/receive/", told("4"), format="json", headers=key).json()
            for _ in range(2)
        ]

        assert answers[0] == answers[1]
        assert Shipment.objects.count() == 1

    def test_refuses_more_than_is_due_and_names_the_field(
        self, world: World, client: Client
    ) -> None:
        number = drops.sent(drops.proposed(world, "10")).number

        refused = client(Role.WAREHOUSE).post(
            f"{BASE}/{number}/receive/", told("11"), format="json"
        )

        assert (refused.status_code, refused.json()["code"]) == (409, "bad_receipt")
        assert "lines[0].quantity" in refused.content.decode()
        assert not Shipment.objects.exists()

    def test_is_not_there_for_another_company_nor_for_who_may_not(
        self, world: World, client: Client
    ) -> None:
        number = drops.sent(drops.proposed(world, "10")).number
        elsewhere = factories.world("US02")

        other = client(Role.WAREHOUSE, where=elsewhere).post(
            f"{BASE}/{number}/receive/", told("1"), format="json"
        )
        seller = client(Role.EXECUTIVE).post(f"{BASE}/{number}/receive/", told("1"), format="json")

        assert (other.status_code, seller.status_code) == (404, 403)
        assert not Shipment.objects.exists()

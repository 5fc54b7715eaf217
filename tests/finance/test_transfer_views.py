"""Tests finance/views/_transfers.py and finance/api/views/_transfers.py."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from inventory.models import Transfer
from tests.finance import factories
from tests.finance.factories import World, product
from tests.finance.transfers import approved, on_hand, piece_of, requested, second_node, sent

BASE = "/api/v1/transfers"


def somebody(where: World, *roles: Role) -> User:
    user = User.objects.create_user(f"user-{User.objects.count()}")
    for role in roles:
        assign_role(user=user, entity=where.entity, role=role)
    return user


@pytest.fixture
def signed_in(world: World) -> Callable[..., Client]:
    def sign_in(*roles: Role, where: World = world) -> Client:
        client = Client()
        client.force_login(somebody(where, *roles))
        return client

    return sign_in


@pytest.fixture
def rest(world: World) -> Callable[..., APIClient]:
    def sign_in(*roles: Role, where: World = world) -> APIClient:
        api = APIClient()
        api.force_authenticate(somebody(where, *roles))
        return api

    return sign_in


def post(api: APIClient, path: str, body: Any = None) -> Any:
    return api.post(f"{BASE}/{path}", body or {}, format="json")


class TestPages:
    def test_take_a_transfer_from_the_question_to_the_shelf(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods, there = product(world, on_hand="10"), second_node(world)
        client = signed_in(Role.OPERATIONS_LEAD)

        asked = client.post(
            reverse("finance:ask_transfer"),
            {
                "origin": f"{world.entity.pk}.{world.node.pk}",
                "destination": f"{world.entity.pk}.{there.pk}",
                "products": f"{goods.code} 4\n",
                "reason": "Runs out",
            },
        )
        transfer = Transfer.objects.get()
        line = transfer.lines.get()
        page = client.get(asked.url)  # type: ignore[attr-defined]
        pick = reverse("finance:pick_transfer", args=[transfer.number])
        client.post(pick, {f"found_{line.pk}": "4"})
        client.post(reverse("finance:ship_transfer", args=[transfer.number]))
        piece = piece_of(transfer)
        receive = reverse("finance:receive_transfer", args=[transfer.number])
        shown = client.get(receive)
        done = client.post(receive, {f"received_{piece.pk}": "3", f"damaged_{piece.pk}": "1"})

        assert (page.status_code, shown.status_code, done.status_code) == (200, 200, 302)
        assert Transfer.objects.get().state == "closed"
        assert (on_hand(goods, there), on_hand(goods, there, "damaged")) == (3, 1)

    def test_say_what_is_wrong_and_change_nothing(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        transfer = sent(world, (product(world), "4"), to=second_node(world))
        piece = piece_of(transfer)
        client = signed_in(Role.OPERATIONS_LEAD)
        receive = reverse("finance:receive_transfer", args=[transfer.number])
        settle = reverse("finance:settle_transfer", args=[transfer.number])

        refused = [
            client.post(receive, {f"received_{piece.pk}": "5"}),
            client.post(receive, {}),
            client.post(receive, {f"over_{piece.pk}": "1"}),
            client.post(settle, {f"lost_{piece.pk}": "1"}),
            client.post(reverse("finance:ask_transfer"), {"products": "NO-SUCH 1"}),
        ]

        assert [each.status_code for each in refused] == [422] * 5
        assert Transfer.objects.get().state == "in_transit"

    def test_keep_to_their_entity_and_permission(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        other = factories.world("DE01", "EUR")
        theirs = approved(other, (product(other), "1"), to=second_node(other, "DC-3"))
        ours = approved(world, (product(world), "1"), to=second_node(world))
        client = signed_in(Role.WAREHOUSE)

        listed = client.get(reverse("finance:transfers")).content.decode()

        assert ours.number in listed
        assert theirs.number not in listed
        assert client.get(reverse("finance:transfer", args=[theirs.number])).status_code == 404
        path = reverse("finance:approve_transfer", args=[ours.number])
        assert client.post(path).status_code == 403
        assert client.get(reverse("finance:settle_transfer", args=[ours.number])).status_code == 403

    def test_let_the_buyer_receive_and_not_send(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        sister = factories.world("US02", "USD")
        transfer = approved(world, (product(world), "2"), to=sister.node, buyer=sister.entity)
        client = signed_in(Role.OPERATIONS_LEAD, where=sister)

        shown = client.get(reverse("finance:transfer", args=[transfer.number]))
        refused = client.post(reverse("finance:ship_transfer", args=[transfer.number]))

        assert (shown.status_code, refused.status_code) == (200, 404)

    def test_agree_to_what_somebody_else_asked_for(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods = product(world, on_hand="9000")
        transfer = requested(world, (goods, "5000"), to=second_node(world))
        assert transfer.state == "requested"

        answer = signed_in(Role.OPERATIONS_LEAD).post(
            reverse("finance:approve_transfer", args=[transfer.number])
        )

        assert answer.status_code == 302
        assert Transfer.objects.get().state == "approved"


class TestResource:
    def test_goes_through_its_commands(self, world: World, rest: Callable[..., APIClient]) -> None:
        goods, there = product(world, on_hand="10"), second_node(world)
        api = rest(Role.OPERATIONS_LEAD)
        body = {
            "entity": world.entity.code, "origin": world.node.code, "destination": there.code,
            "reason": "Runs out", "lines": [{"product": goods.code, "quantity": "4"}],
        }  # fmt: skip

        made = post(api, "", body)
        number = made.json()["number"]
        states = [
            post(api, f"{number}/{verb}/", body).json()["state"]
            for verb, body in [("pick", {}), ("ship", {}), ("receive", {})]
        ]
        shown = api.get(f"{BASE}/{number}/").json()

        assert (made.status_code, made["Location"]) == (201, f"{BASE}/{number}/")
        assert states == ["picked", "in_transit", "closed"]
        assert shown["lines"][0]["pieces"][0]["received"] == "4.000"
        assert api.get(f"{BASE}/?state=closed").json()["results"][0]["number"] == number

    def test_names_the_wrong_field(self, world: World, rest: Callable[..., APIClient]) -> None:
        api = rest(Role.PLANNER)
        body = {
            "entity": world.entity.code, "origin": "NOWHERE", "destination": world.node.code,
            "reason": "x", "lines": [{"product": "NONE", "quantity": "4"}],
        }  # fmt: skip

        nowhere = post(api, "", body).json()
        unknown = post(api, "", body | {"origin": world.node.code}).json()
        nothing = post(api, "", body | {"lines": []}).json()

        assert nowhere["errors"][0]["field"] == "origin"
        assert unknown["errors"][0]["field"] == "lines.0.product"
        assert nothing["errors"][0]["field"].startswith("lines")
        assert not Transfer.objects.exists()

    def test_settles_only_by_who_may(self, world: World, rest: Callable[..., APIClient]) -> None:
        transfer = sent(world, (product(world), "4"), to=second_node(world))
        lines = [{"piece": piece_of(transfer).pk, "quantity": "1", "outcome": "lost"}]
        body = {"lines": lines, "note": "Gone"}

        said = post(rest(Role.WAREHOUSE), f"{transfer.number}/receive/", body)
        forbidden = post(rest(Role.WAREHOUSE), f"{transfer.number}/settle/", body)
        done = post(rest(Role.CONTROLLER), f"{transfer.number}/settle/", body)

        assert (said.status_code, forbidden.status_code, done.status_code) == (400, 403, 200)
        assert Decimal(done.json()["lines"][0]["pieces"][0]["lost"]) == 1

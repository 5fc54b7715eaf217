"""Tests finance/views/_corrections.py and finance/api/views/_corrections.py."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from inventory.models import Correction, Lot, Product, Stock
from tests.finance import factories
from tests.finance.factories import NOW, World, product

BASE = "/api/v1/adjustments"


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


def asked(where: World, products: str, **values: str) -> dict[str, str]:
    return {
        "node": f"{where.entity.pk}.{where.node.pk}",
        "status": "available",
        "to_status": "",
        "products": products,
        "reason": "Fell off a shelf",
        **values,
    }


class TestPages:
    def test_take_a_quarantine_from_asking_to_letting_go(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods = product(world, on_hand="10")
        lead, other = signed_in(Role.OPERATIONS_LEAD), signed_in(Role.OPERATIONS_LEAD)
        ask = reverse("finance:ask_correction")

        lead.post(ask, asked(world, f"{goods.code} 4", to_status="quarantine"))
        aside = Correction.objects.get()
        put = lead.post(reverse("finance:post_correction", args=[aside.number]))
        back = {"status": "quarantine", "to_status": "available"}
        lead.post(ask, asked(world, f"{goods.code} 4", **back))
        release = Correction.objects.latest("pk")
        own = lead.post(reverse("finance:approve_correction", args=[release.number]))
        early = lead.post(reverse("finance:post_correction", args=[release.number]))
        agreed = other.post(reverse("finance:approve_correction", args=[release.number]))
        let_go = lead.post(reverse("finance:post_correction", args=[release.number]))
        page = other.get(reverse("finance:correction", args=[release.number]))
        listed = other.get(reverse("finance:corrections"), {"state": "all"})

        assert (put.status_code, agreed.status_code, let_go.status_code) == (302, 302, 302)
        assert (own.status_code, early.status_code) == (409, 409)
        assert page.status_code == 200
        assert release.number in listed.content.decode()
        assert Stock.objects.get(product=goods, status="available").on_hand == 10

    @pytest.mark.parametrize(
        "products", ["", "NOPE 1", "{code}", "{code} x", "{code} 0", "{code} NaN", "{code} @L9 1"]
    )
    def test_say_what_they_do_not_understand(
        self, world: World, signed_in: Callable[..., Client], products: str
    ) -> None:
        code = product(world).code

        answer = signed_in(Role.WAREHOUSE).post(
            reverse("finance:ask_correction"), asked(world, products.format(code=code))
        )

        assert answer.status_code == 422
        assert not Correction.objects.exists()

    def test_take_a_lot_after_an_at(self, world: World, signed_in: Callable[..., Client]) -> None:
        milk = Product.objects.create(code="MILK 1L", name="Milk", tracking="lot")
        lot = Lot.objects.create(product=milk, code="A1", created_at=NOW)

        answer = signed_in(Role.WAREHOUSE).post(
            reverse("finance:ask_correction"), asked(world, "MILK 1L @A1 2,5")
        )

        assert answer.status_code == 302
        line = Correction.objects.get().lines.get()
        assert (line.lot_id, str(line.quantity)) == (lot.pk, "2.500")

    def test_are_called_off_with_a_reason(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        lead = signed_in(Role.OPERATIONS_LEAD)
        lead.post(reverse("finance:ask_correction"), asked(world, f"{product(world).code} -1"))
        url = reverse("finance:cancel_correction", args=[Correction.objects.get().number])

        without, done = lead.post(url), lead.post(url, {"reason": "Found it"})

        assert (without.status_code, done.status_code) == (409, 302)
        assert Correction.objects.get().state == "cancelled"

    def test_hide_what_others_own_and_who_may_not_look(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        lead = signed_in(Role.OPERATIONS_LEAD)
        lead.post(reverse("finance:ask_correction"), asked(world, f"{product(world).code} -1"))
        number = Correction.objects.get().number
        other = signed_in(Role.OPERATIONS_LEAD, where=factories.world("US02"))
        url = reverse("finance:correction", args=[number])

        assert other.get(url).status_code == 404
        assert other.post(reverse("finance:post_correction", args=[number])).status_code == 404
        assert signed_in(Role.PRICING).get(url).status_code == 403
        assert number not in other.get(reverse("finance:corrections")).content.decode()


class TestResource:
    def test_adjusts_with_approval_by_somebody_else(
        self, world: World, rest: Callable[..., APIClient]
    ) -> None:
        goods = product(world)
        lead, boss = rest(Role.OPERATIONS_LEAD), rest(Role.CONTROLLER)

        def post(api: APIClient, path: str, body: Any = None) -> Any:
            return api.post(f"{BASE}/{path}", body or {}, format="json")

        made = post(
            lead,
            "",
            {
                "entity": world.entity.code, "node": world.node.code, "reason": "Flood",
                "lines": [{"product": goods.code, "quantity": "-500"}],
            },
        )  # fmt: skip
        number = made.json()["number"]
        own = post(lead, f"{number}/approve/")
        early = post(lead, f"{number}/post/")
        agreed = post(boss, f"{number}/approve/")
        done, again = post(boss, f"{number}/post/"), post(boss, f"{number}/post/")

        assert (made.status_code, made.json()["state"]) == (201, "review")
        assert made.headers["Location"] == f"{BASE}/{number}/"
        assert (own.status_code, own.json()["code"]) == (409, "own_request")
        assert early.status_code == 409
        assert (agreed.json()["state"], done.json()["state"]) == ("approved", "posted")
        assert again.status_code == 200
        assert Stock.objects.get(product=goods).on_hand == 500
        listed = boss.get(f"{BASE}/", {"state": "posted", "kind": "adjustment"}).json()
        assert [row["number"] for row in listed["results"]] == [number]

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"node": "NOWHERE"}, "node"),
            ({"reason": ""}, "reason"),
            ({"lines": []}, "lines"),
            ({"lines": [{"product": "NOPE", "quantity": "1"}]}, "lines"),
            ({"lines": [{"product": "PEN", "quantity": "1", "lot": "L"}]}, "lines"),
            ({"lines": [{"product": "PEN", "quantity": "1", "status": "in_transit"}]}, "lines"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, world: World, rest: Callable[..., APIClient], values: dict[str, Any], field: str
    ) -> None:
        Product.objects.create(code="PEN", name="Pen")
        body = {
            "entity": world.entity.code, "node": world.node.code, "reason": "Flood",
            "lines": [{"product": "PEN", "quantity": "1"}],
        }  # fmt: skip

        answer = rest(Role.WAREHOUSE).post(f"{BASE}/", body | values, format="json")

        assert answer.status_code == 400
        assert any(error["field"].startswith(field) for error in answer.json()["errors"])
        assert not Correction.objects.exists()

    def test_is_a_404_to_others(self, world: World, rest: Callable[..., APIClient]) -> None:
        number = Correction.objects.create(
            entity=world.entity, node=world.node, kind="status", reason="X", requested_at=NOW
        )
        number.refresh_from_db()
        other = rest(Role.OPERATIONS_LEAD, where=factories.world("US02"))

        for path in (f"{number}/", f"{number}/cancel/"):
            assert other.get(f"{BASE}/{number}/").status_code == 404
            assert other.post(f"{BASE}/{path}", {}, format="json").status_code in {404, 405}

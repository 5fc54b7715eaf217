"""Serial numbers on pages and over REST."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Product
from tests.conftest import grant
from tests.inventory.factories import company, demand, planned, product, stocked
from tests.inventory.services.numbering.test_carrying import adjust
from tests.inventory.services.numbering.test_picking import pick, ship

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(clerk: User, entity: Entity) -> User:
    for permission in permissions.GRANTS:
        grant(clerk, permission, entity)
    return clerk


@pytest.fixture
def drill(entity: Entity) -> Product:
    made = product("DRILL", tracking="serial")
    stocked(made, 4, serials=["S1", "S2", "S/3", "S4"])
    shipments = [planned([demand(made, 1)], order_id=order)[0].id for order in (1, 2)]
    pick(shipments[0], "S1")
    ship(shipments[0])
    pick(shipments[1], "S2")
    adjust(made, -1, "S4")
    return made


class TestPages:
    def test_list_and_story(self, client: Client, everything: User, drill: Product) -> None:
        client.force_login(everything)
        listed = client.get("/inventory/serials/").content.decode()
        assert all(number in listed for number in ("S1", "S2", "S/3", "S4"))
        told = client.get("/inventory/serials/S1/?product=DRILL").content.decode()
        assert "SH-" in told
        assert "Miller" in told
        assert 'href="/finance/shipments/SH-' in told
        assert "Picked" in told
        assert "pick</td>" not in told
        assert client.get("/inventory/serials/S/3/").status_code == 200
        assert client.get("/inventory/serials/NONE/").status_code == 404

    @pytest.mark.parametrize(
        ("state", "numbers"),
        [("available", "S/3"), ("picked", "S2"), ("shipped", "S1"), ("gone", "S4")],
    )
    def test_shows_one_state(
        self, client: Client, everything: User, drill: Product, state: str, numbers: str
    ) -> None:
        client.force_login(everything)
        listed = client.get(f"/inventory/serials/?state={state}").content.decode()
        assert [n for n in ("S1", "S2", "S/3", "S4") if f">{n}</a>" in listed] == [numbers]

    def test_another_company_s_are_not_there(
        self, client: Client, everything: User, entity: Entity
    ) -> None:
        stocked(product(tracking="serial"), 1, entity=company("EU01"), serials=["X1"])
        client.force_login(everything)
        assert "X1" not in client.get("/inventory/serials/").content.decode()
        assert client.get("/inventory/serials/X1/").status_code == 404


class TestRest:
    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("", ["S1", "S2", "S/3", "S4"]),
            ("?number=S2", ["S2"]),
            ("?state=shipped", ["S1"]),
            ("?state=picked,gone", ["S2", "S4"]),
            ("?node=DC-A&state=available", ["S/3"]),
            ("?product=OTHER", []),
        ],
    )
    def test_lists(
        self, api: APIClient, everything: User, drill: Product, query: str, numbers: list[str]
    ) -> None:
        listed = api.get(f"/api/v1/serials/{query}").json()
        assert sorted(row["number"] for row in listed["results"]) == sorted(numbers)

    def test_tells_a_life(self, api: APIClient, everything: User, drill: Product) -> None:
        told = api.get("/api/v1/serials/S1/").json()["serials"][0]
        assert (told["product"], told["state"]) == ("DRILL", "shipped")
        assert [step["kind"] for step in told["steps"]] == ["shipment", "pick", "opening"]
        assert told["steps"][0]["about"] == "Miller"
        kinds = [step["document_kind"] for step in told["steps"]]
        assert (told["document_kind"], kinds) == ("shipment", ["shipment", "shipment", ""])
        assert api.get("/api/v1/serials/NONE/").status_code == 404

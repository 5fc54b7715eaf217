"""Lots on pages and over REST."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Lot
from tests.conftest import grant
from tests.inventory.factories import company, lot, product, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(clerk: User, entity: Entity) -> User:
    for permission in permissions.GRANTS:
        grant(clerk, permission, entity)
    return clerk


@pytest.fixture
def batch(entity: Entity) -> Lot:
    item = product("MILK", tracking="lot")
    made = lot(item, "A1")
    stocked(item, 6, lot=made)
    return made


class TestPages:
    def test_list_and_story(self, client: Client, everything: User, batch: Lot) -> None:
        client.force_login(everything)
        listed = client.get("/inventory/lots/")
        assert listed.status_code == 200
        assert b"A1" in listed.content
        told = client.get("/inventory/lots/A1/?product=MILK")
        assert told.status_code == 200
        assert b"Block" in told.content

    def test_block_and_let_go(self, client: Client, everything: User, batch: Lot) -> None:
        client.force_login(everything)
        client.post("/inventory/lots/A1/block/?product=MILK", {"reason": "Glass"})
        batch.refresh_from_db()
        assert batch.block_reason == "Glass"
        assert b"stopped" in client.get("/inventory/stock/").content
        client.post("/inventory/lots/A1/release/?product=MILK", {"reason": "Fine"})
        batch.refresh_from_db()
        assert batch.blocked_at is None

    def test_shows_what_expires_soon(self, client: Client, everything: User, batch: Lot) -> None:
        today = timezone.localdate()
        for code, days in (("SOON", 30), ("LATE", 31)):
            made = lot(batch.product, code, expires_on=today + timedelta(days=days))
            stocked(batch.product, 1, lot=made)
        client.force_login(everything)

        listed = client.get("/inventory/lots/?shown=expiring").content

        assert b">SOON<" in listed
        assert not any(code in listed for code in (b">LATE<", b">A1<"))

    def test_hides_what_others_own(self, client: Client, everything: User) -> None:
        item = product("WINE", tracking="lot")
        stocked(item, 1, lot=lot(item, "X9"), entity=company("DE01", "EUR"))
        client.force_login(everything)
        assert client.get("/inventory/lots/X9/").status_code == 404
        assert b">X9<" not in client.get("/inventory/lots/").content


class TestRest:
    def test_tells_and_stops(self, api: APIClient, everything: User, batch: Lot) -> None:
        told = api.get("/api/v1/lots/A1/").json()
        assert told["lots"][0]["product"] == "MILK"
        assert told["lots"][0]["stock"][0]["on_hand"] == "6.000"
        stopped = api.post("/api/v1/lots/A1/block/", {"reason": "Glass"}, format="json")
        assert stopped.status_code == 200
        assert stopped.json()["state"] == "blocked"
        (row,) = api.get("/api/v1/stock/?lot=A1").json()["results"]
        assert (row["lot"], row["is_barred"]) == ("A1", True)
        listed = api.get("/api/v1/lots/?is_blocked=true").json()["results"]
        assert [each["code"] for each in listed] == ["A1"]

    def test_asks_which_product_where_two_have_that_lot(
        self, api: APIClient, everything: User, batch: Lot
    ) -> None:
        other = product("CREAM", tracking="lot")
        stocked(other, 1, lot=lot(other, "A1"))
        refused = api.post("/api/v1/lots/A1/block/", {"reason": "Glass"}, format="json")
        assert refused.status_code == 400
        assert not Lot.objects.filter(blocked_at__isnull=False).exists()

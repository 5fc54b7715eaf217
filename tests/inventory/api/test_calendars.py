"""inventory/api/views/_promising.py: calendars, who follows them, and lanes."""

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from erp.governance.models import AuditEntry
from erp.outbox.models import Message
from inventory import permissions
from inventory.models import Calendar, Lane, Node
from orders.models import Customer
from procurement.models import Supplier
from tests.conftest import grant
from tests.inventory.factories import carrier, company, node, product, stocked
from tests.orders.factories import account, customer

pytestmark = pytest.mark.django_db
URL = "/api/v1/calendars/"
WEEK = {"code": "US", "name": "Office days", "country": "US", "cutoff": "14:00:00"}


@pytest.fixture
def keeper(clerk: User, entity: Entity, api: APIClient) -> APIClient:
    for permission in (permissions.VIEW_NODE, permissions.CHANGE_NODE):
        grant(clerk, permission, entity)
    return api


def told() -> list[dict]:
    found = Message.objects.filter(name="inventory.calendar_changed").order_by("pk")
    return [message.payload for message in found]


class TestCalendars:
    def test_create_read_change(self, keeper: APIClient) -> None:
        days = [{"date": "2026-12-24", "name": "Eve"}]

        made = keeper.post(URL, WEEK | {"days": days}, format="json")
        changed = keeper.patch(f"{URL}US/", {"weekdays": "1111110"}, format="json")

        assert made.status_code == 201
        assert made.json()["days"] == [{"date": "2026-12-24", "is_working": False, "name": "Eve"}]
        assert changed.json() == made.json() | {"weekdays": "1111110"}
        assert [each["code"] for each in keeper.get(URL).json()["results"]] == ["US"]
        assert [each["cause"] for each in told()] == ["Other days in calendar US"]

    def test_saved_as_it_is_tells_nothing(self, keeper: APIClient) -> None:
        keeper.post(URL, WEEK, format="json")
        keeper.patch(f"{URL}US/", {"name": "Office days"}, format="json")

        assert told() == []

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"weekdays": "0000000"}, "weekdays"),
            ({"weekdays": "111"}, "weekdays"),
            ({"country": "usa"}, "country"),
            ({"cutoff": "25:00"}, "cutoff"),
            ({"days": [{"date": "2026-02-30"}]}, "days[0].date"),
            ({"days": [{"date": "2026-02-01"}, {"date": "2026-02-01"}]}, "days"),
            ({"wrong": 1}, "wrong"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, keeper, change, field) -> None:
        answer = keeper.post(URL, WEEK | change, format="json")

        assert answer["Content-Type"] == "application/problem+json"
        assert answer.status_code in {400, 409}
        assert answer.json()["errors"][0]["field"] == field
        assert not Calendar.objects.exists()

    def test_is_bounded_scoped_and_honest_about_what_is_not_there(self, keeper, clerk) -> None:
        assert keeper.get(f"{URL}NONE/").status_code == 404
        assert keeper.patch(f"{URL}NONE/", {"name": "x"}, format="json").status_code == 404
        assert keeper.get(URL, {"page_size": "x"}).status_code == 400
        clerk.roles.all().delete()
        clerk.__dict__.pop("granted", None)
        assert keeper.get(URL).status_code == 403


class TestFollowers:
    def test_all_four_kinds_follow_and_leave(self, keeper: APIClient) -> None:
        keeper.post(URL, WEEK, format="json")
        account(customer("ACME"))
        Supplier.objects.create(code="MILL", name="Mill")
        node("A")
        carrier("UPS")
        all_four = {
            "nodes": ["A"], "carriers": ["UPS"], "suppliers": ["MILL"], "customers": ["ACME"],
        }  # fmt: skip

        answer = keeper.post(f"{URL}US/follow/", all_four, format="json")
        again = keeper.post(f"{URL}US/follow/", all_four, format="json")
        found = keeper.get(f"{URL}US/followers/").json()

        assert (answer.status_code, again.status_code) == (200, 200)
        assert {kind: [one["code"] for one in rows] for kind, rows in found.items()} == all_four
        assert len(told()) == 1
        assert AuditEntry.objects.filter(action__endswith=".follow_calendar").count() == 4

        keeper.post(f"{URL}US/leave/", {"customers": ["ACME"]}, format="json")
        assert Customer.objects.get(code="ACME").calendar is None
        assert Supplier.objects.get(code="MILL").calendar is not None
        assert told()[-1]["followers"] == "customers:ACME"

    def test_who_leaves_another_calendar_stays_where_they_are(self, keeper) -> None:
        keeper.post(URL, WEEK, format="json")
        other = Calendar.objects.create(code="OTHER", name="Other")
        Node.objects.filter(pk=node("A").pk).update(calendar=other)

        keeper.post(f"{URL}US/leave/", {"nodes": ["A"]}, format="json")

        assert node("A").calendar == other
        assert told() == []

    @pytest.mark.parametrize("kind", ["nodes", "customers"])
    def test_another_companys_are_not_there(self, keeper, kind) -> None:
        keeper.post(URL, WEEK, format="json")
        there = company("US02")
        node("X", entity=there)
        account(customer("X"), entity=there)

        answer = keeper.post(f"{URL}US/follow/", {kind: ["X"]}, format="json")

        assert answer.status_code in {400, 409}
        assert answer.json()["errors"][0]["field"] == f"{kind}[0]"
        assert node("X").calendar is None
        assert customer("X").calendar is None

    def test_takes_at_most_a_thousand_at_once(self, keeper) -> None:
        keeper.post(URL, WEEK, format="json")
        answer = keeper.post(f"{URL}US/follow/", {"nodes": ["A"] * 1_001}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "nodes")


class TestLanes:
    LANE = {"origin": "A", "destination": "B", "days": 3, "cost": "90", "currency": "USD"}

    def test_adds_changes_and_lists(self, keeper: APIClient) -> None:
        node("A")
        node("B")

        made = keeper.post("/api/v1/lanes/", self.LANE, format="json")
        keeper.post("/api/v1/lanes/", self.LANE | {"days": 4}, format="json")
        (lane,) = keeper.get("/api/v1/lanes/", {"destination": "B"}).json()["results"]

        assert made.status_code == 201
        assert (lane["origin"], lane["days"], lane["cost"]) == ("A", 4, "90.0000")
        assert keeper.get("/api/v1/lanes/", {"destination": "A"}).json()["results"] == []

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"origin": "B"}, "destination"),
            ({"origin": "NONE"}, "origin"),
            ({"days": 366}, "days"),
            ({"days": -1}, "days"),
            ({"cost": "-1"}, "cost"),
            ({"currency": "usd"}, "currency"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, keeper, change, field) -> None:
        node("A")
        node("B")
        answer = keeper.post("/api/v1/lanes/", self.LANE | change, format="json")

        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] == field
        assert not Lane.objects.exists()


class TestProjection:
    def test_answers_each_owner_and_node_that_the_caller_may_see(
        self, clerk: User, entity: Entity, api: APIClient
    ) -> None:
        grant(clerk, permissions.VIEW_STOCK, entity)
        there = company("US02")
        pen = product("PEN")
        stocked(pen, 6, node=node("A"))
        stocked(pen, 9, node=node("X", entity=there), entity=there)

        rows = api.get("/api/v1/products/PEN/projection/").json()["results"]
        at_a = api.get("/api/v1/products/PEN/projection/", {"node": "A"}).json()["results"]

        assert [(row["entity"], row["node"], row["on_hand"]) for row in rows] == [
            ("US01", "", "6.000"),
            ("US01", "A", "6.000"),
        ]
        assert [row["node"] for row in at_a] == ["A"]
        assert rows[0]["days"][0]["free"] == "6.000"

    def test_says_what_is_not_there_and_what_it_does_not_know(self, clerk, entity, api) -> None:
        assert api.get("/api/v1/products/PEN/projection/").status_code == 403
        grant(clerk, permissions.VIEW_STOCK, entity)
        assert api.get("/api/v1/products/NONE/projection/").status_code == 404
        product("PEN")
        answer = api.get("/api/v1/products/PEN/projection/", {"wrong": "1"})
        assert answer.json()["errors"][0]["field"] == "wrong"

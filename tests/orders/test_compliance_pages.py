"""orders/views/_holds.py, orders/views/_compliance.py and orders/api/views/_compliance.py"""

from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from orders.models import ExportLicence, Hold, Order, PartyMatch
from orders.rules.clearing import would_clear
from orders.selectors import HoldFilters, hold_queue
from tests.orders import compliance as law
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return make.person("boss", "operations_lead")


@pytest.fixture
def desk(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


def over(amount: str, limit: str = "100", **values: object) -> Order:
    on = make.account(limit=limit, **values)
    return make.submitted(on, make.line(make.priced(amount)))


class TestHoldQueue:
    def test_ranks_by_money_and_pages_without_losing_a_row(self) -> None:
        made = [over(amount) for amount in ("150", "300", "200", "300")]
        ids = [make.company().pk]

        seen, after = [], ""
        while True:
            rows, after = hold_queue(
                entity_ids=ids, filters=HoldFilters(), now=make.NOW, after=after, limit=1
            )
            seen += [row.number for row in rows]
            if not after:
                break

        expected = sorted(made, key=lambda o: (o.total, o.pk), reverse=True)
        assert seen == [order.number for order in expected]

    def test_says_what_would_clear_it(self) -> None:
        over("150", receivable=Decimal("10.50"))

        row = hold_queue(entity_ids=[make.company().pk], filters=HoldFilters(), now=make.NOW)[0][0]

        assert (row.after, row.over) == (Decimal("160.50"), Decimal("60.50"))
        assert row.holds[0].clears == "USD 60.50 more limit, or as much paid."

    def test_shows_no_order_of_another_entity_and_narrows_by_kind(self) -> None:
        other = Entity.objects.create(code="XX", name="X", currency="USD", country="US")
        over("150")
        blocked = make.customer(is_blocked=True)
        make.submitted(make.account(blocked), make.line(make.priced()))
        ids = [make.company().pk]

        def found(entities: list[int], **filters: object) -> int:
            asked = HoldFilters(**filters)
            return len(hold_queue(entity_ids=entities, filters=asked, now=make.NOW)[0])

        assert found([other.pk]) == 0
        assert found(ids) == 2
        assert found(ids, kind="credit") == found(ids, owner="credit") == 1
        assert found(ids, days=1) == 0

    @pytest.mark.parametrize("cursor", ["", "x", "1:", ":1", "1.2.3:4", "9" * 80])
    def test_begins_at_the_top_for_a_cursor_of_nobody(self, cursor: str) -> None:
        over("150")

        rows, _ = hold_queue(
            entity_ids=[make.company().pk], filters=HoldFilters(), now=make.NOW, after=cursor
        )

        assert len(rows) == 1

    def test_the_page_releases_what_is_ticked_and_says_what_was_refused(
        self, desk: Client, boss: User
    ) -> None:
        manual = make.submitted(make.account(), make.line(make.priced()))
        desk.post(f"/orders/{manual.number}/hold/", {"reason": "wait"})
        credit = over("150")
        page = desk.get("/orders/holds/").content.decode()
        assert manual.number in page
        assert credit.number in page

        answer = desk.post(
            "/orders/holds/queue/lift/", {"id": [manual.pk, credit.pk], "reason": "go"}, follow=True
        )

        states = dict(Order.objects.values_list("pk", "state"))
        assert (states[manual.pk], states[credit.pk]) == ("released", "held")
        assert "1 hold was lifted" in answer.content.decode()
        assert f"{credit.number}: This hold is lifted by" in answer.content.decode()

    def test_the_page_asks_again_and_forces(self, desk: Client) -> None:
        order = over("150")
        order.account.__class__.objects.filter(pk=order.account_id).update(credit_limit=150)

        desk.post("/orders/holds/ask/", {"id": [order.pk]})
        assert Order.objects.get(pk=order.pk).state == "released"

        desk.post("/orders/holds/force/", {"id": [order.pk], "reason": "stop"})
        assert Hold.objects.get(order=order, state="active").is_forced


def test_what_would_clear_names_the_first_thing_missing() -> None:
    receipt = [{"outcome": "excepted", "missing": ""}, {"outcome": "x", "missing": "a licence"}]

    assert would_clear("compliance", {"receipt": receipt}, Decimal(0), "USD") == "a licence"
    assert "match" in would_clear(
        "compliance", {"receipt": [{"outcome": "match_open", "missing": "m"}]}, Decimal(0), "USD"
    )
    assert "overdue" in would_clear("credit", {}, Decimal(0), "USD")


class TestPages:
    def test_show_each_tab(self, desk: Client) -> None:
        law.restriction(code="EAR-1", ship_to=("AE",))
        law.exception(code="LVS", needs_licence=True)
        law.licence(number="D-77", quantity_max="10")
        buyer = make.account().customer
        law.certificate(buyer.pk, number="HZ-1")
        law.listed("Zarya Marine")

        for tab, text in (
            ("licences", "D-77"), ("rules", "LVS"), ("certificates", "HZ-1"), ("lists", "SDN"),
        ):  # fmt: skip
            assert text in desk.get("/orders/compliance/", {"tab": tab}).content.decode()

    def test_a_match_is_reviewed(self, desk: Client) -> None:
        law.listed("Zarya Marine")
        order = make.submitted(
            make.account(make.customer(name="Zarya Marine Ltd")), make.line(make.priced())
        )
        match = PartyMatch.objects.get()
        page = desk.get("/orders/compliance/matches/").content.decode()
        assert "Zarya Marine Ltd" in page

        refused = desk.post(f"/orders/compliance/matches/{match.pk}/reject/", {"reason": ""})
        assert refused.status_code == 409
        desk.post(f"/orders/compliance/matches/{match.pk}/reject/", {"reason": "other"})

        assert Order.objects.get(pk=order.pk).state == "released"
        assert desk.post("/orders/compliance/matches/999/reject/").status_code == 404


class TestApi:
    @pytest.fixture
    def api(self, boss: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(boss)
        return client

    def test_writes_and_lists_rules_and_licences(self, api: APIClient) -> None:
        scope = {"entity": "US01", "jurisdiction": "EAR", "valid_from": "2026-01-01"}
        rule = api.post(
            "/api/v1/export-restrictions/",
            {**scope, "code": "R", "name": "Rule", "ship_to": ["AE"], "de_minimis": "0.25"},
            format="json",
        )
        leave = api.post(
            "/api/v1/export-exceptions/",
            {**scope, "code": "X", "name": "Leave", "restriction": "R", "needs_licence": True},
            format="json",
        )
        paper = api.post(
            "/api/v1/export-licences/",
            {**scope, "number": "L", "currency": "USD", "quantity_max": "10"},
            format="json",
        )

        assert (rule.status_code, leave.status_code, paper.status_code) == (201, 201, 201)
        assert leave.json()["restriction"] == "R"
        assert ExportLicence.objects.get().quantity_max == 10
        for name in ("restrictions", "exceptions", "licences"):
            assert len(api.get(f"/api/v1/export-{name}/").json()["results"]) == 1
        bad = api.post(
            "/api/v1/export-restrictions/",
            {**scope, "code": "Q", "name": "Rule", "ship_to": ["XX"]},
            format="json",
        )
        assert bad.status_code == 409
        assert bad.json()["errors"][0]["field"] == "ship_to"

    def test_imports_a_list_and_names_the_bad_row(self, api: APIClient) -> None:
        text = "reference,name,aliases,country\n1,Zarya Marine,Zaria;ZM,RU\n2,,x,RU\n"
        asked = {"list": "SDN", "format": "csv", "content": text}
        bad = api.post("/api/v1/denied-parties/import/", asked, format="json")
        assert bad.status_code == 400
        assert "Entry 2" in bad.json()["errors"][0]["message"]

        asked["content"] = text.replace("2,,", "2,Gulf Petro,")
        good = api.post("/api/v1/denied-parties/import/", asked, format="json")

        assert good.json() == {
            "code": "SDN", "version": 1, "added": 2, "changed": 0, "removed": 0
        }  # fmt: skip
        assert len(api.get("/api/v1/denied-parties/").json()["results"]) == 2

    def test_rejects_a_match(self, api: APIClient) -> None:
        law.listed("Zarya Marine")
        make.submitted(make.account(make.customer(name="Zarya Marine")), make.line(make.priced()))
        match = PartyMatch.objects.get()

        said = api.post(
            f"/api/v1/party-matches/{match.pk}/reject/", {"reason": "other"}, format="json"
        )

        assert (said.status_code, said.json()["state"]) == (200, "rejected")
        assert api.get("/api/v1/party-matches/", {"state": "open"}).json()["results"] == []

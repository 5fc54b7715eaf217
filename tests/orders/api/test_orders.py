"""orders/api/views/_orders.py, with _drafts."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from inventory.models import Inbound, ProductUom
from orders import permissions
from orders.models import Hold, Order, ShipTo
from orders.services.promising import promise_orders
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/orders/"
ALL = [
    permissions.VIEW,
    permissions.SUBMIT,
    permissions.CANCEL,
    permissions.ALLOCATE,
    permissions.RELEASE,
]


@pytest.fixture
def desk(clerk: User) -> User:
    for permission in ALL:
        grant(clerk, permission, make.company())
    return clerk


def body(**values: object) -> dict:
    on = make.account(make.customer("ACME"))
    part = make.priced("10", "HX-110")
    ProductUom.objects.create(product=part, code="CASE", numerator=12)
    make.node()
    assert on.pk
    return {
        "entity": "US01",
        "customer": "ACME",
        "customer_po": "PO-7",
        "lines": [{"product": "hx-110", "quantity": "2", "uom": "CASE", "node": "DC-A"}],
    } | values


class TestCreate:
    def test_takes_an_order_by_codes(self, desk: User, api: APIClient) -> None:
        answer = api.post(URL, body(freight="4.50"), format="json")

        assert answer.status_code == 201, answer.json()
        order = answer.json()
        assert answer["Location"] == f"{URL}{order['number']}/"
        assert (order["state"], order["total"], order["currency"]) == ("draft", "244.5000", "USD")
        (line,) = order["lines"]
        assert (line["product"], line["quantity"], line["ordered"]) == ("HX-110", "2.000", "24.000")
        assert (line["node"], line["price_source"]) == ("DC-A", "list")
        stored = Order.objects.get()
        assert (stored.channel, stored.created_by) == ("api", desk)

    def test_answers_the_same_order_to_the_same_client_key(self, desk, api) -> None:
        asked = body(client_key="k-1")

        first = api.post(URL, asked, format="json")
        second = api.post(URL, asked, format="json")

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["number"] == second.json()["number"]

    def test_checks_promises_and_reserves_in_the_same_request(self, desk, api) -> None:
        asked = body(allocate=True, client_key="k-1")
        make.stocked(make.product("HX-110"), 30)

        first, again = (api.post(URL, asked, format="json") for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 200)
        (line,) = first.json()["lines"]
        assert (line["reserved"], line["waiting"]) == ("24.000", "0.000")
        assert line["promised_date"] is not None
        assert first.json()["state"] == again.json()["state"] == "allocated"
        assert Order.objects.get().plans.count() == 1

    def test_promises_what_is_short_by_what_comes(self, desk, api) -> None:
        asked = body(allocate=True, requested_date="2026-12-01")
        part = make.product("HX-110")
        make.stocked(part, 20)
        coming = timezone.localdate() + timedelta(days=3)
        Inbound.objects.create(
            entity=make.company(), product=part, node=make.node(), source_kind="procurement.line",
            source_id=1, source_label="PO-9", quantity=4, expected_date=coming,
        )  # fmt: skip

        order = api.post(URL, asked, format="json").json()

        (line,) = order["lines"]
        (told,) = api.get(f"{URL}{order['number']}/promises/").json()["results"]
        assert (line["reserved"], line["waiting"]) == ("20.000", "4.000")
        assert [each["label"] for each in told["supplies"]] == ["PO-9"]
        assert line["promised_date"] >= (coming + timedelta(days=2)).isoformat()

    def test_keeps_nothing_for_what_is_held(self, desk, api) -> None:
        asked = body(allocate=True)
        make.stocked(make.product("HX-110"), 30)
        make.product("HX-110").__class__.objects.update(is_blocked=False, order_min=100)

        order = api.post(URL, asked, format="json").json()

        assert (order["state"], order["lines"][0]["reserved"]) == ("held", "0.000")

    def test_reserving_takes_its_own_right(self, clerk, api) -> None:
        grant(clerk, permissions.SUBMIT, make.company())
        grant(clerk, permissions.VIEW, make.company())

        answer = api.post(URL, body(allocate=True), format="json")

        assert answer.status_code == 403
        assert not Order.objects.exists()

    def test_as_many_statements_for_a_hundred_lines_as_for_one(self, desk, api) -> None:
        parts = [make.priced("10") for _ in range(100)]
        for part in parts:
            make.stocked(part, 30)
        lines = [{"product": part.code, "quantity": "2"} for part in parts]
        counts = []
        for some in (lines[:1], lines[:1], lines):
            with CaptureQueriesContext(connection) as found:
                asked = body_again() if counts else body()
                api.post(URL, asked | {"lines": some, "allocate": True}, format="json")
            counts.append(len(found))

        assert counts[2] <= counts[1]
        assert Order.objects.filter(state="allocated").count() == 3

    def test_sends_to_a_known_address(self, desk, api) -> None:
        asked = body(ship_to={"code": "DOCK"})
        ShipTo.objects.create(customer=make.customer("ACME"), code="DOCK", name="Dock", city="Ulm")

        assert api.post(URL, asked, format="json").json()["ship_to"] == {
            "name": "Dock",
            "city": "Ulm",
        }

    @pytest.mark.parametrize(
        ("change", "status", "field"),
        [
            ({"lines": [{"product": "HX-110", "quantity": "NaN"}]}, 400, "lines[0].quantity"),
            ({"lines": [{"product": "HX-110", "quantity": -1}]}, 400, "lines[0].quantity"),
            ({"lines": [{"product": "HX-110", "quantity": "1e30"}]}, 400, "lines[0].quantity"),
            ({"lines": []}, 400, "lines"),
            ({"wrong": 1}, 400, "wrong"),
            ({"carrier": "NOBODY"}, 400, "carrier"),
            ({"ship_to": {"code": "NOPE"}}, 400, "ship_to.code"),
            ({"customer": "NOBODY"}, 409, "customer"),
            ({"currency": "EUR"}, 409, "currency"),
            ({"freight": "1.005"}, 409, "freight"),
            ({"lines": [{"product": "NOPE", "quantity": "1"}]}, 409, "lines[0].product"),
            (
                {
                    "lines": [
                        {"product": "HX-110", "quantity": "1"},
                        {"product": "HX-110", "quantity": "1", "uom": "PAL"},
                        {"product": "HX-110", "quantity": "1", "node": "NOPE"},
                    ]
                },
                409,
                "lines[1].uom",
            ),
        ],
    )
    def test_names_the_field_that_is_wrong(self, desk, api, change, status, field) -> None:
        answer = api.post(URL, body(**change), format="json")

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (status, field)
        assert not Order.objects.exists()

    def test_refuses_another_entity_and_who_may_not(self, clerk, api) -> None:
        make.company("US02")
        assert api.post(URL, body(), format="json").status_code == 403

        grant(clerk, permissions.SUBMIT, make.company())
        answer = api.post(URL, {**body_again(), "entity": "US02"}, format="json")

        assert answer.status_code == 404
        assert not Order.objects.exists()


def body_again() -> dict:
    return {
        "entity": "US01",
        "customer": "ACME",
        "lines": [{"product": "HX-110", "quantity": "1"}],
    }


class TestChange:
    def test_rewrites_a_draft(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        change = {
            "customer_po": "PO-8",
            "lines": [{"product": "HX-110", "quantity": "3"}],
            "constraints": {"no_split": True},
        }

        answer = api.patch(f"{URL}{number}/", change, format="json")

        order = answer.json()
        assert answer.status_code == 200, order
        assert (order["customer_po"], order["total"]) == ("PO-8", "30.0000")
        assert order["constraints"]["no_split"] is True
        assert [line["ordered"] for line in order["lines"]] == ["3.000"]

    def test_keeps_what_is_left_out(self, desk, api) -> None:
        before = api.post(URL, body(), format="json").json()

        after = api.patch(f"{URL}{before['number']}/", {"freight": "1.00"}, format="json").json()

        assert after["total"] == "241.0000"
        for name in ("customer_po", "ship_to", "requested_date", "constraints"):
            assert after[name] == before[name]
        assert after["lines"][0]["uom"] == "CASE"
        assert after["lines"][0]["node"] == "DC-A"

    def test_changes_lines_of_what_was_submitted(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        api.post(f"{URL}{number}/submit/", {}, format="json")
        wish = {
            "freight": "1",
            "reason": "They called",
            "lines": [
                {"line": 1, "quantity": "1", "disposition": "cancel"},
                {"product": "HX-110", "quantity": "3"},
            ],
        }

        answer = api.patch(f"{URL}{number}/", wish, format="json")

        order = answer.json()
        assert answer.status_code == 200, order
        assert (order["revision"], order["state"]) == (1, "released")
        first, added = order["lines"]
        assert (first["quantity"], first["disposition"]) == ("1.000", "cancel")
        assert (added["line"], added["ordered"]) == (2, "3.000")

    def test_refuses_an_older_revision_and_lines_that_are_not_there(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        api.post(f"{URL}{number}/submit/", {}, format="json")
        api.patch(f"{URL}{number}/", {"freight": "1"}, format="json")

        stale = api.patch(f"{URL}{number}/", {"freight": "2", "revision": 0}, format="json")
        lost = api.patch(f"{URL}{number}/", {"lines": [{"line": 9}]}, format="json")
        bare = api.patch(f"{URL}{number}/", {"lines": [{"quantity": "1"}]}, format="json")

        assert (stale.status_code, stale.json()["code"]) == (409, "order_changed")
        assert (lost.status_code, bare.status_code) == (400, 400)
        assert lost.json()["errors"][0]["field"] == "lines[0].line"
        assert bare.json()["errors"][0]["field"] == "lines[0].product"

    def test_refuses_a_stale_version(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        tag = api.get(f"{URL}{number}/")["ETag"]
        api.patch(f"{URL}{number}/", {"freight": "1"}, format="json")

        answer = api.patch(
            f"{URL}{number}/", {"freight": "2"}, format="json", headers={"If-Match": tag}
        )

        assert answer.status_code == 412


class TestCommands:
    def test_lead_from_draft_to_allocated_and_cancelled(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]
        make.stocked(make.product("HX-110"), 20)

        submitted = api.post(f"{URL}{number}/submit/", {}, format="json").json()
        allocated = api.post(f"{URL}{number}/allocate/", {}, format="json").json()
        line = {"reason": "less", "lines": [{"line": 1, "quantity": "4"}]}
        less = api.post(f"{URL}{number}/cancel/", line, format="json").json()
        gone = api.post(f"{URL}{number}/cancel/", {"reason": "changed"}, format="json").json()

        assert submitted["state"] == "released"
        assert (allocated["state"], allocated["lines"][0]["waiting"]) == (
            "partly_allocated",
            "4.000",
        )
        assert (less["state"], gone["state"]) == ("allocated", "cancelled")

    def test_lift_holds_but_never_the_authors_own(self, desk, api) -> None:
        asked = body()
        on = make.customer("ACME").accounts.get()
        on.credit_limit = 1
        on.save()
        number = api.post(URL, asked, format="json").json()["number"]
        held = api.post(f"{URL}{number}/submit/", {}, format="json").json()
        (hold,) = held["holds"]
        mira = make.person("mira", Role.CREDIT)
        lifted = f"{URL}{number}/holds/{hold['id']}/release/"

        grant(desk, permissions.RELEASE, make.company())
        own = api.post(lifted, {"reason": "x"}, format="json")
        api.force_authenticate(mira)
        bare = api.post(lifted, {}, format="json")
        released = api.post(f"{URL}{number}/release/", {"reason": "fine"}, format="json")

        assert held["state"] == "held"
        assert own.status_code == 409
        assert (bare.status_code, bare.json()["errors"][0]["field"]) == (400, "reason")
        assert released.json()["state"] == "released"
        (shown,) = api.get(f"{URL}{number}/holds/").json()["results"]
        assert (shown["state"], shown["lift_reason"]) == ("lifted", "fine")
        assert (
            api.post(
                f"{URL}{number}/holds/999999/release/", {"reason": "x"}, format="json"
            ).status_code
            == 404
        )

    def test_place_a_hold_by_hand(self, desk, api) -> None:
        number = api.post(URL, body(), format="json").json()["number"]

        answer = api.post(f"{URL}{number}/holds/", {"reason": "Fraud?"}, format="json")

        assert answer.json()["holds"][0]["kind"] == "manual"
        assert Hold.objects.count() == 1


class TestRead:
    def test_lists_what_is_asked_for(self, desk, api) -> None:
        on = make.account(make.customer("ACME"))
        other = make.account(make.customer("BOLT"))
        part = make.priced()
        drafts = [make.created(on, make.line(part)) for _ in range(3)]
        make.submitted(other, make.line(part))

        everything = api.get(URL).json()["results"]
        page = api.get(URL, {"state": "draft", "customer": "ACME", "page_size": 2}).json()
        rest = api.get(page["next"]).json()["results"]

        assert len(everything) == 4
        assert [o["number"] for o in page["results"] + rest] == [
            order.number for order in reversed(drafts)
        ]
        assert api.get(URL, {"state": "nonsense"}).status_code == 400
        assert api.get(URL, {"colour": "red"}).status_code == 400

    def test_hides_other_entities(self, desk, api) -> None:
        there = make.company("US02")
        part = make.priced(entity=there)
        order = make.created(make.account(entity=there), make.line(part))

        assert api.get(URL).json()["results"] == []
        for path in ("", "holds/", "timeline/", "receipts/", "documents/", "promises/"):
            assert api.get(f"{URL}{order.number}/{path}").status_code == 404
        for path in ("submit/", "allocate/"):
            assert api.post(f"{URL}{order.number}/{path}", {}, format="json").status_code == 404
        assert Order.objects.get().state == "draft"

    def test_tells_the_story(self, desk, api) -> None:
        part = make.priced()
        make.stocked(part, 1)
        order = make.allocated(make.account(), make.line(part, 2))
        at = f"{URL}{order.number}/"

        story = [each["action"] for each in api.get(f"{at}timeline/").json()["results"]]
        (receipt,) = api.get(f"{at}receipts/").json()["results"]
        (paper,) = api.get(f"{at}documents/").json()["results"]
        (promise,) = api.get(f"{at}promises/").json()["results"]

        assert story[-1] == "orders.create"
        assert {"orders.submit", "orders.allocate", "inventory.plan"} <= set(story)
        assert (receipt["asked"], receipt["given"]) == ("2.000", "1.000")
        assert (paper["kind"], paper["node"]) == ("shipment", "DC-A")
        assert promise["waiting"] == "1.000"

    def test_promises_tell_every_change_and_what_it_rests_on(self, desk, api) -> None:
        part = make.priced()
        supply = Inbound.objects.create(
            entity=make.company(), product=part, node=make.node(), source_kind="procurement.line",
            source_id=1, source_label="PO-9", quantity=5, expected_date=date(2026, 12, 1),
        )  # fmt: skip
        wanted = date(2026, 12, 1)
        order = make.allocated(make.account(), make.line(part, 2), requested_date=wanted)
        promise_orders(order_ids=[order.pk], cause="Allocation", now=make.NOW)
        Inbound.objects.filter(pk=supply.pk).update(expected_date=date(2026, 12, 8))
        promise_orders(order_ids=[order.pk], cause="PO-9 comes later", now=make.NOW)

        (line,) = api.get(f"{URL}{order.number}/promises/").json()["results"]

        assert (line["first_promised_date"], line["promised_date"]) == ("2026-12-04", "2026-12-11")
        assert [each["label"] for each in line["supplies"]] == ["PO-9"]
        assert [(each["previous_date"], each["promised_date"], each["cause"])
                for each in line["changes"]] == [
            (None, "2026-12-04", "Allocation"),
            ("2026-12-04", "2026-12-11", "PO-9 comes later"),
        ]  # fmt: skip
        assert line["pegged"] == "2.000"


class TestBulk:
    def test_answers_one_result_per_item(self, desk, api) -> None:
        good = body()
        items = [
            {**good, "submit": True},
            {**good, "customer": "NOBODY"},
            {**good, "lines": []},
            {**good, "entity": "US09"},
            good,
        ]

        answer = api.post(f"{URL}bulk/", items, format="json")

        results = answer.json()["results"]
        assert answer.status_code == 200, results
        assert [each["status"] for each in results] == [201, 409, 400, 404, 201]
        assert (results[0]["state"], results[4]["state"]) == ("released", "draft")
        assert results[1]["errors"][0]["field"] == "customer"
        assert Order.objects.count() == 2

    def test_takes_hundreds_in_a_few_statements(
        self, desk, api, django_assert_max_num_queries
    ) -> None:
        asked = body()
        items = [{**asked, "client_key": f"k-{n}"} for n in range(200)]

        with django_assert_max_num_queries(30):
            answer = api.post(f"{URL}bulk/", items, format="json")

        assert {each["status"] for each in answer.json()["results"]} == {201}
        assert Order.objects.count() == 200

    def test_takes_ten_thousand_lines(self, desk, api) -> None:
        asked = body(lines=[{"product": "HX-110", "quantity": "1"}] * 10_000)

        answer = api.post(URL, asked, format="json")

        assert answer.status_code == 201
        assert answer.json()["total"] == "100000.0000"

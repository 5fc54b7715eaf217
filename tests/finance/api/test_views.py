"""Tests finance/api: shapes, permissions, scope, and that commands may be repeated."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from erp.kernel.sql import rows
from finance.models import Invoice, JournalEntry, Payment, Period
from inventory.models import Stock
from tests.finance import factories
from tests.finance.factories import (
    World,
    allocated,
    invoiced,
    packed,
    product,
    shipments_of,
    shipped,
)
from tests.finance.purchases import sent_order
from tests.inventory.factories import bin_of, lying, put

Client = Callable[..., APIClient]
BASE = "/api/v1"


@pytest.fixture
def client(world: World) -> Client:
    """Sign somebody in who has these roles in the world's entity."""

    def sign_in(*roles: Role) -> APIClient:
        user = User.objects.create_user(f"user-{User.objects.count()}")
        for role in roles:
            assign_role(user=user, entity=world.entity, role=role)
        api = APIClient()
        api.force_authenticate(user)
        return api

    return sign_in


def number_of(shipment_id: int) -> str:
    return str(rows("SELECT number FROM inventory_shipment WHERE id = %s", [shipment_id])[0][0])


def post(api: APIClient, path: str, body: Any = None, **headers: str) -> Any:
    return api.post(f"{BASE}/{path}", body or {}, format="json", headers=headers)


class TestShipments:
    def test_go_from_the_shelf_to_the_customer(self, world: World, client: Client) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        number = number_of(shipments_of(order)[0])
        api = client(Role.OPERATIONS_LEAD)

        states = [
            post(api, f"shipments/{number}/{verb}/", body).json()["state"]
            for verb, body in [
                ("pick", {}), ("pack", {"cartons": ["1.5", "2"]}), ("ship", {}), ("deliver", {}),
            ]
        ]  # fmt: skip
        shown = api.get(f"{BASE}/shipments/{number}/").json()

        assert states == ["picked", "packed", "shipped", "delivered"]
        assert shown["lines"][0] | {"line": 0} == {
            "line": 0, "product": shown["lines"][0]["product"], "uom": "EA",
            "quantity": "4.000", "picked": "4.000", "short_reason": "", "cost": "8.0000",
            "lot": None, "expires_on": None, "serials": [],
        }  # fmt: skip
        assert [box["weight"] for box in shown["cartons"]] == ["1.500", "2.000"]

    def test_are_picked_short_with_a_reason(self, world: World, client: Client) -> None:
        order = allocated(world, (product(world, on_hand="4"), "4", "9.99"))
        number = number_of(shipments_of(order)[0])
        api = client(Role.WAREHOUSE)
        line = api.get(f"{BASE}/shipments/{number}/").json()["lines"][0]["line"]

        unknown = post(
            api, f"shipments/{number}/pick/", {"lines": [{"line": line + 1000, "quantity": "1"}]}
        )
        body = {"lines": [{"line": line, "quantity": "3", "reason": "damaged"}]}
        answer = post(api, f"shipments/{number}/pick/", body).json()

        assert unknown.status_code == 400
        assert (answer["lines"][0]["picked"], answer["lines"][0]["short_reason"]) == (
            "3.000", "damaged",
        )  # fmt: skip

    def test_are_picked_out_of_the_bins_that_are_named(self, world: World, client: Client) -> None:
        pen = product(world, on_hand="20")
        number = number_of(shipments_of(allocated(world, (pen, "6", "9.99")))[0])
        stock = Stock.objects.get(product=pen, status="available")
        put(stock, 4, bin_of("P-1", "pick_face", node=world.node))
        put(stock, 10, bin_of("R-1", node=world.node))
        api, path = client(Role.WAREHOUSE), f"shipments/{number}/pick/"
        line = api.get(f"{BASE}/shipments/{number}/").json()["lines"][0]["line"]

        def pick(*parts: tuple[str, str, str]) -> Any:
            lines = [
                {"line": line, "quantity": quantity, "bin": code}
                | ({"reason": reason} if reason else {})
                for code, quantity, reason in parts
            ]
            return post(api, path, {"lines": lines})

        nowhere, too_much = pick(("NIL", "6", "")), pick(("P-1", "6", ""))
        assert (nowhere.status_code, too_much.status_code) == (400, 409)
        assert too_much.json()["errors"][0]["field"] == "bin"
        assert lying(stock) == {"P-1": 4, "R-1": 10}

        done = pick(("P-1", "1", "not_found"), ("R-1", "5", "")).json()
        assert (done["lines"][0]["picked"], done["lines"][0]["short_reason"]) == ("6.000", "")
        assert lying(stock) == {"R-1": 5}

    def test_are_refused_out_of_turn(self, world: World, client: Client) -> None:
        number = number_of(shipments_of(allocated(world, (product(world), "4", "9.99")))[0])

        answer = post(client(Role.SHIPPING), f"shipments/{number}/ship/")

        assert (answer.status_code, answer.json()["code"]) == (409, "shipment_not_ready")

    def test_ship_once_however_often_it_is_said(self, world: World, client: Client) -> None:
        _, ids = packed(world, (product(world), "4", "9.99"))
        api = client(Role.SHIPPING)
        path = f"shipments/{number_of(ids[0])}/ship/"

        answers = [post(api, path, **{"Idempotency-Key": key}) for key in ("a", "a", "b")]

        assert [each.status_code for each in answers] == [200, 200, 200]
        assert JournalEntry.objects.filter(kind="shipment").count() == 1

    def test_list_by_state_and_order(self, world: World, client: Client) -> None:
        order = allocated(world, (product(world), "4", "9.99"))
        packed(world, (product(world), "4", "9.99"))
        api = client(Role.WAREHOUSE)

        found = api.get(f"{BASE}/shipments/?state=planned&order={order.number}").json()
        wrong = api.get(f"{BASE}/shipments/?colour=red")

        assert [each["order"] for each in found["results"]] == [order.number]
        assert wrong.status_code == 400

    def test_give_labels_and_slips(self, world: World, client: Client) -> None:
        _, ids = packed(world, (product(world), "4", "9.99"))
        api = client(Role.SHIPPING)
        number = number_of(ids[0])

        labels = api.get(f"{BASE}/shipments/{number}/labels/")
        slip = api.get(f"{BASE}/shipments/{number}/packing-slip/", headers={"Accept": "*/*"})

        assert labels.content.startswith(b"^XA")
        assert slip["Content-Type"] == "application/pdf"
        assert slip.content.startswith(b"%PDF")

    @pytest.mark.parametrize("verb", ["pick", "pack", "ship", "deliver", "fail", "void"])
    def test_of_another_entity_are_not_there(self, world: World, client: Client, verb: str) -> None:
        other = factories.world("DE01", "EUR")
        number = number_of(shipments_of(allocated(other, (product(other), "1", "5")))[0])

        answer = post(client(Role.OPERATIONS_LEAD), f"shipments/{number}/{verb}/", {"reason": "x"})

        assert answer.status_code == 404


class TestReceiving:
    def test_takes_in_by_position(self, world: World, client: Client) -> None:
        order = sent_order(world, (product(world, on_hand="0"), "10", "2.50"))
        body = {"lines": [{"line": 1, "quantity": "4"}]}
        api = client(Role.WAREHOUSE)

        done = post(api, f"purchase-orders/{order.number}/receive/", body)
        over = post(
            api,
            f"purchase-orders/{order.number}/receive/",
            {"lines": [{"line": 1, "quantity": "7"}]},
        )
        wrong = post(
            api,
            f"purchase-orders/{order.number}/receive/",
            {"lines": [{"line": 9, "quantity": "1"}]},
        )

        assert done.status_code == 201
        assert Decimal(done.json()["value"]) == Decimal(10)
        assert (over.status_code, wrong.status_code) == (409, 400)


class TestInvoices:
    def test_are_listed_and_shown(self, world: World, client: Client) -> None:
        order, numbers = invoiced(world, (product(world), "4", "9.99"), freight="3")
        api = client(Role.AR)

        listed = api.get(f"{BASE}/invoices/?order={order.number}").json()["results"][0]
        shown = api.get(f"{BASE}/invoices/{numbers[0]}/").json()

        assert (listed["number"], listed["total"]) == (numbers[0], "42.9600")
        assert (shown["net"], shown["freight"], len(shown["lines"])) == ("39.9600", "3.0000", 1)
        assert api.get(f"{BASE}/invoices/?overdue=true").json()["results"] == []

    def test_come_as_pdf(self, world: World, client: Client) -> None:
        _, numbers = invoiced(world, (product(world), "4", "9.99"))

        answer = client(Role.AR).get(
            f"{BASE}/invoices/{numbers[0]}/pdf/", headers={"Accept": "application/pdf"}
        )
        missing = client(Role.AR).get(
            f"{BASE}/invoices/INV-X/pdf/", headers={"Accept": "application/pdf"}
        )

        plain = client(Role.AR).get(
            f"{BASE}/invoices/{numbers[0]}/pdf/", headers={"Accept": "application/json"}
        )

        assert answer.content.startswith(b"%PDF")
        assert (plain.status_code, plain["Content-Type"]) == (406, "application/problem+json")
        assert (missing.status_code, missing.json()["code"]) == (404, "not_found")

    def test_are_posted_on_demand(self, world: World, client: Client) -> None:
        _, ids = shipped(world, (product(world), "4", "9.99"))
        api = client(Role.AR)
        body = {"shipments": [number_of(ids[0])]}

        done = post(api, "invoices/post/", body).json()
        again = post(api, "invoices/post/", body).json()
        wrong = post(api, "invoices/post/", {"shipments": ["SH-X"]})

        assert done["results"] == [{"number": "INV-US01-000001", "total": "39.9600"}]
        assert again["results"] == []
        assert wrong.status_code == 400

    def test_of_another_entity_are_not_there(self, world: World, client: Client) -> None:
        other = factories.world("DE01", "EUR")
        _, numbers = invoiced(other, (product(other), "1", "5"))
        api = client(Role.AR)

        assert api.get(f"{BASE}/invoices/").json()["results"] == []
        assert api.get(f"{BASE}/invoices/{numbers[0]}/").status_code == 404
        assert api.get(f"{BASE}/invoices/{numbers[0]}/pdf/").status_code == 404
        assert api.get(f"{BASE}/invoices/?entity=DE01").status_code == 404


class TestPayments:
    def body(self, world: World, **given: Any) -> dict[str, Any]:
        return {
            "entity": "US01", "customer": world.customer.code, "amount": "15.00",
            "reference": "R-1", "received_date": "2026-11-22",
        } | given  # fmt: skip

    def test_are_posted_once(self, world: World, client: Client) -> None:
        _, numbers = invoiced(world, (product(world), "4", "10"))
        api = client(Role.AR)

        first = post(api, "payments/", self.body(world))
        again = post(api, "payments/", self.body(world))
        other = post(api, "payments/", self.body(world, amount="16.00"))

        assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
        assert first.json()["allocations"][0]["invoice"] == numbers[0]
        assert Payment.objects.count() == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"amount": "0"},
            {"amount": "-1"},
            {"amount": "NaN"},
            {"amount": "1.005"},
            {"amount": "1e3"},
            {"amount": "9" * 40},
            {"customer": "NOBODY"},
            {"received_date": "tomorrow"},
            {"reference": ""},
            {"colour": "red"},
            {"allocations": [{"invoice": "X", "amount": "0"}]},
        ],
    )
    def test_name_what_is_wrong(self, world: World, client: Client, given: dict[str, Any]) -> None:
        answer = post(client(Role.AR), "payments/", self.body(world, **given))

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"].startswith(next(iter(given)))
        assert not Payment.objects.exists()

    def test_are_put_on_invoices_later(self, world: World, client: Client) -> None:
        api = client(Role.AR)
        number = post(api, "payments/", self.body(world)).json()["number"]
        _, invoices = invoiced(world, (product(world), "4", "10"))
        body = {"allocations": [{"invoice": invoices[0], "amount": "5"}]}

        part = post(api, f"payments/{number}/allocate/", body).json()
        rest = post(api, f"payments/{number}/allocate/").json()

        assert (part["unapplied"], rest["unapplied"]) == ("10.0000", "0.0000")
        assert Invoice.objects.get().paid == Decimal(15)

    def test_of_another_entity_are_refused(self, world: World, client: Client) -> None:
        factories.world("DE01", "EUR")

        answer = post(client(Role.AR), "payments/", self.body(world, entity="DE01"))

        assert answer.status_code == 404

    def test_need_the_permission(self, world: World, client: Client) -> None:
        assert post(client(Role.SHIPPING), "payments/", self.body(world)).status_code == 403


class TestLedger:
    def test_shows_balances_that_tie(self, world: World, client: Client) -> None:
        invoiced(world, (product(world), "4", "9.99"))
        api = client(Role.CONTROLLER)

        found = api.get(f"{BASE}/trial-balance/?entity=US01&on=2026-11-30").json()
        accounts = {each["purpose"]: each["balance"] for each in found["accounts"]}

        assert accounts["receivable"] == "39.9600"
        assert {Decimal(tie["difference"]) for tie in found["tie_outs"]} == {Decimal(0)}
        assert api.get(f"{BASE}/accounts/?purpose=bank").json()["results"][0]["code"] == "1000"

    def test_shows_entries_and_does_not_undo_documents(self, world: World, client: Client) -> None:
        shipped(world, (product(world), "4", "9.99"))
        api = client(Role.CONTROLLER)

        entry = api.get(f"{BASE}/journal-entries/?kind=shipment").json()["results"][0]
        shown = api.get(f"{BASE}/journal-entries/{entry['id']}/").json()
        refused = post(api, f"journal-entries/{entry['id']}/reverse/", {"reason": "No"})

        assert entry["cause"].startswith("inventory.shipment:")
        assert len(shown["lines"]) == 4
        assert (refused.status_code, refused.json()["code"]) == (409, "finance.not_by_hand")

    def test_closes_and_opens_months(self, world: World, client: Client) -> None:
        month = Period.objects.get(starts="2026-10-01")
        api = client(Role.CONTROLLER)

        states = [
            post(api, f"periods/{month.pk}/{verb}/").json().get("state")
            for verb in ("soft-close", "close", "reopen")
        ]
        twice = post(api, f"periods/{month.pk}/reopen/")

        assert states == ["soft_closed", "closed", "open"]
        assert twice.status_code == 409
        assert post(client(Role.AR), f"periods/{month.pk}/close/").status_code == 403

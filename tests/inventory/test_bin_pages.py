"""Bins on pages and over REST, what is to be put away, and what is to be brought down."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.models import Bin, BinMove
from inventory.selectors import bins, low_faces, pick_places, to_put_away
from tests.conftest import grant
from tests.inventory.factories import (
    bin_of,
    company,
    demand,
    lot,
    lying,
    node,
    planned,
    product,
    put,
    stocked,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(clerk: User, entity: Entity) -> User:
    for permission in permissions.GRANTS:
        grant(clerk, permission, entity)
    return clerk


@pytest.fixture
def page(client: Client, everything: User) -> Client:
    client.force_login(everything)
    return client


@pytest.fixture
def rest(everything: User, api: APIClient) -> APIClient:
    return api


def proposed(**values: Any) -> list[tuple[str, list[tuple[str, Decimal]], Decimal]]:
    found = to_put_away(node="DC-A", entity_ids=[company().pk], **values)
    return [(row.product, [(code, part) for _, code, part in row.parts], row.rest) for row in found]


class TestToPutAway:
    def test_first_the_pick_face_then_a_reserve_with_the_same_then_an_empty_one(self) -> None:
        pen = product("PEN")
        stock = stocked(pen, 100)
        bin_of("P-1", "pick_face", product=pen, capacity=10, sequence=9)
        bin_of("R-1", capacity=50, sequence=1)
        held = bin_of("R-2", capacity=20, sequence=2)
        bin_of("R-3", capacity=15, sequence=3)
        put(stock, 5, held)
        assert proposed() == [
            ("PEN", [("P-1", 10), ("R-2", 15), ("R-1", 50), ("R-3", 15)], Decimal(5))
        ]

    def test_what_is_told_to_one_is_not_told_to_another(self) -> None:
        for code in ("A", "B"):
            stocked(product(code), 10)
        bin_of("R-1", capacity=10, sequence=1)
        bin_of("R-2", capacity=8, sequence=2)
        assert proposed() == [("A", [("R-1", 10)], 0), ("B", [("R-2", 8)], 2)]

    def test_what_lies_aside_goes_to_quarantine_and_what_is_received_is_named(self) -> None:
        pen = product("PEN")
        stocked(pen, 3, status="damaged")
        good = stocked(pen, 4)
        bin_of("Q-1", "quarantine")
        bin_of("R-1")
        put(good, 4, bin_of("DOCK", "receiving"))
        assert proposed() == [("PEN", [("R-1", 4)], 0), ("PEN", [("Q-1", 3)], 0)]

    def test_tells_nothing_of_other_companies_nor_of_nodes_without_bins(self) -> None:
        stocked(product("PEN"), 3)
        assert proposed() == []
        bin_of("R-1")
        stocked(product("INK"), 3, entity=company("DE01", "EUR"))
        assert [name for name, _, _ in proposed()] == ["PEN"]
        assert proposed(product="NIL") == []


class TestLowFaces:
    def low(self) -> list[tuple[str, Decimal, list[tuple[str, str, Decimal]]]]:
        found = low_faces(node="DC-A", entity_ids=[company().pk], today=timezone.localdate())
        return [
            (face.bin, face.wanted, [(part.bin, part.lot, part.quantity) for part in face.parts])
            for face in found
        ]

    def test_the_first_to_expire_comes_down_first_and_nothing_that_is_barred(self) -> None:
        milk = product("MILK", tracking="lot")
        today = timezone.localdate()
        for place, (code, days) in enumerate([("OLD", -1), ("LATE", 90), ("SOON", 9)], start=1):
            stock = stocked(milk, 10, lot=lot(milk, code, expires_on=today + timedelta(days=days)))
            put(stock, 10, bin_of(f"R-{place}", sequence=place))
        bin_of("P-1", "pick_face", product=milk, minimum=5, capacity=16)
        assert self.low() == [("P-1", 16, [("R-3", "SOON", 10), ("R-2", "LATE", 6)])]

    def test_a_face_that_holds_its_minimum_is_left_alone(self) -> None:
        pen = product("PEN")
        stock = stocked(pen, 20)
        reserve = bin_of("R-1")
        face = bin_of("P-1", "pick_face", product=pen, minimum=5, capacity=8)
        put(stock, 15, reserve)
        put(stock, 5, face)
        assert self.low() == []
        put(stock, "0.001", None, face)
        assert self.low() == [("P-1", Decimal("3.001"), [("R-1", "", Decimal("3.001"))])]


class TestPickPlaces:
    def test_lines_of_one_balance_are_told_what_the_ones_before_them_leave(self) -> None:
        pen = product("PEN")
        stock = stocked(pen, 20)
        put(stock, 6, bin_of("P-1", "pick_face", sequence=5))
        put(stock, 10, bin_of("R-1", sequence=1))
        (shipment,) = planned([demand(pen, 4, group_id=1), demand(pen, 5, group_id=1)])
        first, second = pick_places(shipment.id).values()
        assert (first.parts, first.path) == ([("P-1", 4)], (5, "P-1"))
        assert second.parts == [("P-1", 2), ("R-1", 3)]
        assert [code for _, code, _ in second.bins] == ["P-1", "R-1"]


class TestBins:
    def test_in_the_order_of_the_way_page_by_page(self) -> None:
        for code, sequence in (("B", 1), ("C", 1), ("A", 2)):
            bin_of(code, sequence=sequence)
        first = bins(entity_ids=[company().pk], limit=2)
        assert [row.code for row in first] == ["B", "C"]
        rest = bins(entity_ids=[company().pk], after=first[-1].cursor)
        assert [row.code for row in rest] == ["A"]
        assert bins(entity_ids=[company("DE01", "EUR").pk]) == []
        assert bins(entity_ids=[company().pk], text="\0") == []

    def test_others_see_a_node_at_which_they_own_something_but_not_what_others_own(self) -> None:
        other = company("DE01", "EUR")
        place = bin_of("R-1")
        put(stocked(product(), 7), 7, place)
        put(stocked(product(), 2, entity=other), 2, place)
        (row,) = bins(entity_ids=[other.pk])
        assert (row.level, row.goods) == (2, 1)


class TestPages:
    def test_list_and_bin(
        self, page: Client, django_assert_max_num_queries: Callable[[int], Any]
    ) -> None:
        pen = product("PEN")
        stock = stocked(pen, 9)
        put(stock, 4, bin_of("R-1"))
        for address, says in (
            ("/inventory/bins/", b"R-1"),
            ("/inventory/bins/?node=DC-A&kind=reserve&shown=filled", b"R-1"),
            ("/inventory/bins/DC-A/R-1/", b"PEN"),
            ("/inventory/products/PEN/", b"R-1"),
            ("/inventory/put-away/", b"PEN"),
            ("/inventory/bins/new/", b"New bin"),
        ):
            with django_assert_max_num_queries(40):
                answer = page.get(address)
            assert answer.status_code == 200, address
            assert says in answer.content, address
        assert page.get("/inventory/bins/DC-A/NIL/").status_code == 404
        assert page.get("/inventory/bins/?after=x.y.z&kind=nil").status_code == 200

    def test_put_away_as_proposed_or_elsewhere(self, page: Client) -> None:
        stock = stocked(product("PEN"), 9)
        bin_of("R-1", capacity=5, sequence=1)
        bin_of("R-2", sequence=2)
        key = f"{stock.pk}-0"
        wanted = {"node": "DC-A", "accept": key}
        page.post("/inventory/put-away/accept/", wanted | {"to": "R-2", "quantity": "3"})
        assert lying(stock) == {"R-2": 3}
        page.post("/inventory/put-away/accept/", wanted)
        assert lying(stock) == {"R-2": 9}
        again = page.post("/inventory/put-away/accept/", wanted)
        assert again.status_code == 404
        lost = page.post("/inventory/put-away/accept/", {"node": "DC-A", "accept": "0-0"})
        assert lost.status_code == 404

    def test_bring_down_and_move(self, page: Client) -> None:
        pen = product("PEN")
        stock = stocked(pen, 9)
        put(stock, 9, bin_of("R-1"))
        face = bin_of("P-1", "pick_face", product=pen, minimum=2, capacity=4)
        page.post("/inventory/put-away/bring-down/", {"node": "DC-A", "face": face.pk})
        assert lying(stock) == {"P-1": 4, "R-1": 5}
        move = {"stock": stock.pk, "quantity": "1,5", "to": ""}
        page.post("/inventory/bins/DC-A/P-1/move/", move)
        assert lying(stock) == {"P-1": Decimal("2.5"), "R-1": 5}
        for wrong in ({"to": "NIL"}, {"quantity": "x"}, {"quantity": "99"}):
            assert page.post("/inventory/bins/DC-A/P-1/move/", move | wrong).status_code == 409
        gone = page.post("/inventory/bins/DC-A/P-1/move/", move | {"stock": "0"})
        assert gone.status_code == 404

    def test_add_and_change(self, page: Client, entity: Entity) -> None:
        product("PEN")
        place = node().pk
        typed = {
            "node": place,
            "code": "P-9",
            "kind": "pick_face",
            "sequence": 4,
            "is_active": "on",
        }
        page.post("/inventory/bins/new/", typed | {"product": "PEN", "minimum": "2"})
        made = Bin.objects.get()
        assert (made.code, made.minimum, made.sequence) == ("P-9", 2, 4)
        page.post("/inventory/bins/DC-A/P-9/edit/", typed | {"code": "OTHER", "capacity": "9"})
        made.refresh_from_db()
        assert (made.code, made.capacity, made.product_id, made.minimum) == ("P-9", 9, None, 0)
        wrong = page.post("/inventory/bins/new/", typed | {"product": "NIL"})
        assert wrong.status_code == 422

    def test_a_node_of_another_company_is_not_changed(self, page: Client) -> None:
        other = company("DE01", "EUR")
        bin_of("R-1", node=node("DC-X", entity=other))
        assert page.get("/inventory/bins/DC-X/R-1/edit/").status_code == 404
        assert page.get("/inventory/bins/DC-X/R-1/").status_code == 404


class TestRest:
    def test_create_read_change(self, rest: APIClient, entity: Entity) -> None:
        node()
        made = rest.post("/api/v1/bins/", {"node": "DC-A", "code": "R-1"}, format="json")
        assert made.status_code == 201
        number = made.json()["id"]
        assert made.json() == {
            "id": number,
            "node": "DC-A",
            "code": "R-1",
            "kind": "reserve",
            "sequence": 0,
            "capacity": None,
            "product": None,
            "minimum": "0.000",
            "is_active": True,
        }
        changed = rest.patch(f"/api/v1/bins/{number}/", {"capacity": "40"}, format="json")
        assert changed.json() == made.json() | {"capacity": "40.000"}
        listed = rest.get("/api/v1/bins/", {"node": "DC-A", "kind": "reserve"}).json()
        assert [each["code"] for each in listed["results"]] == ["R-1"]
        assert rest.get("/api/v1/bins/0/").status_code == 404

    @pytest.mark.parametrize(
        ("values", "status", "field"),
        [
            ({"code": "R-1"}, 400, "code"),
            ({"node": "NIL"}, 404, None),
            ({"kind": "shelf"}, 400, "kind"),
            ({"product": "NIL"}, 400, "product"),
            ({"minimum": "1"}, 409, "minimum"),
        ],
    )
    def test_names_what_is_wrong(
        self, rest: APIClient, values: dict[str, str], status: int, field: str | None
    ) -> None:
        bin_of("R-1")
        body = {"node": "DC-A", "code": "R-2"} | values
        answer = rest.post("/api/v1/bins/", body, format="json")
        assert answer.status_code == status, answer.json()
        if field:
            assert answer.json()["errors"][0]["field"] == field
        assert Bin.objects.count() == 1

    def test_put_away_move_and_read(self, rest: APIClient) -> None:
        pen = product("PEN")
        stock = stocked(pen, 10)
        place = bin_of("R-1")
        bin_of("P-1", "pick_face", product=pen, minimum=2, capacity=4)
        (waits,) = rest.get("/api/v1/put-aways/", {"node": "DC-A"}).json()["results"]
        assert (waits["stock"], waits["quantity"]) == (stock.pk, "10.000")
        assert [each["bin"] for each in waits["to"]] == ["P-1", "R-1"]

        lines = [{"stock": stock.pk, "quantity": "10", "to": "R-1"}]
        made = rest.post("/api/v1/bin-moves/", {"lines": lines}, format="json")
        assert made.status_code == 201
        assert made.json()["results"][0]["kind"] == "put_away"
        held = rest.get(f"/api/v1/bins/{place.pk}/stock/").json()["results"]
        assert held == [
            {"stock": stock.pk, "product": "PEN", "entity": "US01", "lot": None,
             "status": "available", "quantity": "10.000"}
        ]  # fmt: skip
        (face,) = rest.get("/api/v1/replenishments/", {"node": "DC-A"}).json()["results"]
        assert (face["bin"], face["wanted"], face["lines"][0]["from"]) == ("P-1", "4.000", "R-1")
        lines = [{"stock": stock.pk, "quantity": "4", "from": "R-1", "to": "P-1"}]
        rest.post("/api/v1/bin-moves/", {"lines": lines}, format="json")
        moves = rest.get("/api/v1/bin-moves/", {"kind": "replenish"}).json()["results"]
        assert [(each["from"], each["to"]) for each in moves] == [("R-1", "P-1")]

    def test_refuses_what_cannot_be_moved_and_what_is_not_yours(self, rest: APIClient) -> None:
        stock = stocked(product("PEN"), 10)
        other = stocked(product("INK"), 10, entity=company("DE01", "EUR"))
        bin_of("R-1", capacity=9)

        def move(**values: object) -> Any:
            line = {"stock": stock.pk, "quantity": "10", "to": "R-1"} | values
            return rest.post("/api/v1/bin-moves/", {"lines": [line]}, format="json")

        assert move().json()["errors"][0]["field"] == "lines.0.to"
        assert move(quantity="11", to="NIL").status_code == 400
        assert move(stock=other.pk).status_code == 404
        assert not BinMove.objects.exists()
        assert rest.get("/api/v1/put-aways/").status_code == 400

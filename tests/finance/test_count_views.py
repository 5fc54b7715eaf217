"""Tests finance/views/_counts.py, _suggestions.py, finance/api/views/_counts.py, health page."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from erp.accounts.models import Role, User
from erp.accounts.services import assign_role
from finance.selectors import commitments, transfer_suggestions
from finance.services import adjust_stock, ship_shipments
from inventory.models import Count, CountLine, Product, Stock, Transfer
from inventory.selectors import inventory_health
from inventory.services import StockAdjustment
from tests.finance import factories
from tests.finance.factories import NOW, World, allocated, packed, product
from tests.finance.test_serial_views import numbered
from tests.finance.transfers import second_node

BASE = "/api/v1/counts"


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
    def test_take_a_sheet_from_the_shelf_to_the_ledger(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods = product(world, on_hand="137")
        lead = signed_in(Role.OPERATIONS_LEAD)
        place = f"{world.entity.pk}.{world.node.pk}"

        planned = lead.post(reverse("finance:plan_count"), {"node": place, "lines": "10"})
        count = Count.objects.get()
        line = count.lines.get()
        counter = signed_in(Role.WAREHOUSE)
        sheet = reverse("finance:count_sheet", args=[count.number])
        blind = counter.get(sheet)
        kept = counter.post(sheet, {"keep": "1"})
        unfinished = counter.post(sheet, {f"counted_{line.pk}": ""})
        done = counter.post(sheet, {f"counted_{line.pk}": "135"})
        seen_by_counter = counter.get(reverse("finance:count", args=[count.number]))
        posted = lead.post(reverse("finance:post_count", args=[count.number]))
        seen_by_lead = lead.get(reverse("finance:count", args=[count.number]))

        assert (planned.status_code, blind.status_code, kept.status_code) == (302, 200, 302)
        assert "137" not in blind.content.decode()
        assert (unfinished.status_code, done.status_code, posted.status_code) == (422, 302, 302)
        assert "137" not in seen_by_counter.content.decode()
        assert "137" in seen_by_lead.content.decode()
        assert Count.objects.get().state == "posted"
        assert Stock.objects.get(product=goods).on_hand == 135

    def test_ask_to_count_again_and_take_what_else_lies_there(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        product(world, on_hand="100")
        extra = product(world, on_hand="0")
        lead = signed_in(Role.OPERATIONS_LEAD)
        place = f"{world.entity.pk}.{world.node.pk}"
        lead.post(reverse("finance:plan_count"), {"node": place, "lines": "10"})
        count = Count.objects.get()
        sheet = reverse("finance:count_sheet", args=[count.number])

        lead.post(reverse("finance:add_to_count", args=[count.number]), {"product": extra.code})
        known, found = count.lines.order_by("position")
        answer = lead.post(sheet, {f"counted_{known.pk}": "70", f"counted_{found.pk}": "1"})
        again = lead.get(sheet)

        assert answer.status_code == 302
        assert Count.objects.get().state == "recount"
        assert [line.id for line in again.context["count"].to_count] == [known.pk]
        assert "70" not in again.context["form"].as_p()

    def test_count_pieces_by_their_numbers_and_say_at_the_field_what_is_refused(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        numbered(world, "A", "B", "C")
        lead = signed_in(Role.OPERATIONS_LEAD)
        place = f"{world.entity.pk}.{world.node.pk}"
        lead.post(reverse("finance:plan_count"), {"node": place, "lines": "10"})
        count = Count.objects.get()
        line = count.lines.get()
        sheet = reverse("finance:count_sheet", args=[count.number])
        figure, numbers = f"counted_{line.pk}", f"serials_{line.pk}"
        refused = {
            "One number for each of 3 pieces: 0 are named.": {figure: "3"},
            "One number for each of 2 pieces: 1 are named.": {figure: "2", numbers: "A"},
            "A is named twice.": {figure: "2", numbers: "A\nA"},
            "does not have 1 to 60 characters": {numbers: f"A\n{'9' * 61}"},
            "Scan its pieces, or press None where nothing lies there.": {figure: ""},
        }

        for why, typed in refused.items():
            answer = lead.post(sheet, typed)
            assert (answer.status_code, why in answer.content.decode()) == (422, True), why
        assert count.lines.get().counted is None
        done = lead.post(sheet, {numbers: "C\r\nA\r\n X \r\n"})  # as many as are named
        seen = lead.get(reverse("finance:count", args=[count.number])).content.decode()

        assert done.status_code == 302
        line = count.lines.get()
        assert (line.counted, line.serials) == (3, ["C", "A", "X"])
        assert (line.missing, line.found) == (["B"], ["X"])
        assert "not known" in seen

    def test_say_to_reviewers_that_a_found_piece_stands_elsewhere(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods = numbered(world, "A")
        there = StockAdjustment(
            entity_id=world.entity.pk,
            node_id=second_node(world).pk,
            product_id=goods.pk,
            quantity=Decimal(1),
            unit_value=Decimal(4),
            reason="Opening",
            serials=["B"],
        )
        adjust_stock(adjustments=[there], kind="opening", actor=None, now=NOW)
        lead, counter = signed_in(Role.OPERATIONS_LEAD), signed_in(Role.WAREHOUSE)
        place = f"{world.entity.pk}.{world.node.pk}"
        lead.post(reverse("finance:plan_count"), {"node": place, "lines": "10"})
        count = Count.objects.get()
        field = f"serials_{count.lines.get().pk}"
        counter.post(reverse("finance:count_sheet", args=[count.number]), {field: "A\nB"})
        Count.objects.filter(pk=count.pk).update(state="approved", approved_at=NOW)
        path = reverse("finance:count", args=[count.number])
        says = f"stands at {second_node(world).code} (available)"

        posted = lead.post(reverse("finance:post_count", args=[count.number]))

        assert says in lead.get(path).content.decode()
        assert "stands at" not in counter.get(path).content.decode()
        assert (posted.status_code, Count.objects.get().state) == (409, "approved")
        assert Stock.objects.get(product=goods, node=world.node).on_hand == 1

    def test_keep_to_their_entity_and_permission(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        other = factories.world("DE01", "EUR")
        product(other, on_hand="5")
        theirs = signed_in(Role.OPERATIONS_LEAD, where=other)
        place = f"{other.entity.pk}.{other.node.pk}"
        theirs.post(reverse("finance:plan_count"), {"node": place, "lines": "5"})
        number = Count.objects.get().number
        client = signed_in(Role.WAREHOUSE)

        assert client.get(reverse("finance:count", args=[number])).status_code == 404
        assert client.get(reverse("finance:count_sheet", args=[number])).status_code == 404
        assert number not in client.get(reverse("finance:counts")).content.decode()
        assert client.post(reverse("finance:post_count", args=[number])).status_code == 403
        foreign = signed_in(Role.OPERATIONS_LEAD).post(
            reverse("finance:plan_count"), {"node": place, "lines": "5"}
        )
        assert foreign.status_code == 422


class TestResource:
    def test_counts_blind_and_posts(self, world: World, rest: Callable[..., APIClient]) -> None:
        goods = product(world, on_hand="137")
        lead, counter = rest(Role.OPERATIONS_LEAD), rest(Role.WAREHOUSE)
        body = {
            "entity": world.entity.code, "node": world.node.code, "products": [goods.code],
            "cause": "Short pick",
        }  # fmt: skip

        made = post(lead, "", body)
        number = made.json()["number"]
        lines = {"lines": [{"line": 1, "quantity": "136"}]}
        recorded = post(counter, f"{number}/record/", lines).json()
        submitted = post(counter, f"{number}/submit/").json()
        posted = post(lead, f"{number}/post/").json()

        assert made.status_code == 201
        assert "expected" not in recorded["lines"][0]
        assert "variance" not in submitted
        assert (posted["state"], posted["variance"]) == ("posted", "2.0000")
        assert posted["lines"][0]["expected"] == "137.000"
        assert Stock.objects.get(product=goods).on_hand == 136

    def test_refuses_what_was_never_there_and_who_may_not(
        self, world: World, rest: Callable[..., APIClient]
    ) -> None:
        body = {"entity": world.entity.code, "node": world.node.code, "products": ["NONE"]}

        unknown = post(rest(Role.OPERATIONS_LEAD), "", body)
        forbidden = post(rest(Role.WAREHOUSE), "", body)

        assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (400, "products")
        assert forbidden.status_code == 403
        assert not CountLine.objects.exists()


class TestSuggestions:
    def unbalanced(self, world: World) -> Any:
        """Make a product of which one node ships ten a day and has a day's worth."""
        goods, there = product(world, on_hand="930"), second_node(world)
        _, shipments = packed(world, (goods, "910", "9"))
        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)
        plenty = StockAdjustment(
            entity_id=world.entity.pk, node_id=there.pk, product_id=goods.pk,
            quantity=Decimal(500), reason="Opening", unit_value=Decimal(2),
        )  # fmt: skip
        adjust_stock(adjustments=[plenty], kind="opening", actor=None, now=NOW)
        return goods, there

    def test_say_why_and_are_asked_for_by_a_tap(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods, there = self.unbalanced(world)
        (row,) = transfer_suggestions(entity_ids=[world.entity.pk], now=NOW)
        assert (row.origin_id, row.destination_id) == (there.pk, world.node.pk)
        assert (row.quantity, row.is_shortage) == (190, False)
        assert (row.destination_before, row.origin_after) == (2, None)
        client = signed_in(Role.PLANNER)

        page = client.get(reverse("finance:transfer_suggestions"))
        answer = client.post(reverse("finance:ask_for_suggested"), {"id": [row.key]})

        assert goods.code in page.content.decode()
        assert answer.status_code == 302
        transfer = Transfer.objects.get()
        assert transfer.lines.get().quantity == 190
        assert transfer_suggestions(entity_ids=[world.entity.pk], now=NOW) == []

    def test_are_of_one_s_own_company(self, world: World, signed_in: Callable[..., Client]) -> None:
        self.unbalanced(world)
        (row,) = transfer_suggestions(entity_ids=[world.entity.pk], now=NOW)
        other = factories.world("DE01", "EUR")
        client = signed_in(Role.PLANNER, where=other)

        client.post(reverse("finance:ask_for_suggested"), {"id": [row.key]})

        assert not Transfer.objects.exists()


class TestCommitments:
    def test_bind_stock_and_name_what_nothing_comes_for(
        self, world: World, signed_in: Callable[..., Client]
    ) -> None:
        goods = product(world, on_hand="6")
        allocated(world, (goods, "6", "9"))
        allocated(world, (product(world, on_hand="0"), "5", "9.99"))

        (row,) = commitments(entity_ids=[world.entity.pk])
        page = signed_in(Role.ORDER_DESK).get(reverse("finance:commitments"))

        assert (row.bound, row.waiting, row.uncovered) == (
            Decimal(12), Decimal("49.95"), Decimal("49.95"),
        )  # fmt: skip
        assert world.customer.name in page.content.decode()
        assert commitments(entity_ids=[]) == []


class TestHealth:
    def test_shows_what_is_too_much(self, world: World, signed_in: Callable[..., Client]) -> None:
        used, idle = product(world, on_hand="1000"), product(world, on_hand="50")
        _, shipments = packed(world, (used, "910", "9"))
        ship_shipments(shipment_ids=shipments, actor=None, now=NOW)

        health = inventory_health(entity_id=world.entity.pk, now=NOW)
        by_code = {row.product: row for row in health.rows}
        page = signed_in(Role.PLANNER).get(reverse("inventory:health"))

        assert health.value == Decimal(280)
        assert by_code[used.code].abc == "A"
        assert by_code[used.code].cover == 18
        assert (by_code[idle.code].abc, by_code[idle.code].xyz) == ("C", "Z")
        assert (by_code[idle.code].excess, by_code[idle.code].excess_value) == (50, 100)
        assert sum(band.value for band in health.ages) == 280
        assert page.status_code == 200
        assert idle.code in page.content.decode()


def test_a_number_that_is_refused_is_said_at_its_field_and_nothing_typed_is_lost(
    world: World, signed_in: Callable[..., Client]
) -> None:
    drill = product(world, on_hand="0")
    Product.objects.filter(pk=drill.pk).update(tracking="serial")
    opening = StockAdjustment(
        entity_id=world.entity.pk,
        node_id=world.node.pk,
        product_id=drill.pk,
        quantity=Decimal(2),
        reason="Opening",
        serials=["A", "B"],
    )
    adjust_stock(adjustments=[opening], kind="opening", actor=None, now=NOW)
    lead = signed_in(Role.OPERATIONS_LEAD)
    place = f"{world.entity.pk}.{world.node.pk}"
    lead.post(reverse("finance:plan_count"), {"node": place, "lines": "10"})
    line = CountLine.objects.get()
    sheet = reverse("finance:count_sheet", args=[line.count.number])
    typed = {f"counted_{line.pk}": "2", f"serials_{line.pk}": f"A\n{'X' * 61}"}

    long = lead.post(sheet, typed)
    few = lead.post(sheet, typed | {f"serials_{line.pk}": "A"})
    twice = lead.post(sheet, typed | {f"serials_{line.pk}": "A\nA"})

    for answer, said in (
        (long, "does not have 1 to 60 characters"),
        (few, "One number for each of 2 pieces"),
        (twice, "A is named twice."),
    ):
        assert answer.status_code == 422
        assert said in str(answer.context["form"].errors[f"serials_{line.pk}"])
    assert "X" * 61 in long.content.decode()
    line.refresh_from_db()
    assert (line.counted, line.serials) == (None, [])
    lead.post(sheet, typed | {f"serials_{line.pk}": "B\nA"})
    line.refresh_from_db()
    assert (line.counted, line.serials, line.missing, line.found) == (2, ["B", "A"], [], [])

"""orders/selectors/_commitments.py, its page and its resource."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from erp.accounts.models import User
from inventory.models import Inbound, Peg
from orders import permissions
from orders.models import Order, OrderLine
from orders.selectors import (
    CommitmentFilters,
    commitment_totals,
    commitments,
    committed_lines,
)
from tests.conftest import grant
from tests.orders import factories as make

pytestmark = pytest.mark.django_db
URL = "/api/v1/commitments/"
TODAY = make.TODAY


def peg(order: Order, quantity: str, *, days: int = 5, kind: str = "procurement.line") -> Inbound:
    """Let so much of the order's first line wait for a supply of its own."""
    line = OrderLine.objects.filter(order=order).earliest("position")
    number = Inbound.objects.count() + 1
    supply = Inbound.objects.create(
        entity=order.entity, product_id=line.product_id, node=make.node("DC-B"), source_kind=kind,
        source_id=number, source_label=f"S-{number}", quantity=Decimal(quantity),
        expected_date=TODAY + timedelta(days=days),
    )  # fmt: skip
    Peg.objects.create(
        inbound=supply, demand_kind="orders.line", demand_id=line.pk, quantity=Decimal(quantity),
        pegged_at=make.NOW,
    )  # fmt: skip
    return supply


def promised(order: Order, day: date) -> None:
    OrderLine.objects.filter(order=order).update(promised_date=day, promised_p90_date=day)


@pytest.fixture
def order() -> Order:
    """Ten at 10 wanted in a week: two on hand, three bought, one moved, four from nowhere."""
    part = make.priced("10", "HX-1")
    make.stocked(part, 2)
    made = make.allocated(
        make.account(make.customer("ACME")),
        make.line(part, 10),
        requested_date=TODAY + timedelta(days=7),
    )
    peg(made, "3")
    peg(made, "1", kind="inventory.transferline")
    return made


def only(by: str = "customer", **filters: object) -> dict:
    (row,), _after = commitments(
        by=by,
        entity_ids=[make.company().pk],
        today=TODAY,
        filters=CommitmentFilters(**filters),
    )
    return {name: getattr(row, name) for name in ("key", "value", "on_hand", "inbound",
            "transfer", "nothing", "at_risk", "overdue")}  # fmt: skip


class TestCommitments:
    def test_every_part_has_its_cover_and_its_money(self, order: Order) -> None:
        assert only() == {
            "key": "ACME", "value": 100, "on_hand": 20, "inbound": 30, "transfer": 10,
            "nothing": 40, "at_risk": 0, "overdue": 0,
        }  # fmt: skip
        assert only("order")["key"] == order.number
        assert only("product")["key"] == "HX-1"

    def test_by_node_is_where_it_lies_or_comes(self, order: Order) -> None:
        rows, _after = commitments(by="node", entity_ids=[make.company().pk], today=TODAY)

        assert {row.key: row.value for row in rows} == {"DC-A": 20, "DC-B": 40, "": 40}
        assert only("order", node="DC-B")["value"] == 40

    def test_overdue_supply_is_at_risk(self, order: Order) -> None:
        peg(order, "2", days=-1)

        found = only()

        assert (found["inbound"], found["nothing"]) == (50, 20)
        assert (found["at_risk"], found["overdue"]) == (20, 20)
        assert only(risky=True)["value"] == 20

    def test_supply_of_today_is_not_overdue(self, order: Order) -> None:
        peg(order, "2", days=0)
        assert only()["overdue"] == 0

    @pytest.mark.parametrize(("days", "at_risk"), [(7, 0), (8, 40)])
    def test_what_comes_after_the_day_wanted_is_at_risk(
        self, order: Order, days: int, at_risk: int
    ) -> None:
        promised(order, TODAY + timedelta(days=days))
        assert only()["at_risk"] == at_risk

    def test_what_has_left_is_no_commitment(self, order: Order) -> None:
        gone = OrderLine.objects.filter(order=order)
        gone.update(cancelled=Decimal(4))
        assert only()["nothing"] == 0
        Order.objects.filter(pk=order.pk).update(state="cancelled", cancelled_at=make.NOW)
        rows, _after = commitments(by="customer", entity_ids=[make.company().pk], today=TODAY)
        assert rows == []

    def test_pages_by_worth_without_gap_or_repeat(self) -> None:
        part = make.priced("10")
        for quantity in (3, 1, 2, 2, 5):
            make.allocated(make.account(), make.line(part, quantity))
        who = {"by": "customer", "entity_ids": [make.company().pk], "today": TODAY}

        seen, after = [], ""
        while True:
            rows, after = commitments(**who, after=after, limit=2)
            seen += rows
            if not after:
                break

        assert [row.value for row in seen] == [50, 30, 20, 20, 10]
        assert len({row.key for row in seen}) == 5
        totals = commitment_totals(**who, filters=CommitmentFilters())
        assert [(each.currency, each.value, each.lines) for each in totals] == [("USD", 130, 5)]

    def test_currencies_are_not_added_up(self) -> None:
        part = make.priced("10")
        make.listed(part, "8", currency="EUR")
        for currency in ("USD", "EUR"):
            make.allocated(make.account(currency=currency), make.line(part, 1))

        rows, _after = commitments(by="product", entity_ids=[make.company().pk], today=TODAY)

        assert [(row.currency, row.value) for row in rows] == [("USD", 10), ("EUR", 8)]

    def test_lines_tell_each_part(self, order: Order) -> None:
        (line,) = committed_lines(entity_ids=[make.company().pk], today=TODAY)

        assert [(p.cover, p.label, p.node, p.quantity) for p in line.parts] == [
            ("inbound", "S-1", "DC-B", 3),
            ("nothing", "", "", 4),
            ("on_hand", "", "DC-A", 2),
            ("transfer", "S-2", "DC-B", 1),
        ]

    def test_takes_one_query(self, order: Order) -> None:
        entity = order.entity_id
        with CaptureQueriesContext(connection) as found:
            commitments(by="order", entity_ids=[entity], today=TODAY)
        assert len(found) == 1


@pytest.fixture
def seer(clerk: User) -> User:
    grant(clerk, permissions.VIEW, make.company())
    return clerk


class TestRest:
    def test_answers_sums_and_lines(self, seer: User, api: APIClient, order: Order) -> None:
        (row,) = api.get(URL, {"by": "order"}).json()["results"]
        (line,) = api.get(f"{URL}lines/", {"order": order.number}).json()["results"]

        assert (row["key"], row["value"], row["currency"]) == (order.number, "100.00", "USD")
        assert (row["on_hand"], row["nothing"]) == ("20.00", "40.00")
        assert {part["cover"]: part["value"] for part in line["parts"]} == {
            "on_hand": "20.00", "inbound": "30.00", "transfer": "10.00", "nothing": "40.00",
        }  # fmt: skip

    def test_the_next_page_is_an_address(self, seer: User, api: APIClient) -> None:
        part = make.priced("10")
        for quantity in (1, 2):
            make.allocated(make.account(), make.line(part, quantity))

        for path in (URL, f"{URL}lines/"):
            first = api.get(path, {"page_size": 1}).json()
            second = api.get(first["next"]).json()
            assert second["next"] is None
            assert first["results"] != second["results"]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"by": "moon"}, "by"),
            ({"by": "order,node"}, "by"),
            ({"page_size": "501"}, "page_size"),
            ({"page_size": "x"}, "page_size"),
            ({"at_risk": "maybe"}, "at_risk"),
            ({"wrong": "1"}, "wrong"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, seer, api, query, field) -> None:
        answer = api.get(URL, query)

        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
        assert answer.json()["errors"][0]["field"] == field

    def test_another_companys_are_not_shown(self, seer, api) -> None:
        there = make.company("US02")
        part = make.priced(entity=there)
        make.allocated(make.account(entity=there), make.line(part))

        assert api.get(URL).json()["results"] == []
        assert api.get(f"{URL}lines/").json()["results"] == []
        assert api.get(URL, {"entity": "US02"}).status_code == 404

    def test_needs_the_right(self, clerk, api) -> None:
        assert api.get(URL).status_code == 403


class TestPage:
    @pytest.mark.parametrize("by", ["", "order", "blanket", "product", "node"])
    def test_opens_by_each(self, seer: User, client: Client, order: Order, by: str) -> None:
        client.force_login(seer)
        answer = client.get("/orders/commitments/", {"by": by})
        assert answer.status_code == 200
        assert ("$100.00" in answer.text) is (by in {"", "order", "product"})

    def test_drills_down_to_lines(self, seer: User, client: Client, order: Order) -> None:
        peg(order, "2", days=-1)
        client.force_login(seer)
        text = client.get("/orders/commitments/", {"customer": "ACME", "by": "order"}).text
        assert "S-3" in text
        assert "overdue" in text

    def test_takes_any_cursor(self, seer: User, client: Client, order: Order) -> None:
        client.force_login(seer)
        for after in ("x", "1|", "1|USD|z", "-.|USD|z", "9" * 30 + "|a|b", "nan|USD|x"):
            answer = client.get("/orders/commitments/", {"after": after})
            assert answer.status_code == 200

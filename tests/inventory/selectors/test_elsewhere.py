"""inventory/selectors/_elsewhere.py, as receipts and the REST API show it."""

import datetime as dt
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from erp.accounts.models import Entity, User
from inventory import permissions
from inventory.selectors import DecisionRow, receipts_of_demand
from orders.models import OrderLine
from tests.conftest import grant
from tests.inventory.services.sourcing import scenes
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def scene() -> tuple[OrderLine, Entity]:
    """Return a line that a sister company would serve, and the sister."""
    part = make.priced("10")
    other, there = scenes.sister()
    make.stocked(part, 30, node=there, entity=other, unit_value="4")
    scenes.lane(there, make.node(), days=3)
    scenes.offered(part, "6", days=30)
    return scenes.short(part), other


def receipt(line: OrderLine, *entities: Entity) -> DecisionRow:
    ids = [entity.pk for entity in entities]
    (found,) = receipts_of_demand(kind="orders.line", ids=[line.pk], entity_ids=ids)
    return found


class TestElsewhereOf:
    def test_names_each_way_with_its_day_and_its_money(self) -> None:
        line, other = scene()

        sold, bought = receipt(line, make.company(), other).elsewhere

        assert (sold.way, sold.place) == ("Bought of a sister company", "US02 DC-US02 → DC-A")
        assert (sold.date, sold.available) == (dt.date(2026, 12, 2), Decimal(30))
        assert (sold.cost, sold.score) == (Decimal("22.00"), Decimal("31.00"))
        assert (bought.way, bought.why) == ("Bought from a supplier", "Another way is better")

    def test_tells_others_nothing_of_what_a_sister_has(self) -> None:
        line, _other = scene()

        sold, _bought = receipt(line, make.company()).elsewhere

        assert (sold.place, sold.taken) == ("a sister company", Decimal(10))
        assert sold.available == sold.taken

    def test_tells_others_not_even_of_a_sister_that_was_passed_over(self) -> None:
        part = make.priced("10")
        other, there = scenes.sister()
        make.stocked(part, 30, node=there, entity=other, unit_value="4")
        scenes.lane(there, make.node(), cost=Decimal(90))
        scenes.offered(part, "6", days=30)
        line = scenes.short(part)

        mine = receipt(line, make.company())
        assert ([each.mode for each in mine.elsewhere], mine.elsewhere_flip) == (["buy"], "")
        both = [each.mode for each in receipt(line, make.company(), other).elsewhere]
        assert both == ["buy", "affiliate"]


def test_over_rest(api: APIClient, clerk: User) -> None:
    line, _other = scene()
    grant(clerk, permissions.VIEW_ALLOCATION, make.company())

    (run,) = api.get("/api/v1/allocation-passes/").json()["results"]
    (found,) = api.get(f"/api/v1/allocation-passes/{run['id']}/receipts/").json()["results"]

    assert found["elsewhere_flip"] == scenes.receipt(line).flip
    assert [(each["mode"], each["rejected"]) for each in found["elsewhere"]] == [
        ("affiliate", ""), ("buy", "not_needed"),
    ]  # fmt: skip
    bought = found["elsewhere"][1]
    assert (bought["place"], bought["date"]) == ("Acme → DC-A", "2026-12-26")
    assert (bought["cost"], bought["score"], bought["currency"]) == ("0.00", "33.00", "USD")

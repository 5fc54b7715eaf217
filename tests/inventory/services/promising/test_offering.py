"""inventory/services/promising/_offering.py and selectors/_projection.py"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Lane, Product
from inventory.selectors import Terms, projections
from inventory.services import ExpectedGoods, expect_goods
from inventory.services.promising import Choice, Offered, Wish, offer_supply
from procurement.models import Supplier, SupplierProduct
from tests.inventory.factories import NOW, carrier, company, node, product, stocked
from tests.orders import factories as orders

pytestmark = pytest.mark.django_db


def asked(of: Product, quantity: int, at: str = "") -> Offered:
    wish = Wish(company().pk, of.pk, Decimal(quantity), node(at).pk if at else None)
    return offer_supply(wishes=[wish], now=NOW)[0]


def ways(found: Offered) -> dict[str, Choice]:
    return {f"{each.kind} {each.node}": each for each in found.choices}


def coming(of: Product, quantity: int, on: date, at: str = "DC-A", source: int = 1) -> None:
    goods = ExpectedGoods(
        source_id=source, entity_id=company().pk, node_id=node(at).pk, product_id=of.pk,
        quantity=Decimal(quantity), expected_date=on, label=f"PO-{source}",
    )  # fmt: skip
    expect_goods(kind="procurement.line", goods=[goods])


class TestOfferSupply:
    def test_a_node_that_has_it_leaves_by_its_clock_and_costs_the_carriage(self) -> None:
        carrier("UPS", base_rate=5, rate_per_kg=1, transit_days=3)
        pen = product(weight=Decimal("0.5"))
        stocked(pen, 10, node=node("A"))
        found = asked(pen, 4)

        assert list(ways(found)) == ["node A"]
        best = found.best
        assert best is not None
        assert (best.cost, best.leaves_on, best.arrives_on) == (
            Decimal("7.00"), date(2026, 11, 24), date(2026, 11, 27),
        )  # fmt: skip
        assert (found.free, found.promisable) == (10, 10)

    def test_what_others_wait_for_is_not_offered_again(self) -> None:
        pen = orders.priced()
        coming(pen, 30, date(2026, 12, 1))
        orders.allocated(orders.account(), orders.line(pen, 20), requested_date=date(2026, 11, 30))

        assert "inbound DC-A" not in ways(asked(pen, 11))
        found = asked(pen, 10)
        assert ways(found)["inbound DC-A"].source == "PO-1"
        assert found.dated == [(date(2026, 11, 22), Decimal(0)), (date(2026, 12, 1), Decimal(10))]

    def test_what_goes_to_others_first_is_not_offered(self) -> None:
        pen = product()
        stocked(pen, 6, node=node("A"))
        coming(pen, 10, date(2026, 12, 1), at="A")
        wish = Wish(company().pk, pen.pk, Decimal(4), ahead=Decimal(3))
        (found,) = offer_supply(wishes=[wish], now=NOW)

        assert ways(found)["node A"].quantity == 3
        assert ways(found)["inbound A"].available == 13
        (none,) = offer_supply(wishes=[replace(wish, ahead=Decimal(13))], now=NOW)
        assert ways(none) == {}

    def test_what_comes_to_several_nodes_is_offered_together(self) -> None:
        pen = product()
        coming(pen, 3, date(2026, 12, 1), at="A")
        coming(pen, 3, date(2026, 12, 7), at="B", source=2)
        both = ways(asked(pen, 6))

        assert list(both) == ["inbound A + B"]
        assert both["inbound A + B"].leaves_on == date(2026, 12, 8)
        assert "inbound A" in ways(asked(pen, 3))

    def test_days_on_the_way_are_those_of_the_order(self) -> None:
        carrier("UPS", transit_days=3)
        pen = product()
        stocked(pen, 6, node=node("A"))
        wish = Wish(company().pk, pen.pk, Decimal(4), transit_days=5)
        (found,) = offer_supply(wishes=[wish], now=NOW)

        assert found.best is not None
        assert found.best.arrives_on == date(2026, 11, 29)

    def test_a_split_a_transfer_and_other_nodes(self) -> None:
        pen = product()
        stocked(pen, 6, node=node("A"))
        stocked(pen, 5, node=node("B"))
        Lane.objects.create(origin=node("B"), destination=node("A"), days=2, currency="USD", cost=9)
        anywhere = ways(asked(pen, 10))
        assert anywhere["split A + B"].source == "6 A, 4 B"
        assert anywhere["split A + B"].quantity == 10

        at_a = ways(asked(pen, 10, "A"))
        moved = at_a["transfer A"]
        assert (moved.source, moved.quantity, moved.cost) == ("B", 4, Decimal(9))
        assert moved.leaves_on == date(2026, 11, 27)  # off on Tuesday, there on Thursday
        assert at_a["other_node B"].quantity == 5
        assert "split A + B" not in at_a

    def test_buys_in_whole_packs_after_the_lead_time(self) -> None:
        pen = product()
        stocked(pen, 1, node=node("A"))
        supplier = Supplier.objects.create(code="S", name="Mill")
        SupplierProduct.objects.create(
            supplier=supplier, entity=company(), product=pen, currency="USD", unit_price=2,
            moq=20, multiple=12, lead_time_days=7,
        )  # fmt: skip
        bought = ways(asked(pen, 25))["buy A"]

        assert (bought.source, bought.available, bought.purchase) == ("Mill", 36, Decimal("72.00"))
        assert bought.leaves_on == date(2026, 12, 1)  # there on Sunday, taken in on Monday
        assert bought.leaves_p90 == date(2026, 12, 3)

    def test_what_is_overdue_is_counted_later_and_flagged(self) -> None:
        pen = product()
        coming(pen, 30, date(2026, 11, 10))
        way = ways(asked(pen, 30))["inbound DC-A"]

        assert way.is_overdue
        assert way.leaves_on == date(2026, 11, 24)

    def test_a_thousand_lines_take_no_more_statements_than_one(self) -> None:
        carrier()
        made = [product() for _ in range(1_000)]
        stocked(made[0], 5)
        one = CaptureQueriesContext(connection)
        with one:
            offer_supply(wishes=[Wish(company().pk, made[0].pk, Decimal(1))], now=NOW)
        many = CaptureQueriesContext(connection)
        wishes = [Wish(company().pk, each.pk, Decimal(1)) for each in made]
        with many:
            assert len(offer_supply(wishes=wishes, now=NOW)) == 1_000

        assert len(many) <= len(one) <= 10


class TestProjections:
    def test_the_whole_and_each_node(self) -> None:
        pen = product()
        stocked(pen, 6, node=node("A"))
        coming(pen, 30, date(2026, 12, 1), at="B")
        coming(pen, 4, date(2026, 11, 1), at="B", source=2)
        rows = projections(product_id=pen.pk, entity_ids=[company().pk], now=NOW, terms=Terms())

        assert [(row.node, row.on_hand) for row in rows] == [("", 6), ("A", 6), ("B", 0)]
        last = rows[2].days
        assert [(d.date, d.inbound, d.overdue, d.projected) for d in last] == [
            (date(2026, 11, 22), 0, 0, 0),
            (date(2026, 11, 23), 4, 4, 4),
            (date(2026, 12, 1), 30, 0, 34),
        ]

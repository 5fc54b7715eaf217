"""orders/services/_checking/_margin.py: floors at their bound, and every part of landed cost."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from erp.governance.models import DecisionRecord
from inventory.models import Carrier, Product, ProductCost
from orders.models import Hold, Order
from tests.orders import factories as make

pytestmark = pytest.mark.django_db


def costed(price: str, cost: str, **values: Any) -> Product:
    """Make a product sold at `price` of which a thousand cost `cost` each."""
    part = make.priced(price, **values)
    ProductCost.objects.update_or_create(
        entity=make.company(),
        product=part,
        defaults={"quantity": 1000, "value": Decimal(cost) * 1000},
    )
    return part


def asked(order: Order) -> dict:
    kept = DecisionRecord.objects.get(
        subject_id=order.pk, version__policy__code="orders.release.margin"
    )
    return {**kept.inputs, "reason": kept.outcome["reason"]}


def is_held(order: Order) -> bool:
    hold = Hold.objects.filter(order=order, kind="margin").first()
    assert hold is None or hold.owner_role == "pricing"
    return hold is not None


class TestTheFloor:
    @pytest.mark.parametrize(
        ("tier", "cost", "held"),
        [
            ("C", "294", False),  # 300 at 294: exactly 2 %
            ("C", "294.01", True),
            ("A", "300", False),  # exactly nothing
            ("A", "300.01", True),
        ],
    )
    def test_is_the_tiers(self, tier, cost, held) -> None:
        on = make.account(make.customer(tier=tier))

        assert is_held(make.submitted(on, make.line(costed("300", cost)))) is held

    @pytest.mark.parametrize(("price", "held"), [("250", True), ("249.99", False)])
    def test_is_asked_of_orders_from_250_up(self, price, held) -> None:
        order = make.submitted(make.account(), make.line(costed(price, "260")))

        assert is_held(order) is held

    def test_is_asked_of_each_category_by_itself(self) -> None:
        good = costed("1000", "500", category="good")
        bad = costed("100", "120", category="bad")

        order = make.submitted(make.account(), make.line(good), make.line(bad))

        assert is_held(order)
        assert asked(order)["category"] == "bad"
        assert Decimal(asked(order)["margin"]) > Decimal("0.4")


class TestLandedCost:
    def test_has_carriage_in_it_by_weight_and_counts_freight_charged(self) -> None:
        Carrier.objects.create(code="V", name="Van", currency="USD", base_rate=10, rate_per_kg=2)
        part = costed("300", "200", weight=5)

        order = make.submitted(make.account(), make.line(part, 2), freight=Decimal(30))

        # revenue 630, goods 400, carriage 10 + 2 x 10 kg
        assert Decimal(asked(order)["margin"]) == Decimal("0.317460")

    def test_has_each_further_shipment_in_it(self) -> None:
        Carrier.objects.create(code="V", name="Van", currency="USD", base_rate=10)
        one, two = costed("300", "200"), costed("300", "200")
        make.stocked(one, 5, node=make.node("N1"), unit_value="200")
        make.stocked(two, 5, node=make.node("N2"), unit_value="200")

        order = make.submitted(make.account(), make.line(one), make.line(two))

        found = asked(order)["margin"]
        assert Decimal(found) < Decimal("0.333333")

    def test_has_haste_in_it_where_the_usual_way_is_too_slow(self) -> None:
        Carrier.objects.create(code="V", name="Van", currency="USD", base_rate=10, transit_days=5)
        Carrier.objects.create(code="J", name="Jet", currency="USD", base_rate=70, transit_days=1)
        part, on = costed("300", "200"), make.account()

        slow = make.submitted(on, make.line(part), requested_date=make.TODAY + timedelta(days=30))
        soon = make.submitted(on, make.line(part), requested_date=make.TODAY + timedelta(days=3))

        assert Decimal(asked(slow)["margin"]) - Decimal(asked(soon)["margin"]) == Decimal("0.2")

    def test_is_not_known_without_a_cost_and_passes_with_the_reason_kept(self) -> None:
        order = make.submitted(make.account(), make.line(make.priced("300")))

        assert not is_held(order)
        assert (asked(order)["margin"], asked(order)["uncosted"]) == (None, 1)
        assert "not known" in asked(order)["reason"]

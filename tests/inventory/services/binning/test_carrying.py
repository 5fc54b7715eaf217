"""inventory/services/binning/_carrying.py: what leaves a balance leaves its bins"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.kernel.errors import DomainError
from erp.kernel.sql import rows
from inventory.models import BinMove, Product, Shipment, Stock
from inventory.selectors import INVARIANTS
from inventory.services import (
    Pack,
    Pick,
    ShortPick,
    StockAdjustment,
    adjust_stock,
    pack_shipments,
    pick_shipments,
    ship_shipments,
    void_shipment,
)
from tests.inventory.factories import (
    NOW,
    bin_of,
    company,
    demand,
    lying,
    node,
    picked,
    planned,
    product,
    put,
    stocked,
)
from tests.inventory.services.binning.test_moving import checked

pytestmark = pytest.mark.django_db


def broken() -> dict[str, Any]:
    return {each.code: found for each in INVARIANTS if (found := rows(each.statement))}


def adjust(pen: Product, quantity: str | int) -> None:
    correction = StockAdjustment(
        entity_id=company().pk,
        node_id=node().pk,
        product_id=pen.pk,
        quantity=Decimal(quantity),
        reason="Found or lost",
    )
    adjust_stock(adjustments=[correction], kind="adjustment", actor=None, now=NOW)


class TestCarry:
    def test_the_floor_gives_first_then_bins_in_pick_order(self) -> None:
        pen = product()
        stock = stocked(pen, 20)
        put(stock, 5, bin_of("R-1", sequence=1))
        put(stock, 5, bin_of("P-1", "pick_face", sequence=2))
        adjust(pen, -10)
        assert lying(stock) == {"R-1": 5, "P-1": 5}
        adjust(pen, -6)
        assert lying(stock) == {"R-1": 4}
        kinds = BinMove.objects.filter(cause_kind="inventory.adjustment")
        assert list(kinds.values_list("kind", "quantity")) == [("correction", 5), ("correction", 1)]
        checked()
        assert not broken()

    def test_what_was_picked_is_not_on_the_floor(self) -> None:
        pen = product()
        stock = stocked(pen, 10)
        put(stock, 10, bin_of("A"))
        picked([demand(pen, 4)])
        adjust(pen, -2)
        assert lying(stock) == {"A": 4}
        assert not broken()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["receive", "put", "down", "back", "plan", "pick", "short", "ship", "void", "adjust"]
        ),
        st.integers(1, 9),
    ),
    min_size=4,
    max_size=14,
)


class Floor:
    """One product at one node, and what people do to it; a refusal is an answer too."""

    def __init__(self) -> None:
        self.pen = product()
        self.stock = stocked(self.pen, 12)
        self.face = bin_of("P-1", "pick_face", sequence=2, capacity=6)
        self.reserve = bin_of("R-1", sequence=1)

    def shipments(self, *states: str) -> list[int]:
        return list(Shipment.objects.filter(state__in=states).values_list("pk", flat=True))

    def receive(self, quantity: int) -> None:
        adjust(self.pen, quantity)

    def put(self, quantity: int) -> None:
        put(self.stock, quantity, self.reserve if quantity % 2 else self.face)

    def down(self, quantity: int) -> None:
        put(self.stock, quantity, self.face, self.reserve)

    def back(self, quantity: int) -> None:
        put(self.stock, quantity, None, self.reserve)

    def plan(self, quantity: int) -> None:
        planned([demand(self.pen, quantity)], order_id=quantity)

    def pick(self, _quantity: int) -> None:
        for each in self.shipments("planned")[:1]:
            pick_shipments(picks=[Pick(shipment_id=each)], actor=None, now=NOW)

    def short(self, quantity: int) -> None:
        for each in Shipment.objects.filter(state="planned")[:1]:
            line = each.lines.get()
            found = min(Decimal(quantity - 1), line.quantity)
            reason = "not_found" if quantity % 2 else "damaged"
            short = ShortPick(line_id=line.pk, picked=found, reason=reason)
            pick_shipments(picks=[Pick(shipment_id=each.pk, shorts=[short])], actor=None, now=NOW)

    def ship(self, _quantity: int) -> None:
        for each in self.shipments("picked")[:1]:
            pack_shipments(packs=[Pack(shipment_id=each)], actor=None, now=NOW)
            ship_shipments(shipment_ids=[each], actor=None, now=NOW)

    def void(self, _quantity: int) -> None:
        for each in self.shipments("planned", "picked")[:1]:
            void_shipment(shipment_id=each, reason="Not today", actor=None, now=NOW)

    def adjust(self, quantity: int) -> None:
        adjust(self.pen, -quantity)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_whatever_people_do_bins_are_the_sum_of_their_moves(steps: list[tuple[str, int]]) -> None:
    floor = Floor()
    for name, quantity in steps:
        try:
            getattr(floor, name)(quantity)
        except DomainError:
            continue
        checked()
    assert not broken()
    stock = Stock.objects.get(pk=floor.stock.pk)
    assert sum(lying(stock).values()) == stock.binned <= stock.on_hand

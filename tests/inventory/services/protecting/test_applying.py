"""inventory/services/protecting, and what allocation makes of it."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from inventory.models import Product, Segment, SegmentDemand
from inventory.selectors import protections, receipts_of_demand
from inventory.services import (
    BadMasterData,
    Basket,
    Demand,
    Wish,
    rehearse_allocation,
    release_reservations,
)
from inventory.services.promising import Offered, offer_supply
from inventory.services.promising import Wish as Wanted
from inventory.services.protecting import (
    ProtectionDraft,
    SegmentDraft,
    end_protection,
    save_protection,
    save_segment,
)
from tests.inventory.factories import NOW, company, demand, node, product, reserved, stocked

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def segment(code: str, **values: Any) -> int:
    draft = SegmentDraft(code=code, name=code.title(), **values)
    return save_segment(draft=draft, actor=None, now=NOW)


def kept(part: Product, code: str, floor: int = 0, **values: Any) -> int:
    base: dict[str, Any] = {
        "entity_id": company().pk, "product": part.code, "segment": code,
        "floor": Decimal(floor), "first_day": TODAY, "last_day": TODAY + timedelta(days=30),
    }  # fmt: skip
    draft = ProtectionDraft(**base | values)
    return save_protection(draft=draft, actor=None, now=NOW)


def given(*demands: Demand) -> list[int]:
    found = reserved(*demands).given
    return [int(found[each.id]) for each in demands]


def used() -> list[tuple[int, int]]:
    rows = protections(entity_ids=[company().pk], today=TODAY)
    return [(int(row.used), int(row.left)) for row in rows]


@pytest.fixture
def pen() -> Product:
    return product("PEN")


@pytest.fixture
def tiers() -> dict[str, int]:
    return {code: segment(code, rank=rank) for rank, code in enumerate(("gold", "silver"), 1)}


class TestFloor:
    def test_nothing_to_keep_of_what_was_never_there_is_no_trouble(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        kept(pen, "gold", 10)

        assert given(demand(product("NEW"), 8, segment_id=tiers["silver"])) == [0]

    def test_what_is_kept_for_one_is_not_for_others_and_the_receipt_says_so(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        stocked(pen, 15)
        kept(pen, "gold", 10)

        assert given(demand(pen, 8, segment_id=tiers["silver"])) == [5]
        late = demand(pen, 3)
        assert given(late) == [0]
        (receipt,) = receipts_of_demand(kind=late.kind, ids=[late.id], entity_ids=[company().pk])
        assert [each.rejected for each in receipt.candidates] == ["protected"]
        assert given(demand(pen, 12, segment_id=tiers["gold"])) == [10]

    def test_it_is_used_up_by_whom_it_is_for_and_comes_back_when_they_give_back(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        stocked(pen, 10)
        kept(pen, "gold", 6)
        mine = demand(pen, 4, segment_id=tiers["gold"])

        assert given(mine) == [4]
        assert used() == [(4, 2)]
        assert given(demand(pen, 9)) == [4]

        release_reservations(demand_kind=mine.kind, demand_ids=[mine.id], now=NOW)
        assert used() == [(0, 6)]
        assert given(demand(pen, 9)) == [0]

    def test_the_highest_takes_of_those_that_lend_and_not_of_those_that_do_not(
        self, pen: Product
    ) -> None:
        gold = segment("gold", rank=1)
        segment("silver", rank=2)
        segment("bronze", rank=3, lends=False)
        stocked(pen, 10)
        kept(pen, "silver", 6)
        kept(pen, "bronze", 4)

        assert given(demand(pen, 10, segment_id=gold)) == [6]

    def test_a_segment_below_takes_its_own_then_its_parent_s(self, pen: Product) -> None:
        segment("retail", rank=1)
        north = segment("north", parent="retail")
        stocked(pen, 10)
        kept(pen, "retail", 3)
        kept(pen, "north", 4)

        assert given(demand(pen, 10)) == [3]
        assert given(demand(pen, 10, segment_id=north)) == [7]
        assert used() == [(7, 0), (7, 0)]

    def test_at_a_node_it_binds_that_node_alone(self, pen: Product, tiers: dict[str, int]) -> None:
        here, there = node("DC-A"), node("DC-B")
        stocked(pen, 5, node=here)
        stocked(pen, 5, node=there)
        kept(pen, "gold", 5, node=here.code)

        assert given(demand(pen, 10, segment_id=tiers["silver"])) == [5]

    def test_outside_its_days_and_for_another_company_nothing_is_kept(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        other = company("DE01", "EUR")
        stocked(pen, 5)
        stocked(pen, 5, entity=other)
        kept(pen, "gold", 5, first_day=TODAY + timedelta(days=1))
        kept(pen, "gold", 5, last_day=TODAY - timedelta(days=1), first_day=date(2026, 1, 1))

        assert given(demand(pen, 5)) == [5]
        assert given(demand(pen, 5, entity_id=other.pk)) == [5]
        assert not SegmentDemand.objects.exists()


class TestCap:
    def test_a_segment_gets_no_more_though_stock_is_free(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        stocked(pen, 20)
        kept(pen, "silver", cap=Decimal(7))

        assert given(demand(pen, 5, segment_id=tiers["silver"])) == [5]
        assert given(demand(pen, 5, segment_id=tiers["silver"])) == [2]
        assert given(demand(pen, 20, segment_id=tiers["gold"])) == [13]


class TestRehearsal:
    def test_foresees_what_is_kept_for_others(self, pen: Product, tiers: dict[str, int]) -> None:
        stocked(pen, 10)
        kept(pen, "gold", 7)
        wish = Wish(1, pen.pk, None, 5000)
        mine, theirs = (
            Basket(company().pk, [wish], segment=tiers["gold"]),
            Basket(company().pk, [wish]),
        )

        assert rehearse_allocation(baskets=[mine], now=NOW)[0].missing == {}
        assert rehearse_allocation(baskets=[theirs], now=NOW)[0].missing == {1: 2000}


class TestKeeping:
    def test_changing_it_counts_what_was_given_before(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        stocked(pen, 10)
        first = kept(pen, "gold", 4)
        given(demand(pen, 3, segment_id=tiers["gold"]))

        assert kept(pen, "gold", 8) == first
        assert used() == [(3, 5)]

    def test_ended_it_keeps_nothing(self, pen: Product, tiers: dict[str, int]) -> None:
        stocked(pen, 10)
        which = kept(pen, "gold", 10, first_day=TODAY - timedelta(days=3))
        end_protection(
            protection_id=which, last_day=TODAY - timedelta(days=1), reason="", actor=None, now=NOW
        )

        assert given(demand(pen, 10)) == [10]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"floor": -1}, "floor"),
            ({"floor": 0}, "floor"),
            ({"floor": 5, "cap": Decimal(4)}, "cap"),
            ({"product": "NOPE"}, "product"),
            ({"segment": "nope"}, "segment"),
            ({"node": "NOPE"}, "node"),
            ({"last_day": TODAY - timedelta(days=1)}, "last_day"),
            ({"first_day": TODAY + timedelta(days=1)}, "first_day"),
        ],
    )
    def test_refuses_and_names_the_field(
        self, pen: Product, tiers: dict[str, int], change: dict[str, Any], field: str
    ) -> None:
        kept(pen, "gold", 5)

        with pytest.raises(BadMasterData) as refusal:
            kept(pen, **{"code": "gold", "floor": 5} | change)

        assert refusal.value.field == field
        assert used() == [(0, 5)]

    def test_a_segment_cannot_stand_below_itself(self, tiers: dict[str, int]) -> None:
        segment("north", parent="gold")

        with pytest.raises(BadMasterData) as refusal:
            segment("gold", parent="north")

        assert refusal.value.field == "parent"
        assert Segment.objects.get(code="gold").parent is None


class TestPromise:
    def offered(self, part: Product, quantity: int, segment_id: int = 0, at: str = "") -> Offered:
        place = node(at).pk if at else None
        wish = Wanted(company().pk, part.pk, Decimal(quantity), place, segment=segment_id)
        return offer_supply(wishes=[wish], now=NOW)[0]

    def test_what_is_kept_for_others_is_neither_free_nor_a_way(
        self, pen: Product, tiers: dict[str, int]
    ) -> None:
        stocked(pen, 10, node=node("DC-A"))
        kept(pen, "gold", 7)

        usual, best = self.offered(pen, 5), self.offered(pen, 5, tiers["gold"])

        assert (usual.free, best.free) == (3, 10)
        assert [(each.kind, each.quantity) for each in usual.choices] == [("node", 3)]
        assert [(each.kind, each.quantity) for each in best.choices] == [("node", 5)]
        assert [level for _day, level in usual.dated] == [3]

    def test_what_was_used_is_kept_no_more(self, pen: Product, tiers: dict[str, int]) -> None:
        stocked(pen, 10, node=node("DC-A"))
        kept(pen, "gold", 7)
        reserved(demand(pen, 6, segment_id=tiers["gold"]))

        assert self.offered(pen, 5).free == 3

    def test_at_a_node_its_share_stays_there(self, pen: Product, tiers: dict[str, int]) -> None:
        for code in ("DC-A", "DC-B"):
            stocked(pen, 5, node=node(code))
        kept(pen, "gold", 4, node="DC-A")

        found = {each.node: each.quantity for each in self.offered(pen, 5).choices}

        assert (found["DC-A"], found["DC-B"]) == (1, 5)
        assert self.offered(pen, 5, at="DC-A").free == 1

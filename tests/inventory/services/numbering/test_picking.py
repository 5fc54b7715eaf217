"""inventory/services/numbering/_picking.py: the pieces that were picked are those that leave"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erp.kernel.errors import DomainError
from erp.kernel.sql import run
from inventory.models import Serial, Shipment, Stock
from inventory.services import (
    Pack,
    Pick,
    ShortPick,
    pack_shipments,
    pick_shipments,
    ship_shipments,
    void_shipment,
)
from inventory.services.numbering import BadSerial, SerialPick, SerialsNeeded
from tests.inventory.factories import NOW, demand, node, planned, product, stocked
from tests.inventory.services.binning.test_moving import checked
from tests.inventory.services.numbering.test_carrying import (
    adjust,
    broken,
    drill,
    receive,
    story,
    there,
)
from tests.inventory.services.test_allocating_together import at_once

pytestmark = pytest.mark.django_db


def pick(
    shipment_id: int,
    *numbers: str,
    found: int | None = None,
    missing: Sequence[str] = (),
    reason: str = "damaged",
) -> None:
    line = Shipment.objects.get(pk=shipment_id).lines.get()
    shorts = (
        [] if found is None else [ShortPick(line_id=line.pk, picked=Decimal(found), reason=reason)]
    )
    serials = [SerialPick(line_id=line.pk, numbers=numbers, missing=missing)]
    picks = [Pick(shipment_id=shipment_id, shorts=shorts, serials=serials)]
    with transaction.atomic():
        pick_shipments(picks=picks, actor=None, now=NOW)


def ship(shipment_id: int) -> None:
    pack_shipments(packs=[Pack(shipment_id=shipment_id)], actor=None, now=NOW)
    ship_shipments(shipment_ids=[shipment_id], actor=None, now=NOW)


def taken(shipment_id: int) -> list[str]:
    """Return the numbers that were picked for a shipment, or left on it."""
    numbers = Serial.objects.filter(line__shipment_id=shipment_id).order_by("number")
    return list(numbers.values_list("number", flat=True))


class TestPickSerials:
    def test_what_was_picked_leaves(self) -> None:
        goods = drill()
        stock = stocked(goods, 3, serials=["A", "B", "C"])
        shipment = planned([demand(goods, 2)])[0].id

        pick(shipment, "C", "A")
        checked()
        assert taken(shipment) == ["A", "C"]
        assert there(stock) == ["A", "B", "C"]
        ship(shipment)

        checked()
        assert there(stock) == ["B"]
        assert taken(shipment) == ["A", "C"]
        assert story("A") == ["opening", "pick", "shipment"]
        assert not broken()

    @pytest.mark.parametrize("numbers", [[], ["A"], ["A", "B", "C"]])
    def test_refuses_other_than_a_number_for_each_piece(self, numbers: list[str]) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"])
        shipment = planned([demand(goods, 2)])[0].id

        with pytest.raises(SerialsNeeded) as refused:
            pick(shipment, *numbers)

        assert refused.value.line_id == Shipment.objects.get(pk=shipment).lines.get().pk
        assert Shipment.objects.get(pk=shipment).state == "planned"
        assert taken(shipment) == []

    def test_refuses_what_does_not_lie_there(self) -> None:
        goods, other = drill(), drill()
        stocked(goods, 1, serials=["A"])
        stocked(goods, 1, serials=["B"], node=node("DC-B"))
        stocked(goods, 1, serials=["D"], status="damaged")
        stocked(other, 1, serials=["O"])
        shipment = planned([demand(goods, 1, node_id=node().pk)])[0].id

        for number, why in (
            ("B", r"lies at DC-B \(available\)"),
            ("D", r"lies at DC-A \(damaged\)"),
            ("O", "is not known"),
        ):
            with pytest.raises(BadSerial, match=why):
                pick(shipment, number)

        assert Shipment.objects.get(pk=shipment).state == "planned"
        assert not Serial.objects.exclude(line=None).exists()

    def test_refuses_what_another_shipment_has(self) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"])
        one = planned([demand(goods, 1)], order_id=1)[0].id
        two = planned([demand(goods, 1)], order_id=2)[0].id
        pick(one, "A")

        with pytest.raises(BadSerial, match="is taken by SH-"):
            pick(two, "A")
        pick(two, "B")

        assert (taken(one), taken(two)) == (["A"], ["B"])

    def test_refuses_numbers_of_a_line_that_has_none(self) -> None:
        goods = product()
        stocked(goods, 2)
        shipment = planned([demand(goods, 1)])[0].id

        with pytest.raises(BadSerial, match="not kept by serial number"):
            pick(shipment, "A")

        assert Shipment.objects.get(pk=shipment).state == "planned"

    def test_the_missing_piece_goes_aside_by_name(self) -> None:
        goods = drill()
        stock = stocked(goods, 4, serials=["A", "B", "C", "D"])
        shipment = planned([demand(goods, 3)])[0].id
        with pytest.raises(SerialsNeeded):
            pick(shipment, "A", "B", found=2)

        pick(shipment, "A", "B", found=2, missing=["D"])

        checked()
        assert there(stock) == ["A", "B", "C"]
        assert there(Stock.objects.get(product=goods, status="damaged")) == ["D"]
        assert not broken()

    def test_the_missing_piece_need_not_be_named_where_no_other_can_be_it(self) -> None:
        goods = drill()
        stocked(goods, 3, serials=["A", "B", "C"])
        shipment = planned([demand(goods, 3)])[0].id

        pick(shipment, "A", "B", found=2, reason="not_found")

        checked()
        assert there(Stock.objects.get(product=goods, status="inspection")) == ["C"]
        assert not broken()

    def test_nothing_found_voids_and_takes_none(self) -> None:
        goods = drill()
        stocked(goods, 1, serials=["A"])
        shipment = planned([demand(goods, 1)])[0].id

        pick(shipment, found=0)

        checked()
        assert Shipment.objects.get(pk=shipment).state == "void"
        assert there(Stock.objects.get(product=goods, status="damaged")) == ["A"]
        assert not broken()

    def test_what_was_picked_is_not_written_off(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        shipment = planned([demand(goods, 1)])[0].id
        pick(shipment, "A")

        with pytest.raises(BadSerial, match="is taken by SH-"), transaction.atomic():
            adjust(goods, -1, "A")
        adjust(goods, -1)

        checked()
        assert there(stock) == ["A"]


class TestGiveBackSerials:
    def test_a_void_shipment_gives_its_pieces_back(self) -> None:
        goods = drill()
        stock = stocked(goods, 2, serials=["A", "B"])
        shipment = planned([demand(goods, 2)])[0].id
        pick(shipment, "A", "B")

        void_shipment(shipment_id=shipment, reason="Not today", actor=None, now=NOW)

        checked()
        assert taken(shipment) == []
        assert there(stock) == ["A", "B"]
        assert story("A") == ["opening", "pick", "unpick"]
        assert not broken()


class TestGuard:
    def test_a_shipment_does_not_leave_with_a_piece_that_was_not_picked(self) -> None:
        goods = drill()
        stocked(goods, 2, serials=["A", "B"])
        shipment = planned([demand(goods, 1)])[0].id
        pick(shipment, "A")
        run("UPDATE inventory_serial SET line_id = NULL", [])

        with pytest.raises(IntegrityError, match="serial numbers"), transaction.atomic():
            ship(shipment)
            checked()

        assert Shipment.objects.get(pk=shipment).state == "picked"

    def test_a_piece_is_picked_from_where_it_lies(self) -> None:
        goods = drill()
        stocked(goods, 1, serials=["A"])
        stocked(goods, 1, serials=["B"], status="damaged")
        line = Shipment.objects.get(pk=planned([demand(goods, 1)])[0].id).lines.get()

        with pytest.raises(IntegrityError, match="picked from where it lies"), transaction.atomic():
            run("UPDATE inventory_serial SET line_id = %s WHERE number = 'B'", [line.pk])


@pytest.mark.django_db(transaction=True)
def test_two_pickers_who_scan_one_piece_do_not_both_have_it() -> None:
    goods = drill()
    stocked(goods, 4, serials=["A", "B", "C", "D"])
    shipments = [planned([demand(goods, 1)], order_id=order)[0].id for order in (1, 2, 3, 4)]

    def one(shipment_id: int) -> Callable[[], object]:
        return lambda: pick(shipment_id, "A")

    results = at_once([one(each) for each in shipments], threads=4)

    refused = [each for each in results if isinstance(each, BadSerial)]
    assert len(refused) == 3
    assert all("is taken by SH-" in str(each) for each in refused)
    assert Shipment.objects.filter(state="picked").count() == 1
    assert Serial.objects.exclude(line=None).count() == 1
    assert not broken()


NAMES = [f"N{place}" for place in range(9)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "plan", "pick", "short", "void", "ship", "lose", "damage"]),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
    ),
    min_size=4,
    max_size=16,
)


class Floor:
    """Does to one product what people do, right or wrong."""

    def __init__(self) -> None:
        self.goods = drill()
        self.stock = stocked(self.goods, 6, serials=NAMES[:6])

    def first(self, state: str) -> int:
        return Shipment.objects.filter(state=state).values_list("pk", flat=True).first() or 0

    def receive(self, names: list[str]) -> None:
        receive(self.goods, len(names), *names)

    def plan(self, names: list[str]) -> None:
        planned([demand(self.goods, len(names))], order_id=len(names))

    def pick(self, names: list[str]) -> None:
        if shipment := self.first("planned"):
            pick(shipment, *names)

    def short(self, names: list[str]) -> None:
        if shipment := self.first("planned"):
            pick(shipment, *names[1:], found=len(names) - 1, missing=names[:1])

    def void(self, _names: list[str]) -> None:
        if shipment := self.first("picked"):
            void_shipment(shipment_id=shipment, reason="Not today", actor=None, now=NOW)

    def ship(self, _names: list[str]) -> None:
        if shipment := self.first("picked"):
            ship(shipment)

    def lose(self, names: list[str]) -> None:
        adjust(self.goods, -len(names), *names)

    def damage(self, names: list[str]) -> None:
        adjust(self.goods, len(names), *names, status="damaged")


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_whatever_people_do_each_piece_is_in_one_place(steps: list[tuple[str, list[str]]]) -> None:
    floor = Floor()
    for name, names in steps:
        try:
            with transaction.atomic():
                getattr(floor, name)(names)
        except DomainError:
            continue
        checked()
    assert not broken()
    for each in Stock.objects.filter(product=floor.goods):
        assert each.serials.count() == each.on_hand

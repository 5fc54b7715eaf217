"""inventory/rules/binning.py"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.binning import (
    Face,
    Holding,
    brought_down,
    excess,
    in_pick_order,
    placed,
    room_of,
    taken,
)

QUANTITY = st.decimals(0, 1000, places=3)
ABOVE_ZERO = st.decimals("0.001", 1000, places=3)
KINDS = st.sampled_from(["pick_face", "reserve", "receiving", "quarantine"])


@st.composite
def holdings(draw: st.DrawFn) -> list[Holding]:
    count = draw(st.integers(0, 6))
    return [
        Holding(place, f"B{place}", draw(KINDS), draw(st.integers(0, 3)), draw(ABOVE_ZERO))
        for place in range(1, count + 1)
    ]


def total(parts: list[tuple[int, Decimal]]) -> Decimal:
    return sum((quantity for _, quantity in parts), Decimal(0))


class TestTaken:
    @given(holdings(), QUANTITY)
    def test_takes_what_is_asked_or_all_there_is(
        self, there: list[Holding], quantity: Decimal
    ) -> None:
        parts = taken(there, quantity)
        assert total(parts) == min(quantity, sum((h.quantity for h in there), Decimal(0)))
        lying = {each.bin_id: each.quantity for each in there}
        assert all(0 < part <= lying[bin_id] for bin_id, part in parts)
        assert len({bin_id for bin_id, _ in parts}) == len(parts)

    @given(holdings(), QUANTITY)
    def test_empties_a_bin_before_it_goes_to_the_next(
        self, there: list[Holding], quantity: Decimal
    ) -> None:
        parts = taken(there, quantity)
        order = [each.bin_id for each in in_pick_order(there)]
        assert [bin_id for bin_id, _ in parts] == order[: len(parts)]
        lying = {each.bin_id: each.quantity for each in there}
        assert all(part == lying[bin_id] for bin_id, part in parts[:-1])

    def test_goes_to_the_pick_face_before_a_reserve_that_is_nearer(self) -> None:
        far = Holding(1, "Z", "pick_face", 9, Decimal(2))
        near = Holding(2, "A", "reserve", 1, Decimal(5))
        assert taken([near, far], Decimal(3)) == [(1, Decimal(2)), (2, Decimal(1))]


class TestPlaced:
    @given(QUANTITY, st.lists(st.none() | QUANTITY, max_size=6))
    def test_never_puts_more_than_there_is_room_for(
        self, quantity: Decimal, rooms: list[Decimal | None]
    ) -> None:
        room = dict(enumerate(rooms, start=1))
        parts = placed(quantity, list(room), room)
        for bin_id, part in parts:
            space = rooms[bin_id - 1]
            assert part > 0
            assert space is None or room[bin_id] == space - part >= 0
        if any(space is None for space in rooms):
            assert total(parts) == quantity
        else:
            assert total(parts) == min(quantity, sum(filter(None, rooms), Decimal(0)))


class TestBroughtDown:
    @given(ABOVE_ZERO, QUANTITY, st.none() | ABOVE_ZERO, st.lists(QUANTITY, max_size=5))
    def test_fills_a_face_up_and_no_further(
        self, minimum: Decimal, level: Decimal, more: Decimal | None, reserves: list[Decimal]
    ) -> None:
        capacity = None if more is None else minimum + more
        face = Face(1, level, minimum, capacity)
        left = dict(enumerate(reserves))
        parts = brought_down(face, list(left), left)
        assert total(parts) == min(face.lacks, sum(reserves, Decimal(0)))
        assert sum(left.values(), Decimal(0)) + total(parts) == sum(reserves, Decimal(0))

    def test_lacks_nothing_at_its_minimum(self) -> None:
        full, low = Decimal(40), Decimal("9.999")
        assert Face(1, Decimal(10), Decimal(10), full).lacks == 0
        assert Face(1, low, Decimal(10), full).lacks == full - low
        assert Face(1, low, Decimal(10), None).lacks == Decimal("0.001")


def test_the_floor_gives_before_bins() -> None:
    assert excess(Decimal(5), Decimal(5)) == 0
    assert excess(Decimal(5), Decimal("4.999")) == Decimal("0.001")
    assert excess(Decimal(5), Decimal(-1)) == 5


def test_a_bin_that_holds_too_much_has_no_room() -> None:
    capacities = {1: Decimal(5), 2: None, 3: Decimal(5)}
    assert room_of(capacities, {1: Decimal(7), 3: Decimal(2)}) == {1: 0, 2: None, 3: 3}

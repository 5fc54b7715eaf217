"""Tests inventory/rules/transfers.py."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import Limits, Place, suggest_transfers

amounts = st.integers(0, 500).map(Decimal)
PLACES = st.lists(
    st.tuples(amounts, amounts, st.integers(0, 40).map(Decimal), amounts), min_size=1, max_size=5
).map(
    lambda found: [
        Place(node=number, free=free, coming=coming, daily=daily, short=short)
        for number, (free, coming, daily, short) in enumerate(found, start=1)
    ]
)


def place(node: int, free: int, daily: int = 0, **values: Any) -> Place:
    defaults = {"coming": Decimal(0), "short": Decimal(0)} | {
        name: Decimal(value) for name, value in values.items()
    }
    return Place(node=node, free=Decimal(free), daily=Decimal(daily), **defaults)


class TestSuggestTransfers:
    def test_moves_from_too_much_to_too_little(self) -> None:
        (said,) = suggest_transfers([place(1, 400, 10), place(2, 20, 10)], Limits())

        assert (said.origin, said.destination, said.quantity) == (1, 2, 100)
        assert not said.is_shortage
        assert (said.origin_before, said.origin_after) == (40, 30)
        assert (said.destination_before, said.destination_after) == (2, 12)

    def test_serves_a_shortage_before_an_imbalance_and_deeper(self) -> None:
        said = suggest_transfers(
            [place(1, 100, 10), place(2, 0, 10), place(3, 0, 0, short=25)], Limits()
        )

        assert [(s.destination, s.quantity, s.is_shortage) for s in said] == [(3, 25, True)]

    def test_counts_what_is_coming(self) -> None:
        assert suggest_transfers([place(1, 900, 10), place(2, 0, 10, coming=80)], Limits()) == []

    def test_moves_in_multiples_and_not_less_than_the_least(self) -> None:
        places = [place(1, 400, 10), place(2, 20, 10)]

        (said,) = suggest_transfers(places, Limits(multiple=Decimal(24)))

        assert said.quantity == 96
        assert suggest_transfers(places, Limits(minimum=Decimal(101))) == []

    @given(PLACES, st.sampled_from([0, 1, 6, 24]))
    def test_never_gives_more_than_is_free_nor_makes_a_giver_needy(
        self, places: list[Place], multiple: int
    ) -> None:
        limits = Limits(multiple=Decimal(multiple))

        said = suggest_transfers(places, limits)

        for each in places:
            given_away = sum((s.quantity for s in said if s.origin == each.node), Decimal(0))
            got = sum((s.quantity for s in said if s.destination == each.node), Decimal(0))
            assert given_away <= each.free
            assert not (given_away and got)
            if given_away:
                assert each.free - given_away - each.short >= each.daily * limits.low_days
            if multiple:
                assert not given_away % multiple
        gap = {p.node: max(p.short - p.free - p.coming, Decimal(0)) for p in places}
        for each in said:
            if each.is_shortage:
                got = sum(
                    (s.quantity for s in said if s.destination == each.destination), Decimal(0)
                )
                assert got <= gap[each.destination]
        assert said == suggest_transfers(list(reversed(places)), limits)

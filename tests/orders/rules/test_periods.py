"""orders/rules/periods.py"""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.rules import Period, edits, laid_over

DAY = date(2026, 1, 1)


def on(n: int) -> date:
    return DAY + timedelta(days=n)


def period(starts: int, ends: int | None, price: int) -> Period:
    return Period(on(starts), None if ends is None else on(ends), Decimal(price))


PERIODS = st.lists(
    st.builds(
        lambda start, length, price: period(start, length and start + length, price),
        st.integers(0, 20),
        st.none() | st.integers(1, 8),
        st.integers(1, 9),
    ),
    max_size=6,
)


def price_on(timeline: list[Period], day: date) -> Decimal | None:
    found = [each.price for each in timeline if each.holds(day)]
    assert len(found) <= 1
    return found[0] if found else None


class TestLaidOver:
    def test_ends_the_old_price_where_the_new_begins(self) -> None:
        after = laid_over([period(0, None, 5)], [period(10, None, 6)])

        assert after == [period(0, 10, 5), period(10, None, 6)]

    def test_leaves_a_future_price_in_place(self) -> None:
        after = laid_over([period(0, 20, 5), period(20, None, 7)], [period(10, None, 6)])

        assert after == [period(0, 10, 5), period(10, 20, 6), period(20, None, 7)]

    def test_goes_on_with_the_old_price_after_an_interruption(self) -> None:
        after = laid_over([period(0, None, 5)], [period(10, 12, 4)])

        assert after == [period(0, 10, 5), period(10, 12, 4), period(12, None, 5)]

    def test_replaces_a_price_of_the_same_start(self) -> None:
        assert laid_over([period(3, None, 5)], [period(3, None, 6)]) == [period(3, None, 6)]

    def test_swallows_what_lies_inside(self) -> None:
        after = laid_over([period(2, 4, 5), period(4, 9, 6)], [period(1, 6, 1)])

        assert after == [period(1, 6, 1), period(6, 9, 6)]

    @given(PERIODS, PERIODS)
    def test_never_overlaps_and_does_as_it_was_told(
        self, first: list[Period], second: list[Period]
    ) -> None:
        known = laid_over([], first)

        after = laid_over(known, second)

        assert [e.starts for e in after] == sorted({e.starts for e in after})
        latest = {e.starts: e for e in second}
        for n in range(40):
            price = price_on(after, on(n))
            running = [e for e in latest.values() if e.ends and e.holds(on(n))]
            if on(n) in latest:
                assert price == latest[on(n)].price
            elif running and not any(e.ends is None for e in latest.values()):
                assert price == max(running, key=lambda e: e.starts).price
            elif not any(e.starts <= on(n) for e in latest.values()):
                assert price == price_on(known, on(n))

    @given(PERIODS, PERIODS)
    def test_done_again_changes_nothing(self, first: list[Period], second: list[Period]) -> None:
        once = laid_over(laid_over([], first), second)

        assert edits(once, once) == edits([], [])
        assert laid_over(once, once) == once


class TestEdits:
    @given(PERIODS, PERIODS)
    def test_lead_from_one_timeline_to_the_other(
        self, first: list[Period], second: list[Period]
    ) -> None:
        before = laid_over([], first)
        after = laid_over(before, second)

        found = edits(before, after)

        kept = {e.starts: e for e in before if e.starts not in found.gone}
        kept |= {e.starts: e for e in [*found.changed, *found.added]}
        assert sorted(kept.values(), key=lambda e: e.starts) == after

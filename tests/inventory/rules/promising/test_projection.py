"""inventory/rules/promising/projection.py"""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from inventory.rules.promising import project

TODAY = date(2026, 11, 23)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


class TestProject:
    def test_free_is_the_least_of_what_follows(self) -> None:
        found = project(
            on_hand=10_000,
            inbound=[(on(5), 40_000, False)],
            demand=[(on(3), 4_000), (on(7), 30_000)],
            today=TODAY,
            horizon_days=30,
        )

        assert [(d.day, d.projected, d.free) for d in found.days] == [
            (on(0), 10_000, 6_000),
            (on(3), 6_000, 6_000),
            (on(5), 46_000, 16_000),
            (on(7), 16_000, 16_000),
        ]
        assert found.free_on(on(4)) == 6_000
        assert found.free_on(on(5)) == 16_000
        assert found.earliest(6_000) == TODAY
        assert found.earliest(6_001) == on(5)
        assert found.earliest(16_001) is None

    def test_what_is_overdue_counts_today_and_what_is_beyond_the_horizon_not(self) -> None:
        found = project(
            on_hand=0,
            inbound=[(on(-2), 5_000, True), (on(31), 9_000, False), (on(30), 1, False)],
            demand=[(on(-9), 2_000), (on(31), 7_000)],
            today=TODAY,
            horizon_days=30,
        )

        assert [(d.day, d.inbound, d.overdue, d.demand) for d in found.days] == [
            (TODAY, 5_000, 5_000, 2_000),
            (on(30), 1, 0, 0),
        ]
        assert found.free_on(TODAY) == 3_000
        assert found.free_on(on(-1)) == 0

    def test_demand_beyond_everything_leaves_nothing_free_and_a_negative_projection(self) -> None:
        found = project(
            on_hand=1_000, inbound=[], demand=[(on(2), 5_000)], today=TODAY, horizon_days=9
        )

        assert found.days[-1].projected == -4_000
        assert found.free_on(TODAY) == 0

    @given(
        st.integers(0, 50),
        st.lists(st.tuples(st.integers(-5, 40), st.integers(1, 20))),
        st.lists(st.tuples(st.integers(-5, 40), st.integers(1, 20))),
    )
    def test_agrees_with_the_definition_day_by_day(
        self, stock: int, comes: list[tuple[int, int]], goes: list[tuple[int, int]]
    ) -> None:
        found = project(
            on_hand=stock,
            inbound=[(on(day), steps, day < 0) for day, steps in comes],
            demand=[(on(day), steps) for day, steps in goes],
            today=TODAY,
            horizon_days=30,
        )

        def projected(day: int) -> int:
            plus = sum(steps for at, steps in comes if at <= day)
            return stock + plus - sum(steps for at, steps in goes if at <= day)

        level = {day: projected(day) for day in range(31)}
        for day in range(31):
            assert found.free_on(on(day)) == max(0, min(level[d] for d in range(day, 31)))

    @given(
        st.integers(0, 50),
        st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20))),
        st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20))),
        st.integers(0, 30),
        st.data(),
    )
    def test_promising_what_is_free_breaks_no_earlier_promise(
        self,
        stock: int,
        comes: list[tuple[int, int]],
        goes: list[tuple[int, int]],
        day: int,
        data: st.DataObject,
    ) -> None:
        inbound = [(on(at), steps, False) for at, steps in comes]
        demand = [(on(at), steps) for at, steps in goes]
        before = project(
            on_hand=stock, inbound=inbound, demand=demand, today=TODAY, horizon_days=30
        )
        taken = data.draw(st.integers(0, before.free_on(on(day))))
        after = project(
            on_hand=stock,
            inbound=inbound,
            demand=[*demand, (on(day), taken)],
            today=TODAY,
            horizon_days=30,
        )

        for each in after.days:
            if taken and each.day >= on(day):
                assert each.projected >= 0

"""exceptions/rules/sharing.py"""

from hypothesis import given
from hypothesis import strategies as st

from exceptions.rules.sharing import share_out

DESK = (1, "planner")


class TestShareOut:
    def test_gives_to_the_least_loaded_and_counts_it(self) -> None:
        assert share_out([DESK, DESK, DESK], {DESK: {7: 2, 8: 0}}) == [8, 8, 7]

    def test_leaves_it_in_the_queue_where_nobody_sits(self) -> None:
        assert share_out([DESK], {}) == [None]

    def test_counts_what_a_person_carries_at_all_desks(self) -> None:
        other = (1, "buyer")

        assert share_out([DESK, other], {DESK: {7: 0, 8: 0}, other: {7: 0, 8: 0}}) == [7, 8]

    @given(st.integers(0, 60), st.lists(st.integers(0, 20), min_size=1, max_size=6))
    def test_ends_level(self, cases: int, loads: list[int]) -> None:
        carried = dict(enumerate(loads))

        for person in share_out([DESK] * cases, {DESK: dict(carried)}):
            carried[person] += 1

        given_to = [total for person, total in carried.items() if total > loads[person]]
        assert not given_to or max(given_to) - min(carried.values()) <= 1

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import NEVER, Protection, Segment
from inventory.rules.promising import Shares

GOLD, SILVER, LOCKED, NORTH = 1, 2, 3, 4
TREE = [
    Segment(GOLD, rank=1),
    Segment(SILVER, rank=2),
    Segment(LOCKED, rank=3, lends=False),
    Segment(NORTH, parent=GOLD, rank=1),
]


def kept(segment: int, floor: int = 0, cap: int = NEVER, node: int = 0) -> Protection:
    return Protection(segment, 1, 1, node, floor, cap)


@pytest.mark.parametrize(
    ("shares", "segment", "node", "free", "left"),
    [
        ([kept(GOLD, 6)], 0, None, (10, 10), 4),
        ([kept(GOLD, 6)], GOLD, None, (10, 10), 10),
        ([kept(GOLD, 6)], NORTH, None, (10, 10), 10),
        ([kept(GOLD, 6)], SILVER, None, (10, 10), 4),
        ([kept(SILVER, 6)], GOLD, None, (10, 10), 10),
        ([kept(LOCKED, 6)], GOLD, None, (10, 10), 4),
        ([kept(NORTH, 6)], GOLD, None, (10, 10), 4),
        ([kept(SILVER, cap=3)], SILVER, None, (10, 10), 3),
        ([kept(GOLD, cap=3)], NORTH, None, (10, 10), 3),
        ([kept(SILVER, cap=3)], GOLD, None, (10, 10), 10),
        ([kept(GOLD, 20)], 0, None, (10, 10), 0),
        ([kept(GOLD, 10), kept(SILVER, 10)], SILVER, None, (10, 10), 5),
        ([kept(GOLD, 4, node=7)], 0, 7, (5, 20), 1),
        ([kept(GOLD, 4, node=7)], 0, 8, (5, 20), 5),
        ([kept(GOLD, 18)], 0, 7, (5, 20), 2),
        ([], 0, 7, (5, 20), 5),
        ([kept(GOLD, 6)], 99, None, (10, 10), 4),
        ([kept(GOLD, 6)], 0, None, (0, 0), 0),
    ],
)
def test_what_is_kept_for_others_is_not_left(
    shares: list[Protection], segment: int, node: int | None, free: tuple[int, int], left: int
) -> None:
    assert Shares(TREE, shares).left(segment, node, *free) == left


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 4]), st.integers(0, 50)), max_size=4),
    st.sampled_from([0, 1, 2, 3, 4]),
    st.integers(0, 100),
)
def test_never_more_than_is_free_and_never_what_a_higher_one_is_owed(
    floors: list[tuple[int, int]], segment: int, free: int
) -> None:
    shares = Shares(TREE, [kept(who, floor) for who, floor in floors])

    left = shares.left(segment, None, free, free)

    assert 0 <= left <= free
    if segment != LOCKED:
        locked = sum(floor for who, floor in floors if who == LOCKED)
        if sum(floor for _who, floor in floors) <= free:
            assert left <= free - locked

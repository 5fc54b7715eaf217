"""orders/rules/pacing.py."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from orders.rules import pace_points

FIRST = date(2026, 1, 1)
days = st.integers(0, 800)


def test_what_is_to_come_is_left_open() -> None:
    last = FIRST + timedelta(days=12)
    taken = [(FIRST, Decimal("0.1")), (FIRST + timedelta(days=3), Decimal("0.4"))]

    labels, even, reached = pace_points(FIRST, last, FIRST + timedelta(days=3), taken)

    assert (labels[0], labels[-1]) == ("01 Jan", "13 Jan")
    assert (even[0], even[6], even[-1]) == (0, 50, 100)
    assert reached[:5] == [10, 10, 10, 40, None]


def test_one_day_is_one_point() -> None:
    assert pace_points(FIRST, FIRST, FIRST, []) == (["01 Jan"], [Decimal(100)], [Decimal(0)])


@given(
    days, st.integers(-50, 900), st.lists(st.tuples(days, st.decimals(0, 2, places=3)), max_size=6)
)
def test_points_rise_and_stay_within_the_period(length, today, taken) -> None:
    told = [(FIRST + timedelta(days=n), share) for n, share in sorted(taken)]

    labels, even, reached = pace_points(
        FIRST, FIRST + timedelta(days=length), FIRST + timedelta(days=today), told
    )

    assert len(labels) == len(even) == len(reached) <= 13
    assert even == sorted(even)
    assert even[-1] == 100
    known = [each for each in reached if each is not None]
    assert known == sorted(known)
    assert reached[: len(known)] == known

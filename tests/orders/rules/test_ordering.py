"""orders/rules/ordering.py"""

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.kernel.sql import rows
from orders.rules import (
    PART_OF,
    NodeClock,
    Progress,
    allocation_step,
    in_cents,
    line_amount,
    part_of,
    passes_in_turn,
    promise,
    read_lines,
    taken_before,
)

QUANTITIES = st.decimals("0.001", "999999999999.999", places=3)
PRICES = st.decimals(0, "99999999", places=4)
RATES = st.decimals(0, 1, places=6)
AMOUNTS = st.decimals(0, "999999999999999.9999", places=4)


class TestLineAmount:
    @given(QUANTITIES, PRICES, RATES)
    def test_is_the_exact_product_half_up(self, quantity, price, discount) -> None:
        exact = Fraction(quantity) * Fraction(price) * (1 - Fraction(discount))

        found = line_amount(quantity, price, discount)

        assert found == Decimal(int(exact * 10_000 + Fraction(1, 2))) / 10_000
        assert found.as_tuple().exponent == -4

    @pytest.mark.django_db
    def test_is_what_the_database_says(self) -> None:
        grid = [
            (Decimal(q) / 1000, Decimal(p) / 10_000, Decimal(d) / 1_000_000)
            for q in (1, 333, 1_000, 12_345, 999_999_999_999_999)
            for p in (0, 1, 5, 99_999, 1_234_567)
            for d in (0, 1, 50_000, 333_333, 1_000_000)
        ]
        asked = [list(column) for column in zip(*grid, strict=True)]

        found = rows(
            "SELECT round(q * p * (1 - d), 4) FROM unnest(%s::numeric[], %s::numeric[],"
            " %s::numeric[]) AS g (q, p, d)",
            asked,
        )

        assert [row[0] for row in found] == [line_amount(*each) for each in grid]


class TestPartOf:
    @given(AMOUNTS, st.lists(st.decimals("0.001", "99999", places=3), min_size=1, max_size=5))
    def test_parts_sum_to_the_whole(self, amount, pieces) -> None:
        whole, done, total = sum(pieces), Decimal(0), Decimal(0)
        for piece in pieces:
            after = part_of(amount, done + piece, whole)
            part = after - part_of(amount, done, whole)
            assert part >= 0
            assert abs(Fraction(part) - Fraction(amount) * Fraction(piece) / Fraction(whole)) <= (
                Fraction(1, 10_000)
            )
            done += piece
            total += part
        assert total == amount

    @pytest.mark.django_db
    def test_is_what_the_database_says(self) -> None:
        grid = [
            (Decimal(a) / 10_000, Decimal(d) / 1000, Decimal(q) / 1000)
            for a in (0, 1, 3, 99_999, 10**18 + 7, 9_999_999_999_999_999_999)
            for q in (1, 3, 7_000, 999_983, 999_999_999_999_999)
            for d in (0, 1, q // 3, q // 2, q - 1, q)
        ]
        asked = [list(column) for column in zip(*grid, strict=True)]
        part = PART_OF.format(amount="a", done="d", quantity="q")

        found = rows(
            f"SELECT {part} FROM unnest(%s::numeric[], %s::numeric[], %s::numeric[])"  # noqa: S608
            " AS g (a, d, q)",
            asked,
        )

        assert [row[0] for row in found] == [part_of(*each) for each in grid]


class TestInCents:
    @given(AMOUNTS)
    def test_rounds_half_up(self, amount) -> None:
        assert in_cents(amount) == Decimal(int(Fraction(amount) * 100 + Fraction(1, 2))) / 100

    def test_knows_its_edges(self) -> None:
        assert in_cents(Decimal("0.005")) == Decimal("0.01")
        assert in_cents(Decimal("0.00499")) == 0
        assert Decimal("2.675").quantize(Decimal("0.01"), ROUND_HALF_UP) == in_cents(
            Decimal("2.675")
        )


class TestPassesInTurn:
    def test_fills_exactly_and_lets_a_smaller_one_pass_later(self) -> None:
        amounts = [Decimal(n) for n in (60, 50, 40, 1)]

        assert passes_in_turn(Decimal(100), amounts) == [True, False, True, False]

    @given(AMOUNTS, st.lists(AMOUNTS, max_size=8))
    def test_never_takes_more_than_there_is(self, room, amounts) -> None:
        goes = passes_in_turn(room, amounts)

        assert sum((a for a, g in zip(amounts, goes, strict=True) if g), Decimal(0)) <= room
        for amount, before, passes in zip(amounts, taken_before(amounts, goes), goes, strict=True):
            assert passes == (before + amount <= room)


class TestAllocationStep:
    @pytest.mark.parametrize(
        ("state", "ordered", "reserved", "shipped", "step"),
        [
            ("released", 5, 5, 0, "allocate_all"),
            ("released", 5, 2, 0, "allocate_some"),
            ("released", 5, 0, 0, "allocate_none"),
            ("backordered", 5, 5, 0, "allocate_all"),
            ("fulfilling", 5, 1, 0, None),
            ("fulfilling", 5, 0, 0, "allocate_none"),
            ("fulfilling", 5, 0, 2, "wait_for_rest"),
            ("partly_shipped", 5, 0, 2, None),
            ("partly_shipped", 5, 3, 2, None),
        ],
    )
    def test_follows_the_lines(self, state, ordered, reserved, shipped, step) -> None:
        progress = Progress(Decimal(ordered), Decimal(reserved), Decimal(shipped))

        assert allocation_step(state, progress) == step


class TestPromise:
    CLOCK = NodeClock("Europe/Berlin", time(15), 1)

    @pytest.mark.parametrize(
        ("hour", "expected"),
        [(8, date(2026, 11, 26)), (13, date(2026, 11, 26)), (15, date(2026, 11, 27))],
    )
    def test_counts_from_the_next_day_after_the_cut_off_of_the_node(self, hour, expected) -> None:
        now = datetime(2026, 11, 23, hour, 30, tzinfo=UTC)  # a Monday; Berlin is an hour ahead

        assert promise(now, self.CLOCK, 2, date(2026, 11, 23)) == expected

    def test_skips_the_weekend_and_never_comes_before_it_was_asked(self) -> None:
        friday = datetime(2026, 11, 27, 9, tzinfo=UTC)

        assert promise(friday, self.CLOCK, 1, date(2026, 11, 1)) == date(2026, 12, 1)
        assert promise(friday, self.CLOCK, 1, date(2027, 1, 1)) == date(2027, 1, 1)


class TestReadLines:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", []),
            ("\n \n", []),
            ("A-1\t5", [("A-1", "5")]),
            ("A-1;5\nB-2;1,5\n", [("A-1", "5"), ("B-2", "1,5")]),
            ('A-1,"5"\r\n,\r\n', [("A-1", "5")]),
            ("Qty,SKU,Note\n5,A-1,x\n", [("A-1", "5")]),
            ("A-1", [("A-1", "")]),
            ("A-1\t5\tCS\t9.5\t10\textra", [("A-1", "5")]),
        ],
    )
    def test_reads_what_spreadsheets_copy(self, text, expected) -> None:
        assert [(line.product, line.quantity) for line in read_lines(text)] == expected

    @given(st.text(max_size=200))
    def test_reads_anything_without_failing(self, text) -> None:
        assert all(not line.is_blank for line in read_lines(text))

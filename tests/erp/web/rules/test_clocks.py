"""erp/web/rules/clocks.py"""

from datetime import UTC, datetime, timedelta

import pytest

from erp.web.rules.clocks import span, spent_percent, urgency

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


class TestSpan:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h 00"),
            (-5_400, "1 h 30"), (172_799, "47 h 59"), (172_800, "2 d"), (864_000, "10 d"),
        ],
    )  # fmt: skip
    def test_names_the_largest_useful_unit(self, seconds: int, words: str) -> None:
        assert span(seconds) == words


class TestSpentPercent:
    @pytest.mark.parametrize(("hours", "percent"), [(-1, 0), (0, 0), (1, 25), (4, 100), (9, 100)])
    def test_stays_between_nothing_and_all(self, hours: int, percent: int) -> None:
        now = START + timedelta(hours=hours)

        assert spent_percent(START, START + timedelta(hours=4), now) == percent

    def test_a_clock_without_length_is_spent(self) -> None:
        assert spent_percent(START, START, START) == 100


class TestUrgency:
    @pytest.mark.parametrize(
        ("left", "spent", "tone"),
        [
            (3_599, 1, "s1"),
            (-1, 100, "s1"),
            (7_200, 75, "s2"),
            (7_200, 50, "s3"),
            (7_200, 9, "muted"),
        ],
    )
    def test_the_last_hour_is_worst(self, left: int, spent: int, tone: str) -> None:
        assert urgency(left, spent) == tone

"""erp/web/regional.py"""

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.web.regional import (
    LANGUAGES,
    MINUS,
    NOTHING,
    amount,
    language_of,
    number,
    number_language,
    price,
    quantity,
    short,
)  # fmt: skip

AMOUNTS = st.decimals(min_value=-(10**14), max_value=10**14, places=4)


@pytest.fixture(autouse=True)
def _american() -> Iterator[None]:
    token = number_language.set("en-us")
    yield
    number_language.reset(token)


def read_back(text: str) -> Decimal:
    digits = "".join(c for c in text if c.isdigit() or c == ".")
    return -Decimal(digits) if text.startswith(MINUS) else Decimal(digits)


class TestAmount:
    @pytest.mark.parametrize(
        ("value", "currency", "text"),
        [
            ("18420", "USD", "$18,420.00"), ("0.005", "USD", "$0.01"),
            ("-5.5", "USD", f"{MINUS}$5.50"),
            ("1234", "JPY", "¥1,234"), ("12", "CHF", "CHF\N{NO-BREAK SPACE}12.00"),
            ("NaN", "USD", f"${NOTHING}"),
        ],
    )  # fmt: skip
    def test_is_written_to_the_coin(self, value: str, currency: str, text: str) -> None:
        assert amount(Decimal(value), currency) == text

    def test_follows_the_habits_of_the_country(self) -> None:
        number_language.set("de")

        assert amount(Decimal("-1234567.891"), "EUR") == f"{MINUS}1.234.567,89\N{NO-BREAK SPACE}€"

    @given(AMOUNTS)
    def test_reads_back_as_the_amount_rounded_half_up(self, value: Decimal) -> None:
        written = read_back(amount(value, "USD"))

        assert written == value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

    @pytest.mark.parametrize("country", sorted(LANGUAGES))
    def test_groups_thousands_everywhere(self, country: str) -> None:
        number_language.set(language_of(country))

        assert len(number(Decimal("1234567.5"), 2)) == len("1,234,567.50")


class TestPrice:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("4.1", "$4.10"), ("4.125", "$4.125"), ("4.12345", "$4.1235"), ("400", "$400.00")],
    )
    def test_shows_the_places_it_has(self, value: str, text: str) -> None:
        assert price(Decimal(value), "USD") == text


class TestQuantity:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("1200.000", "1,200"), ("12.500", "12.5"), ("0", "0"), ("1E+3", "1,000")],
    )
    def test_drops_the_zeros_of_its_column(self, value: str, text: str) -> None:
        assert quantity(Decimal(value)) == text

    @given(st.decimals(min_value=-(10**12), max_value=10**12, places=3))
    def test_loses_nothing(self, value: Decimal) -> None:
        assert read_back(quantity(value)) == value


class TestShort:
    @pytest.mark.parametrize(
        ("value", "text"),
        [("950", "950"), ("84200", "84.2k"), ("212400", "212k"), ("1900000", "1.9M"),
         ("-2500000000", f"{MINUS}2.5B")],
    )  # fmt: skip
    def test_keeps_the_figures_that_matter(self, value: str, text: str) -> None:
        assert short(Decimal(value)) == text

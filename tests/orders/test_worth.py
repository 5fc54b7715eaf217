"""orders/selectors/_worth.py"""

from datetime import date
from decimal import Decimal

import pytest

from finance.services._converting import RateRow, save_rates
from orders.selectors import worth_in

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)


@pytest.mark.parametrize(("rate", "worth"), [("1.1", "21.00"), ("1.1005", "21.01")])
def test_each_currency_is_converted_by_the_rate_of_the_day(rate: str, worth: str) -> None:
    save_rates(rates=[
        RateRow("EUR", "USD", DAY, Decimal(rate)),
        RateRow("EUR", "USD", date(2026, 11, 24), Decimal(9)),
    ])  # fmt: skip

    found = worth_in({"USD": Decimal(10), "EUR": Decimal(10)}, currency="USD", on=DAY)

    assert found == Decimal(worth)


def test_what_nobody_knows_a_rate_of_counts_at_face_value() -> None:
    assert worth_in({"USD": Decimal(1), "XXX": Decimal(2)}, currency="USD", on=DAY) == 3

"""erp/partners/rules/columns.py"""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp.partners.rules.columns import KINDS, BadCell, day, flag, number, read_cells, share
from erp.partners.rules.writing import neutralized


@pytest.mark.parametrize(
    "cell",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1_0",
        "\uff11\uff12",
        "0x1",
        "1,00",
        "",
        " ",
        "--1",
        "1e999",
    ],
)
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(BadCell):
        number(cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [("12", "12"), ("1,234.50", "1234.50"), ("-0.5", "-0.5"), (".5", "0.5"), ("5E-2", "0.05")],
)
def test_a_number_is_exact(cell: str, value: str) -> None:
    assert number(cell) == Decimal(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=1, places=6))
def test_a_share_survives_writing_and_reading(value: Decimal) -> None:
    assert share(str(value)) == value


@pytest.mark.parametrize("cell", ["2026-02-30", "soon", "2026/13/01", "1"])
def test_what_is_no_date_is_refused(cell: str) -> None:
    with pytest.raises(BadCell, match="not a date"):
        day(cell)


def test_dates_come_in_several_forms() -> None:
    assert {day(c) for c in ("1996-07-04 00:00:00.000", "04.07.1996", "07/04/1996")} == {
        date(1996, 7, 4)
    }


def test_a_flag_is_yes_or_no() -> None:
    assert (flag("1"), flag("no")) == (True, False)
    with pytest.raises(BadCell):
        flag("maybe")


def test_every_wrong_cell_is_named() -> None:
    values, wrong = read_cells(KINDS["stock"], {"product": "", "node": "N", "quantity": "-1"})

    assert values == {"node": "N"}
    assert dict(wrong) == {
        "product": "product is missing.",
        "quantity": "quantity must not be negative.",
        "unit_value": "unit_value is missing.",
    }


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-cmd", "@x", "\tx"])
def test_a_formula_is_neutralized(cell: str) -> None:
    assert neutralized(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-5", "+5", "plain", ""])
def test_a_number_or_word_is_left_alone(cell: str) -> None:
    assert neutralized(cell) == cell

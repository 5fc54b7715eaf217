import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.rules import check_digit, sscc


@pytest.mark.parametrize(
    ("digits", "check"),
    [("629104150021", 3), ("10614141234567890"[:17], 8), ("400638133393", 1), ("0", 0)],
)
def test_known_check_digits(digits: str, check: int) -> None:
    assert check_digit(digits) == check


@given(st.integers(0, 10**9 - 1))
def test_a_container_code_has_18_digits_and_checks(serial: int) -> None:
    code = sscc(serial)
    assert len(code) == 18
    assert check_digit(code[:-1]) == int(code[-1])
    assert code[8:17] == f"{serial:09d}"


def test_serials_run_out() -> None:
    with pytest.raises(ValueError, match="nine digits"):
        sscc(10**9)

"""GS1 numbers."""

EXTENSION = "0"
COMPANY = "9501101"  # GS1's example prefix, until a company sets its own
SERIAL_DIGITS = 9


def check_digit(digits: str) -> int:
    """Return the GS1 check digit: weights 3 and 1 from the right."""
    odd, even = digits[::-1][::2], digits[::-1][1::2]
    return -(3 * sum(map(int, odd)) + sum(map(int, even))) % 10


def sscc(serial: int) -> str:
    """Return the 18-digit serial shipping container code of one carton.

    Raises:
        ValueError: the company has used up its serial numbers.
    """
    body = f"{EXTENSION}{COMPANY}{serial:0{SERIAL_DIGITS}d}"
    if len(body) != len(EXTENSION + COMPANY) + SERIAL_DIGITS:
        raise ValueError(f"carton {serial} does not fit nine digits")
    return f"{body}{check_digit(body)}"

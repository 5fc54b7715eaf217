"""How much is bought when so much is missing."""


def buy_quantity(missing: int, *, moq: int, multiple: int) -> int:
    """Return the least quantity that covers `missing`, is at least `moq` and in whole `multiple`s.

    In thousandths of base units; `missing` and `multiple` are above zero.
    """
    wanted = max(missing, moq)
    return -(-wanted // multiple) * multiple

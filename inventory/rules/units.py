"""Units of measure as exact ratios: each, inner, case, pallet."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from erp.kernel.quantity import STEP, NotWholeSteps


def converted(quantity: Decimal, *, held: Fraction, wanted: Fraction) -> Decimal:
    """Return `quantity` of a unit that holds `held` base units, in one that holds `wanted`.

    Raises:
        NotWholeSteps: the answer, or the quantity in base units, is finer than a thousandth:
            nothing is rounded away.
        ValueError: a unit holds nothing.
    """
    if held <= 0 or wanted <= 0:
        raise ValueError("a unit holds more than nothing")
    base = Fraction(quantity) * held
    _whole(base)
    return _whole(base / wanted)


def packed(quantity: Decimal, units: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """Return `quantity` base units as whole units, the largest first, and the rest as "".

    Of units that hold the same the first by name counts. Nothing is lost: the parts sum to the
    whole. A quantity below zero is packed as its opposite.
    """
    sign = -1 if quantity < 0 else 1
    left = Fraction(abs(quantity))
    parts: dict[str, Decimal] = {}
    for code, held in _largest_first(units.items()):
        count, left = divmod(left, held)
        if count:
            parts[code] = sign * Decimal(count)
    if left:
        parts[""] = sign * _whole(left)
    return parts


def _largest_first(units: Iterable[tuple[str, Fraction]]) -> list[tuple[str, Fraction]]:
    """Leave out units of which a whole number is no whole number of thousandths."""
    exact = [
        (code, held) for code, held in units if held > 0 and not (held / _STEP).denominator - 1
    ]
    return sorted(exact, key=lambda unit: (-unit[1], unit[0]))


_STEP = Fraction(STEP)


def _whole(exact: Fraction) -> Decimal:
    steps = exact / _STEP
    if steps.denominator != 1:
        raise NotWholeSteps(f"{exact} is finer than a thousandth")
    return steps.numerator * STEP

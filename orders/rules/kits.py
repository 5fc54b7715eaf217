"""How the price of a kit is spread over its components."""

from collections.abc import Sequence
from decimal import Decimal

STEP = Decimal("0.0001")


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Cut `amount` in proportion to `weights`, to a hundredth of a cent; the parts sum to it.

    What rounding leaves goes to the largest remainders, the first of equals. Weights of nothing but
    zeros count alike. Not for negatives.
    """
    steps = int(amount / STEP)
    exact = [int(weight * 10_000_000) for weight in weights]
    if not any(exact):
        exact = [1] * len(weights)
    whole = sum(exact)
    parts = [steps * weight // whole for weight in exact]
    remainders = [steps * weight % whole for weight in exact]
    order = sorted(range(len(parts)), key=lambda place: (-remainders[place], place))
    for place in order[: steps - sum(parts)]:
        parts[place] += 1
    return [part * STEP for part in parts]

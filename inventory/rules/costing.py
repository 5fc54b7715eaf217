"""What goods cost: by moving average or by layers, exact in total, whole cents in every part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from erp.kernel.money import CENT

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Layer:
    """What is left of one arrival: base units, and their value in whole cents.

    `id` is its row; 0 while that is not written, and then `source` is the cause of its move.
    """

    id: int
    quantity: Decimal
    value: Decimal
    source: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """What one company owns of one product: base units, and their value in whole cents.

    With `layers` (the oldest first) what leaves costs what the oldest cost: they sum to the pool.
    Without, it costs the average.
    """

    quantity: Decimal
    value: Decimal
    layers: tuple[Layer, ...] | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """So much taken of one layer, and its value in whole cents."""

    layer: Layer
    quantity: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class Issue:
    """What so much costs, and of which layers it was taken: none by moving average."""

    cost: Decimal
    draws: tuple[Draw, ...] = ()


def issue(pool: Pool, quantities: Sequence[Decimal]) -> list[Decimal]:
    """Return the cost of each of `quantities`, taken from `pool` one after another; see `draw`.

    Raises:
        ValueError: more is taken than there is.
    """
    return [each.cost for each in draw(pool, quantities)]


def draw(pool: Pool, quantities: Sequence[Decimal]) -> list[Issue]:
    """Return what each of `quantities` costs, taken from `pool` one after another.

    Each running total (of the pool, or of a layer) is rounded half up to the cent, so the costs sum
    to the rounded cost of the whole, and taking everything takes the whole value.

    Raises:
        ValueError: more is taken than there is.
    """
    if sum(quantities, NOTHING) > pool.quantity:
        raise ValueError(f"{sum(quantities)} is more than the {pool.quantity} that are owned")
    if pool.layers is None:
        return [Issue(cost) for cost in _shares(pool.value, pool.quantity, quantities)]
    return _from_layers(pool.layers, quantities)


def _shares(value: Decimal, whole: Decimal, quantities: Sequence[Decimal]) -> list[Decimal]:
    """Return what each of `quantities` is worth, taken one after another of `whole`."""
    shares: list[Decimal] = []
    taken = given = NOTHING
    for quantity in quantities:
        taken += quantity
        upto = _cents(value * taken / whole) if taken else NOTHING
        shares.append(upto - given)
        given = upto
    return shares


def _from_layers(layers: Sequence[Layer], quantities: Sequence[Decimal]) -> list[Issue]:
    taken: list[list[tuple[int, Decimal]]] = []  # by issue: (place of the layer, quantity)
    of_layer: list[list[Decimal]] = [[] for _ in layers]
    place, left = 0, layers[0].quantity if layers else NOTHING
    for quantity in quantities:
        parts, wanted = [], quantity
        while wanted > 0:
            if not left:
                place += 1
                left = layers[place].quantity
                continue
            part = min(wanted, left)
            parts.append((place, part))
            of_layer[place].append(part)
            left -= part
            wanted -= part
        taken.append(parts)
    values = [
        iter(_shares(layer.value, layer.quantity, parts))
        for layer, parts in zip(layers, of_layer, strict=True)
    ]
    issues = []
    for parts in taken:
        draws = tuple(Draw(layers[n], quantity, next(values[n])) for n, quantity in parts)
        issues.append(Issue(sum((each.value for each in draws), NOTHING), draws))
    return issues


def moved_on(
    pool: Pool, quantity: Decimal, value: Decimal, *, source: int = 0, draws: Sequence[Draw] = ()
) -> Pool:
    """Return the pool after so much came (or went, negative) at that value.

    What came is its newest layer, known by the cause of its move; what went left by `draws`.
    """
    layers = pool.layers
    if layers is not None and quantity > 0:
        layers = (*layers, Layer(0, quantity, value, source))
    elif layers is not None:
        gone = {(each.layer.id, each.layer.source): each for each in draws}
        shrunk = [
            replace(layer, quantity=layer.quantity - d.quantity, value=layer.value - d.value)
            if (d := gone.get((layer.id, layer.source)))
            else layer
            for layer in layers
        ]
        layers = tuple(layer for layer in shrunk if layer.quantity)
    return Pool(pool.quantity + quantity, pool.value + value, layers)


def spread(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Return whole cents by weight that sum to `amount`, by largest remainder; the first wins ties.

    A negative amount is spread as its opposite. Without any weight all goes to the last.
    """
    total = sum(weights, NOTHING)
    if total <= 0:
        return [NOTHING] * (len(weights) - 1) + [amount]
    sign = -1 if amount < 0 else 1
    exact = [abs(amount) * weight / total for weight in weights]
    cents = [each.quantize(CENT, rounding=ROUND_DOWN) for each in exact]
    missing = int((abs(amount) - sum(cents, NOTHING)) / CENT)
    order = sorted(range(len(weights)), key=lambda n: (-(exact[n] - cents[n]), n))
    for n in order[:missing]:
        cents[n] += CENT
    return [sign * each for each in cents]


def valued(pool: Pool, quantity: Decimal, unit_value: Decimal | None) -> Decimal:
    """Return what `quantity` found adds to `pool`, half up to the cent.

    Without `unit_value` it is worth what the pool's average is; the first of all is worth nothing.
    """
    if unit_value is not None:
        return _cents(quantity * unit_value)
    return _cents(quantity * pool.value / pool.quantity) if pool.quantity else NOTHING


def carriage(weight: Decimal, *, base: Decimal, per_kg: Decimal) -> Decimal:
    """Return what a carrier asks for `weight` kilograms, half up to the cent."""
    return _cents(base + weight * per_kg)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)

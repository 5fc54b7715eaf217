"""Where the lines and bars of a chart lie: numbers in, SVG coordinates out."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 22
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis from `low` to `high` with round `ticks`, drawn from the foot up."""

    low: Decimal
    high: Decimal
    ticks: tuple[Decimal, ...]

    def y(self, value: Decimal) -> Decimal:
        depth = Decimal(HEIGHT - BOTTOM - TOP)
        return (HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * depth).quantize(
            Decimal("0.1")
        )


def scale(values: Sequence[Decimal], *, from_zero: bool = True, lines: int = 4) -> Scale:
    """Return an axis with about `lines` round steps that holds all `values`."""
    low, high = min(values, default=Decimal(0)), max(values, default=Decimal(1))
    if from_zero:
        low, high = min(low, Decimal(0)), max(high, Decimal(0))
    if low == high:
        high = low + 1
    step = round_step((high - low) / lines)
    start = (low / step).to_integral_value(rounding="ROUND_FLOOR") * step
    count = int(((high - start) / step).to_integral_value(ROUND_CEILING))
    ticks = tuple(start + step * n for n in range(count + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def round_step(raw: Decimal) -> Decimal:
    """Return the smallest of 1, 2, 2.5, 5, 10 times a power of ten that is at least `raw` (> 0)."""
    power = Decimal(1).scaleb(raw.adjusted())
    return next(step * power for step in STEPS if step * power >= raw)


def across(count: int) -> list[Decimal]:
    """Return the x of `count` points, from the left edge of the drawing to its right."""
    breadth = Decimal(WIDTH - LEFT - RIGHT)
    if count == 1:
        return [LEFT + breadth / 2]
    return [(LEFT + breadth * n / (count - 1)).quantize(Decimal("0.1")) for n in range(count)]


def slots(count: int) -> tuple[list[Decimal], Decimal]:
    """Return the left x of `count` columns and their width, with a fifth of each left free."""
    breadth = Decimal(WIDTH - LEFT - RIGHT) / max(count, 1)
    wide = min(breadth * 4 / 5, Decimal(48)).quantize(Decimal("0.1"))
    return [
        (LEFT + breadth * n + (breadth - wide) / 2).quantize(Decimal("0.1")) for n in range(count)
    ], wide


def labelled(count: int, most: int = 7) -> list[int]:
    """Return which of `count` points carry a label, so that no two touch; the last one does."""
    if count <= most:
        return list(range(count))
    every = -(-count // most)
    return [n for n in range(count) if (count - 1 - n) % every == 0]


def sparkline(values: Sequence[Decimal], width: int = 84, height: int = 24) -> str:
    """Return the points of a polyline through `values`, the largest at the top."""
    low, high = min(values), max(values)
    size = (high - low) or Decimal(1)
    step = Decimal(width) / max(len(values) - 1, 1)
    return " ".join(
        f"{step * n:.1f},{1 + (height - 2) * (1 - (value - low) / size):.1f}"
        for n, value in enumerate(values)
    )

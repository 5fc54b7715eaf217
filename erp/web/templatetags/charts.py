"""Charts as SVG drawn on the server, each with the table of its figures beside it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from erp.web import regional
from erp.web.rules import geometry
from erp.web.templatetags.ui import pick

register = template.Library()
THOUSAND = 1_000
TONES = ("accent", "ok", "s2", "s1", "s3", "muted")


def _series(series: Iterable[Any]) -> list[dict[str, Any]]:
    """Read the series: each has `name`, `values` (numbers, None where there is none), `tone`."""
    return [
        {
            "name": pick(one, "name", ""),
            "tone": pick(one, "tone", TONES[n % len(TONES)]),
            "values": [
                None if v is None else regional.decimal_of(v) for v in pick(one, "values", ())
            ],
        }
        for n, one in enumerate(series)
    ]


def _frame(
    title: str, labels: list[str], drawn: list[dict[str, Any]], axis: geometry.Scale, unit: str
) -> dict[str, Any]:
    xs = geometry.across(len(labels)) if labels else []
    return {
        "title": title,
        "unit": unit,
        "width": geometry.WIDTH,
        "height": geometry.HEIGHT,
        "left": geometry.LEFT,
        "right": geometry.WIDTH - geometry.RIGHT,
        "foot": geometry.HEIGHT - 6,
        "ticks": [{"y": axis.y(t), "text": _tick(t)} for t in axis.ticks],
        "labels": [
            {
                "x": xs[n],
                "text": labels[n],
                "anchor": "end" if n == len(labels) - 1 and n else "start" if n == 0 else "middle",
            }
            for n in geometry.labelled(len(labels))
        ],
        "series": drawn,
        "table": [
            (label, [_figure(s["values"][n]) if n < len(s["values"]) else "" for s in drawn])
            for n, label in enumerate(labels)
        ],
    }


def _tick(value: Decimal) -> str:
    return regional.short(value) if abs(value) >= THOUSAND else f"{value.normalize():f}"


def _figure(value: Decimal | None) -> str:
    return regional.NOTHING if value is None else regional.quantity(value)


@register.inclusion_tag("components/line_chart.html")
def line_chart(
    title: str,
    labels: Iterable[Any],
    series: Iterable[Any],
    unit: str = "",
    target: Any = None,
    target_label: str = "",
    from_zero: bool = False,
) -> dict[str, Any]:
    """Draw lines over `labels`; a series is `{name, values, tone}`. Gaps (None) break the line."""
    names, drawn = [str(label) for label in labels], _series(series)
    every = [v for s in drawn for v in s["values"] if v is not None]
    if target is not None:
        every.append(regional.decimal_of(target))
    axis = geometry.scale(every, from_zero=from_zero)
    xs = geometry.across(len(names)) if names else []
    for one in drawn:
        one["lines"] = _lines(xs, one["values"], axis)
        last = [(x, axis.y(v)) for x, v in zip(xs, one["values"], strict=False) if v is not None]
        one["end"] = last[-1] if last else None
        one["last"] = next((_figure(v) for v in reversed(one["values"]) if v is not None), "")
    frame = _frame(title, names, drawn, axis, unit)
    if target is not None:
        frame["target"] = {
            "y": axis.y(regional.decimal_of(target)),
            "text": target_label or f"target {regional.quantity(target)}{unit and ' ' + unit}",
        }
    return frame


def _lines(xs: list[Decimal], values: list[Decimal | None], axis: geometry.Scale) -> list[str]:
    lines: list[list[str]] = [[]]
    for x, value in zip(xs, values, strict=False):
        if value is None:
            lines.append([])
        else:
            lines[-1].append(f"{x},{axis.y(value)}")
    return [" ".join(line) for line in lines if line]


@register.inclusion_tag("components/stacked_chart.html")
def stacked_chart(
    title: str, labels: Iterable[Any], series: Iterable[Any], unit: str = "", line: Any = None
) -> dict[str, Any]:
    """Draw columns stacked from zero over `labels` (negative values below it).

    `line` is one more series drawn over them: projected stock over supply and demand.
    """
    names, drawn = [str(label) for label in labels], _series(series)
    over = _series([line]) if line else []
    tops, bottoms = [Decimal(0)] * len(names), [Decimal(0)] * len(names)
    columns: list[tuple[dict[str, Any], int, Decimal, Decimal]] = []
    for one in drawn:
        for n, value in enumerate(one["values"][: len(names)]):
            pile = tops if (value or 0) >= 0 else bottoms
            if value:
                columns.append((one, n, pile[n], pile[n] + value))
                pile[n] += value
    axis = geometry.scale(
        [*tops, *bottoms, *(v for s in over for v in s["values"] if v is not None)]
    )
    lefts, wide = geometry.slots(len(names))
    for one in drawn:
        one["rects"] = []
    for one, n, start, end in columns:
        y, foot = axis.y(max(start, end)), axis.y(min(start, end))
        one["rects"].append({
            "x": lefts[n], "y": y, "height": foot - y,
            "text": f"{names[n]}: {one['name']} {_figure(end - start)}",
        })  # fmt: skip
    middles = [left + wide / 2 for left in lefts]
    for one in over:
        one["lines"] = _lines(middles, one["values"], axis)
    frame = _frame(title, names, drawn + over, axis, unit)
    frame["labels"] = [
        {"x": middles[n], "text": names[n], "anchor": "middle"}
        for n in geometry.labelled(len(names))
    ]
    return frame | {"wide": wide, "zero": axis.y(Decimal(0))}


@register.simple_tag
def sparkline(values: Iterable[Any], label: str = "", tone: str = "accent") -> SafeString:
    """Draw a line of a few values without axes; `label` says it to who cannot see it."""
    known = [regional.decimal_of(v) for v in values if v is not None]
    if not known[1:]:
        return SafeString()
    return format_html(
        '<svg class="spark tone-{}" viewBox="0 0 84 24" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><polyline points="{}"/></svg>',
        tone,
        label or f"from {_figure(known[0])} to {_figure(known[-1])}",
        geometry.sparkline(known),
    )

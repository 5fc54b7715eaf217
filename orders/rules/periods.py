"""Prices in time: a new price ends the old one, and no two hold on the same day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

NEVER = date.max


@dataclass(frozen=True, slots=True)
class Period:
    """A price per base unit in [starts, ends); `ends` none: until further notice."""

    starts: date
    ends: date | None
    price: Decimal

    def holds(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


def laid_over(known: Sequence[Period], wanted: Sequence[Period]) -> list[Period]:
    """Return the timeline after `wanted` is laid over `known`, by start, without overlaps.

    A wanted price without an end lasts until the next one that is known or wanted. One with an
    end interrupts what it covers: before and after it the known price goes on, and a known price
    that lies wholly inside it is gone. Of wanted prices the one that starts later wins; of two
    with the same start the last.
    """
    timeline = sorted(known, key=lambda each: each.starts)
    latest = {each.starts: each for each in wanted}
    starts = sorted({each.starts for each in timeline} | set(latest))
    for start in sorted(latest):
        each = latest[start]
        following = next((day for day in starts if day > start), None)
        ends = each.ends or following
        timeline = [*_around(timeline, start, ends), replace(each, ends=ends)]
    return sorted(timeline, key=lambda each: each.starts)


def _around(timeline: Sequence[Period], start: date, end: date | None) -> list[Period]:
    """Return what is left of a timeline outside of [start, end)."""
    left = []
    for each in timeline:
        if each.starts < start:
            cut = start if each.ends is None else min(each.ends, start)
            left.append(replace(each, ends=cut))
        if end is not None and (each.ends or NEVER) > end:
            left.append(replace(each, starts=max(each.starts, end)))
    return left


@dataclass(frozen=True, slots=True)
class Edits:
    """How a stored timeline becomes another one; periods are told apart by their start."""

    gone: list[date]
    changed: list[Period]
    added: list[Period]


def edits(known: Sequence[Period], after: Sequence[Period]) -> Edits:
    """Return what to delete, change and add so that `known` becomes `after`."""
    before = {each.starts: each for each in known}
    kept = {each.starts for each in after}
    return Edits(
        gone=sorted(set(before) - kept),
        changed=[e for e in after if e.starts in before and before[e.starts] != e],
        added=[e for e in after if e.starts not in before],
    )

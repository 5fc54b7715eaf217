"""The control tower: every figure of it at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from erp.insight.selectors._figures import (
    Bucket,
    Day,
    Figure,
    Period,
    breakdown,
    figure,
    series,
)

STAGE_ORDER = ("draft", "held", "waiting", "allocated", "fulfilling", "shipped")
AGE_ORDER = ("not due", "0-2 days", "3-7 days", "8-14 days", "15-30 days", "over 30 days")
SEVERITY_ORDER = ("S1", "S2", "S3", "S4")


@dataclass(frozen=True, slots=True)
class Tower:
    """What stands on the control tower. `earlier` are the figures of the period before."""

    period: Period
    today: Period
    otif: Figure
    fill: Figure
    cycle: Figure
    earlier: dict[str, Figure]
    exceptions: Figure
    backlog: Figure
    held: Figure
    approvals: Figure
    shipped_today: Figure
    otif_days: list[Day]
    fill_days: list[Day]
    stages: list[Bucket]
    ages: list[Bucket]
    severities: list[Bucket]


def tower(*, entity_ids: Collection[int], days: int, now: datetime) -> Tower:
    """Return the control tower of these entities over the last `days`. About twenty queries."""
    period, today = Period.last(days, now=now), Period.last(1, now=now)

    def total(code: str, over: Period = period) -> Figure:
        return figure(code, entity_ids=entity_ids, period=over)

    def parts(code: str, order: tuple[str, ...]) -> list[Bucket]:
        found = breakdown(code, entity_ids=entity_ids, period=period)
        return [found.get(name) or Bucket(name, 0, {}) for name in order]

    return Tower(
        period=period,
        today=today,
        otif=total("otif"),
        fill=total("line_fill_rate"),
        cycle=total("order_cycle_time"),
        earlier={
            code: total(code, period.before())
            for code in ("otif", "line_fill_rate", "order_cycle_time")
        },
        exceptions=total("open_exceptions"),
        backlog=total("backlog_past_promise"),
        held=total("held_cash"),
        approvals=total("approvals_waiting"),
        shipped_today=total("shipped", today),
        otif_days=series("otif", entity_ids=entity_ids, period=period),
        fill_days=series("line_fill_rate", entity_ids=entity_ids, period=period),
        stages=parts("orders_by_stage", STAGE_ORDER),
        ages=parts("backlog_past_promise", AGE_ORDER),
        severities=parts("open_exceptions", SEVERITY_ORDER),
    )

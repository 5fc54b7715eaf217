"""Figures, the rows behind them, and whether everything still holds. Nothing here writes."""

from erp.insight.selectors._definitions import KPIS, Kpi, Unit
from erp.insight.selectors._figures import (
    Bucket,
    Day,
    Figure,
    KpiRow,
    KpiRows,
    Period,
    breakdown,
    figure,
    kpi,
    kpi_rows,
    series,
)
from erp.insight.selectors._tower import AGE_ORDER, Tower, tower
from erp.insight.selectors._verifying import all_invariants, verify_all

__all__ = [
    "AGE_ORDER",
    "KPIS",
    "Bucket",
    "Day",
    "Figure",
    "Kpi",
    "KpiRow",
    "KpiRows",
    "Period",
    "Tower",
    "Unit",
    "all_invariants",
    "breakdown",
    "figure",
    "kpi",
    "kpi_rows",
    "series",
    "tower",
    "verify_all",
]
